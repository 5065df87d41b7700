/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The threads of a load, for bench_results.c only. */
#ifndef P11PROF_REPORT_BENCH_THREADS_H
#define P11PROF_REPORT_BENCH_THREADS_H

#include "scan.h"
#include "table.h"

struct p11prof_bench_threads {
    uint64_t count, failed_count, wrong_count; /* of all */
    bool contention_known;                     /* two threads or more that did something */
    double contention;                         /* (fastest - slowest) / mean of their rates */
};

/* Whether a group of scan->loads is of that part and operation. */
bool p11prof_load_group_is(const struct p11prof_tally *tally,
                           const struct p11prof_tally_group *group, int64_t part,
                           int64_t operation);

/* Adds the load's rows to a table with P11PROF_THREAD_COLUMNS. Starts as {0}. */
enum p11prof_status p11prof_bench_threads_load(struct p11prof_bench_threads *out,
                                               struct p11prof_table *table,
                                               const struct p11prof_scan *scan, int64_t load,
                                               int64_t operation, struct sqlite3 *db,
                                               struct p11prof_error *error);

#endif
