/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Changes of a database in short transactions, for the files of this folder: applications that
 * record into it wait for the same lock, so it is held for a moment only and let go in between. */
#ifndef P11PROF_RETENTION_CHANGE_H
#define P11PROF_RETENTION_CHANGE_H

#include "p11prof/store.h"

#include <stdbool.h>
#include <stdint.h>

struct sqlite3;
struct sqlite3_stmt;

/* A list of values and its length, as two arguments. */
#define P11PROF_NUMBERS(...)                                                                       \
    (const int64_t[]){__VA_ARGS__}, sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t)

/* Runs a statement with values[n] for ?n+1. *changes (may be NULL): rows that it changed. */
enum p11prof_status p11prof_change(struct sqlite3 *db, const char *sql, const int64_t *values,
                                   size_t value_count, uint64_t *changes,
                                   struct p11prof_error *error);

/* The same of a statement that stays prepared; resets it. */
enum p11prof_status p11prof_change_again(struct sqlite3_stmt *statement, const int64_t *values,
                                         size_t value_count, struct p11prof_error *error);

/* Reads the first row of a query into column_count integers, NULL as 0. *found is false if there is
 * none. */
enum p11prof_status p11prof_look(struct sqlite3 *db, const char *sql, const int64_t *values,
                                 size_t value_count, int64_t *columns, int column_count,
                                 bool *found, struct p11prof_error *error);

/* "column = column + more", which stops at 2^63 - 1 as all sums of a database do. */
#define P11PROF_CHANGE_ADD(column)                                                                 \
    column " = min(9223372036854775807, " column " + excluded." column ")"

/* How the sums of a group or window grow, behind "DO UPDATE SET". */
extern const char p11prof_change_sums[];

/* Transactions one after another, each a short one. Starts with only its store. */
struct p11prof_turns {
    struct p11prof_store *store;
    uint64_t start_ns; /* private */
    bool open;         /* private */
};

/* Before each piece of work, which should take a few ms: begins a transaction, or commits one that
 * has been open for 100 ms, lets others write, and begins the next. P11PROF_BUSY after 5 s of
 * others' writing. */
enum p11prof_status p11prof_turns_next(struct p11prof_turns *turns, struct p11prof_error *error);

/* Commits what is open if `status` is P11PROF_OK, else rolls it back. Returns `status`, or why the
 * commit failed. */
enum p11prof_status p11prof_turns_end(struct p11prof_turns *turns, enum p11prof_status status,
                                      struct p11prof_error *error);

#endif
