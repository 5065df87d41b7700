/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The ways of a scan (scan.h). */
#ifndef P11PROF_REPORT_SCAN_WAYS_H
#define P11PROF_REPORT_SCAN_WAYS_H

#include "scan.h"

/* What a scan is of; texts are loaded. */
struct p11prof_scan_runs {
    struct p11prof_scan *scan;
    struct sqlite3 *db;
    const int64_t *run_ids;
    const struct p11prof_condition *conditions;
    size_t run_count;
    uint64_t row_count; /* that the runs have */
};

/* Tallies every row; without a grouping of calls only those that carry an operation. *found: how
 * many they were. */
enum p11prof_status p11prof_scan_rows(const struct p11prof_scan_runs *runs, uint64_t *found,
                                      struct p11prof_error *error);

/* Adds all histograms of a run to a tally whose dimensions they tell apart. `condition`: of groups
 * of calls, or of operations. */
enum p11prof_status p11prof_scan_groups(const struct p11prof_scan_runs *runs, size_t run,
                                        struct p11prof_tally *tally, bool operations,
                                        struct p11prof_error *error);

/* Finds the exact percentiles of the tallies `calls` and `operations`, which are from histograms of
 * whole runs. *agreed is false if the rows are not those that the histograms counted: the
 * percentiles stay as they were then. */
enum p11prof_status p11prof_scan_percentiles(const struct p11prof_scan_runs *runs, bool *agreed,
                                             struct p11prof_error *error);

#endif
