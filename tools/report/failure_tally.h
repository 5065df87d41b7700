/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Tallies of results by function, CK_RV and more: for failures.c only. */
#ifndef P11PROF_REPORT_FAILURE_TALLY_H
#define P11PROF_REPORT_FAILURE_TALLY_H

#include "p11prof/error.h"
#include "selection.h"
#include "tally.h"
#include "texts.h"

struct sqlite3;

/* When the first and the last call of a group began. */
struct p11prof_failure_span {
    int64_t first_ns, last_ns;
};

/* Starts as {0} with its grouping: function, rv, and more. */
struct p11prof_failure_tally {
    struct p11prof_tally tally;
    struct p11prof_failure_span *spans; /* of each group; NULL: not known */
    size_t span_capacity;
};
void p11prof_failure_tally_clear(struct p11prof_failure_tally *tally);

/* From rows: all that is selected and did not return CKR_OK. Texts are loaded. */
enum p11prof_status p11prof_failures_of_rows(struct p11prof_failure_tally *out, struct sqlite3 *db,
                                             int64_t run_id,
                                             const struct p11prof_selection *selection,
                                             const struct p11prof_texts *texts,
                                             struct p11prof_error *error);

/* From the sums that are kept by function and rv; the selection may filter these two only. */
enum p11prof_status p11prof_failures_of_sums(struct p11prof_failure_tally *out, struct sqlite3 *db,
                                             int64_t run_id,
                                             const struct p11prof_selection *selection,
                                             struct p11prof_error *error);

/* Counts all calls that are selected, whatever they returned: filters by rv are left out. Of
 * the groups of *out only `count` is set. */
enum p11prof_status p11prof_failures_all_calls(struct p11prof_tally *out, struct sqlite3 *db,
                                               int64_t run_id,
                                               const struct p11prof_selection *selection,
                                               const struct p11prof_texts *texts,
                                               struct p11prof_error *error);

#endif
