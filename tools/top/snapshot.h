/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What is counted of the runs of live processes at one moment: from the sums and histograms that
 * the database keeps, whatever the number of calls, and from the live spools. One thread. */
#ifndef P11PROF_TOP_SNAPSHOT_H
#define P11PROF_TOP_SNAPSHOT_H

#include "database.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sqlite3;

/* A group of calls of one function in a run, since the run began. */
struct top_group {
    int64_t group_id, run_id;
    unsigned function;
    bool is_call; /* of kind call: its durations are those of percentiles */
    uint64_t count, error_count;
    uint64_t total_ns; /* in the module */
    struct top_bucket {
        uint64_t low_ns, count;
    } * buckets; /* by low_ns */
    size_t bucket_count, bucket_capacity;
};

/* A live process. */
struct top_process {
    int64_t run_id; /* -1: nothing of it is in the database yet */
    int32_t pid;
    char program[64];
    uint64_t call_count, lost_count; /* in the database so far */
    int64_t first_wall_ns;           /* when it began; 0: unknown */
    bool keeps_calls;                /* drain=exit: they come when it ends */
};

/* A call that has not returned. */
struct top_call {
    int32_t pid;
    unsigned function;
    uint64_t age_ns;
};

struct top_run {
    int64_t run_id, start_wall_ns;
    bool live; /* has a live process */
};

/* Starts as {0}. */
struct top_snapshot {
    int64_t wall_ns;      /* CLOCK_REALTIME when it was taken */
    int64_t monotonic_ns; /* CLOCK_MONOTONIC of the same */
    struct top_run *runs; /* of live processes now or in the snapshot before, and what began in the
                             last minute */
    size_t run_count, run_capacity;
    struct top_group *groups; /* by group_id */
    size_t group_count, group_capacity;
    struct top_process *processes;
    size_t process_count, process_capacity;
    struct top_call *calls;
    size_t call_count, call_capacity;
};

/* Takes one. before: runs that it had are looked at too, so that what came of a process's end is
 * not missed; NULL: there is none. run_ids: only these; count 0: all. */
enum p11prof_status top_snapshot_take(struct top_snapshot *out,
                                      const struct p11prof_database *database,
                                      const struct top_snapshot *before, const int64_t *run_ids,
                                      size_t run_count, struct p11prof_error *error);
void top_snapshot_clear(struct top_snapshot *snapshot);

#endif
