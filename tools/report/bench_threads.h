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

/* Which operations. */
struct p11prof_load_key {
    int64_t run_id, load, operation;
    int64_t part; /* of the load: p11prof/load.h */
};

/* Whether a group of scan->loads has the key's run, part and operation. */
bool p11prof_load_group_is(const struct p11prof_tally *tally,
                           const struct p11prof_tally_group *group,
                           const struct p11prof_load_key *key);

/* Adds the rows of the key's load to a table with P11PROF_THREAD_COLUMNS. Starts as {0}. */
enum p11prof_status p11prof_bench_threads_load(struct p11prof_bench_threads *out,
                                               struct p11prof_table *table,
                                               const struct p11prof_scan *scan,
                                               const struct p11prof_load_key *key,
                                               struct sqlite3 *db, struct p11prof_error *error);

#endif
