/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Tallies from the histograms that the database keeps of a whole run. */
#ifndef P11PROF_REPORT_SCAN_GROUPS_H
#define P11PROF_REPORT_SCAN_GROUPS_H

#include "p11prof/error.h"
#include "tally.h"

struct sqlite3;

/* Fills an empty tally; each of its dimensions has to be one that histograms tell apart. */
enum p11prof_status p11prof_scan_groups(struct p11prof_tally *tally, struct sqlite3 *db,
                                        int64_t run_id, bool operations,
                                        struct p11prof_error *error);

#endif
