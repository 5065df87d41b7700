/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Fills tallies of the calls and of the operations of a run: from every row, in one scan, or from
 * the histograms that are kept with them.
 *
 * The population of the percentiles are those that did not fail (CKR_OK or undisclosed), of kind
 * too-small and where results are grouped by CK_RV: all. Both ways read the private tables: the
 * names that the views join cost three times the scan, and are needed once per group only. */
#ifndef P11PROF_REPORT_SCAN_H
#define P11PROF_REPORT_SCAN_H

#include "caller_names.h"
#include "p11prof/error.h"
#include "tally.h"

struct sqlite3;

struct p11prof_scan {
    int64_t run_id;
    struct p11prof_tally calls;      /* set its grouping */
    struct p11prof_tally operations; /* set its grouping */
    struct p11prof_tally loads; /* operations of loads, measured or cooling down; set its grouping,
                                   the part first; empty: left out. Dimensions that histograms do
                                   not have come last: they are dropped where rows are missing */
    struct p11prof_caller_names callers; /* names of the dimension caller */
    bool exact;                          /* from rows */
};

/* The rows of more calls than this are not read: their durations alone would be 160 MB. */
enum { P11PROF_SCAN_ROWS_MAX = 20000000 };

/* From rows if they are all there and not too many, else from histograms. P11PROF_BAD_INPUT if
 * those do not tell apart what the calls are grouped by. */
enum p11prof_status p11prof_scan_run(struct p11prof_scan *scan, struct sqlite3 *db,
                                     struct p11prof_error *error);

void p11prof_scan_clear(struct p11prof_scan *scan);

#endif
