/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The histograms and windows of a document's functions and operations. */
#ifndef P11PROF_REPORT_RUN_WINDOWS_H
#define P11PROF_REPORT_RUN_WINDOWS_H

#include "run_report.h"

/* Gives the rows of functions and others the columns histogram and windows, and those of operations
 * their windows, as long as the rows stand in the order of the scan's groups. Windows are [] where
 * they do not tell apart what is selected or grouped by, and of a bench, whose loads have them. */
enum p11prof_status p11prof_run_windows_set(struct p11prof_run_report *report,
                                            const struct p11prof_scan *scan, struct sqlite3 *db,
                                            const struct p11prof_run_set *runs,
                                            struct p11prof_error *error);

#endif
