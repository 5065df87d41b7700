/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Windows of time of a load, or of a group of calls, with their histograms. */
#ifndef P11PROF_REPORT_WINDOW_READ_H
#define P11PROF_REPORT_WINDOW_READ_H

#include "buckets.h"
#include "p11prof/error.h"

#include <stdint.h>
#include <stdio.h>

struct sqlite3;

struct p11prof_window_row {
    uint64_t start_ns, duration_ns;      /* since the run's start */
    uint64_t count, error_count;         /* completed; failed ones of them */
    uint64_t sum_ns;                     /* of those that did not fail */
    char load_average[24], steal_ns[24]; /* as JSON */
    struct p11prof_buckets buckets;      /* of those that did not fail */
};

/* In SQL: whether the run (its kind, its id) is of an application, or of a script that was played
 * like one. A bench has loads. */
#define P11PROF_IS_APPLICATION(kind, id)                                                           \
    "(" kind " = 'profile' OR NOT EXISTS (SELECT 1 FROM bench_load AS of WHERE of.run = " id "))"

typedef void p11prof_window_take(void *payload, const struct p11prof_window_row *window);

/* Calls `take` for each measured slice of a load of a bench. */
enum p11prof_status p11prof_slices_read(struct sqlite3 *db, int64_t run_id, int64_t load,
                                        p11prof_window_take *take, void *payload,
                                        struct p11prof_error *error);

/* Which groups of calls or operations: numbers of table call_group, -1 where it says unknown. */
#define P11PROF_WINDOW_ANY INT64_MIN
struct p11prof_window_groups {
    int64_t is_operation;
    int64_t code, kind, mechanism, key_type, key_bits; /* P11PROF_WINDOW_ANY: not told apart */
};

/* Calls it for each window of groups of a profile; a bench of tests has none. */
enum p11prof_status p11prof_group_windows_read(struct sqlite3 *db, int64_t run_id,
                                               const struct p11prof_window_groups *groups,
                                               p11prof_window_take *take, void *payload,
                                               struct p11prof_error *error);

/* Writes one as an object of the array `windows` of a document. run_id: -1 where the row says it.
 */
void p11prof_window_write(FILE *stream, const struct p11prof_window_row *window, int64_t run_id);

#endif
