/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Reads the rows of calls of runs, each once, in several threads where there are many. Rows are
 * only ever added to a database, or removed by a prune: each thread reads with a connection of its
 * own what the caller's snapshot says is there. */
#ifndef P11PROF_REPORT_ROW_SCAN_H
#define P11PROF_REPORT_ROW_SCAN_H

#include "p11prof/error.h"
#include "selection.h"

#include <stddef.h>
#include <stdint.h>

struct sqlite3;
struct sqlite3_stmt;

enum { P11PROF_SCAN_THREADS_MAX = 4 };

struct p11prof_row_scan {
    struct sqlite3 *db;
    const int64_t *run_ids;
    const struct p11prof_condition *conditions; /* of each run */
    size_t run_count;
    const char *columns; /* SQL; c is a call in segment s, ?1 the run, ?2 its start: dimensions.h */
    const char *where;   /* besides the conditions: "" or " AND …" */
    /* Makes functions that the SQL uses; NULL: none. SQLite's result code. */
    int (*prepare)(struct sqlite3 *connection, void *payload);
    /* Takes a row of run_ids[run]. */
    void (*take)(void *payload, size_t run, struct sqlite3_stmt *row);
};

/* How many rows the runs have. */
enum p11prof_status p11prof_row_scan_count(struct sqlite3 *db, const int64_t *run_ids,
                                           size_t run_count, uint64_t *out,
                                           struct p11prof_error *error);

/* How many threads that many rows deserve: 1 to P11PROF_SCAN_THREADS_MAX. */
size_t p11prof_row_scan_threads(uint64_t row_count);

/* Reads them in `thread_count` threads, each with its own payload and with an equal share of the
 * rows, in the order of their ids. Shows progress on a terminal after a second. */
enum p11prof_status p11prof_row_scan_run(const struct p11prof_row_scan *scan, void *const *payloads,
                                         size_t thread_count, struct p11prof_error *error);

#endif
