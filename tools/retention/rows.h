/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Removing the rows of calls of a run. Every id in the range of a segment has a row: readers take
 * the ranges for the number of rows. So what is removed is cut out of its segment, which is split
 * where rows on both sides stay. Counts, sums and histograms are no matter of this file. */
#ifndef P11PROF_RETENTION_ROWS_H
#define P11PROF_RETENTION_ROWS_H

#include "p11prof/store.h"

#include <stdbool.h>
#include <stdint.h>

struct p11prof_row_removal {
    struct p11prof_store *store;
    int64_t run_id;
    int64_t before_ns; /* of calls that began earlier, since the run's start; INT64_MAX: of all */
    bool dry_run;      /* only count them */
};

/* In transactions of its own, each a short one: what was removed before a failure stays removed,
 * and the next time removes the rest. The rows of a run of a baseline stay. *call_count grows by
 * the rows that were removed. */
enum p11prof_status p11prof_rows_remove(const struct p11prof_row_removal *removal,
                                        uint64_t *call_count, struct p11prof_error *error);

#endif
