/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What all recordings of a database come to, by series. Only runs that changed are read, and of
 * those that are not over it is known what they added. One thread. */
#ifndef P11PROF_EXPORTER_SUMS_H
#define P11PROF_EXPORTER_SUMS_H

#include "series.h"

#include "p11prof/error.h"

struct sqlite3;

/* Of runs of one kind and state. */
struct exporter_run_count {
    const char *kind, *state;
    uint64_t count;
};

/* A part of a run: what it adds to a series. */
struct exporter_part {
    int64_t group_id; /* 0: of no group */
    struct exporter_series *series;
    struct exporter_values values;
};

struct exporter_run {
    int64_t run_id;
    const char *kind, *state;
    bool settled; /* it is over: its parts are forgotten */
    bool read;    /* as it is now */
    /* What moves whenever something of the run changes. */
    struct exporter_signature {
        int64_t batch_count, spool_count, ended_count, end_wall_ns;
    } signature;
    struct exporter_part *parts;
    size_t part_count, part_capacity;
};

/* Starts with the first three members of its book set. */
struct exporter_sums {
    struct exporter_book book;
    struct exporter_run *runs; /* by run_id */
    size_t run_count, run_capacity;
    int64_t data_version; /* of the connection; 0: nothing is read */
};

/* Takes what the database has now. After a failure the series are not to be shown, but what was
 * read is kept, and the next refresh goes on from there. */
enum p11prof_status exporter_sums_refresh(struct exporter_sums *sums, struct sqlite3 *db,
                                          struct p11prof_error *error);

/* Calls `visit` for each kind and state that runs have. */
void exporter_run_counts_visit(const struct exporter_sums *sums,
                               void (*visit)(void *payload, const struct exporter_run_count *count),
                               void *payload);

/* Forgets all of a database: the next refresh may be of another one. */
void exporter_sums_clear(struct exporter_sums *sums);

#endif
