/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Fills tallies of the calls and of the operations of runs: exactly, from rows, or from the
 * histograms that are kept with them.
 *
 * The population of the percentiles are those that did not fail (CKR_OK or undisclosed), of kind
 * too-small and where results are grouped by CK_RV: all. Everything reads the private tables: the
 * names that the views join cost three times the scan, and are needed once per group only.
 *
 * There are three ways. Where histograms tell apart what is asked for and all rows are there, the
 * histograms give everything but percentiles, and one scan picks the few rows that decide those.
 * Where histograms cannot tell, a scan tallies every row. Where rows are gone, histograms are all
 * there is. */
#ifndef P11PROF_REPORT_SCAN_H
#define P11PROF_REPORT_SCAN_H

#include "p11prof/error.h"
#include "selection.h"
#include "tally.h"
#include "texts.h"

struct sqlite3;

struct p11prof_scan {
    const struct p11prof_selection *selection; /* NULL: everything */
    struct p11prof_tally calls;                /* set its grouping; empty: left out */
    struct p11prof_tally operations;           /* set its grouping; empty: left out */
    struct p11prof_tally loads; /* operations of loads, measured or cooling down; set its grouping;
                                   empty: left out. Dimensions that histograms do not have come
                                   last: they are dropped where rows are missing */
    struct p11prof_texts texts; /* what the numbers of dimensions mean */
    bool exact;                 /* all percentiles are durations that occurred */
    bool calls_unknown, operations_unknown; /* rows are gone, and histograms do not tell apart what
                                               is selected: that tally is empty */
};

/* The rows of more calls than this are not read one by one: their durations alone would be 160 MB
 * for calls and 160 MB for operations. */
enum { P11PROF_SCAN_ROWS_MAX = 20000000 };

/* P11PROF_BAD_INPUT if rows are missing and the histograms do not tell apart what the calls are
 * grouped by, or a word of the selection is none. */
enum p11prof_status p11prof_scan_runs(struct p11prof_scan *scan, struct sqlite3 *db,
                                      const int64_t *run_ids, size_t run_count,
                                      struct p11prof_error *error);

void p11prof_scan_clear(struct p11prof_scan *scan);

#endif
