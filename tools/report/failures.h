/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What did not return CKR_OK in a run: by function and CK_RV, and by more if asked for. From rows
 * where they are all there, else from the sums that are kept with them. One thread. */
#ifndef P11PROF_REPORT_FAILURES_H
#define P11PROF_REPORT_FAILURES_H

#include "p11prof/error.h"
#include "page.h"
#include "selection.h"
#include "table.h"

struct sqlite3;

struct p11prof_failure_options {
    struct p11prof_selection selection;
    struct p11prof_grouping by; /* besides function and rv */
};

/* Starts as {0}. */
struct p11prof_failures {
    struct p11prof_table rows; /* failures first, then what is benign, then what is undisclosed;
                                  each by count */
    uint64_t call_count;       /* calls that are selected, whatever they returned */
    uint64_t failed_count, benign_count, undisclosed_count;
    uint64_t lost_count;    /* calls of the run that were counted only */
    uint64_t missing_count; /* calls of the run whose rows are gone, and that are not here */
    bool from_rows;         /* percentiles and times are known */
};

/* P11PROF_BAD_INPUT if a word of the selection is none, if nothing is selected, or if only rows
 * could tell and they are gone. */
enum p11prof_status p11prof_failures_load(struct p11prof_failures *out, struct sqlite3 *db,
                                          int64_t run_id,
                                          const struct p11prof_failure_options *options,
                                          struct p11prof_error *error);
void p11prof_failures_clear(struct p11prof_failures *failures);

/* As a page: text or Markdown. */
enum p11prof_status p11prof_failures_page(struct p11prof_page *page,
                                          const struct p11prof_failures *failures,
                                          struct sqlite3 *db, int64_t run_id,
                                          const struct p11prof_failure_options *options,
                                          struct p11prof_error *error);

#endif
