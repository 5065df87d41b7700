/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The rows of calls of one process, in the order of their ends. */
#ifndef P11PROF_BENCH_LIKE_ROWS_H
#define P11PROF_BENCH_LIKE_ROWS_H

#include "p11prof/error.h"

#include <stdbool.h>
#include <stdint.h>

struct sqlite3;
struct sqlite3_stmt;

/* Columns of a call; LIKE_UNKNOWN where the row does not say. */
struct like_row {
    int64_t start_ns, duration_ns;
    int64_t function, kind, flags, thread_id;
    int64_t rv; /* CKR_OK where it may not be told */
    int64_t session, mechanism, key_type, key_bits, key_id;
    int64_t in_bytes, out_bytes, slot_id, item_count, detail;
};

enum p11prof_status like_rows_open(struct sqlite3_stmt **out, struct sqlite3 *db, int64_t run_id,
                                   int64_t process_id, struct p11prof_error *error);

/* Runs `take` for each of them; finalizes the statement. False ends it, with *error set. */
enum p11prof_status like_rows_each(struct sqlite3_stmt *rows,
                                   bool (*take)(void *payload, const struct like_row *row),
                                   void *payload, struct p11prof_error *error);

#endif
