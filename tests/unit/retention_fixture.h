/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Databases with something in each table, for the tests of prune, delete and merge. Rows, windows,
 * groups and errors are of the same calls. */
#ifndef P11PROF_RETENTION_FIXTURE_H
#define P11PROF_RETENTION_FIXTURE_H

#include "store_fixture.h"

/* When runs start: 2023-11-14T22:13:20.123Z, the start of fixture_header(). */
#define RETENTION_START_NS INT64_C(1700000000123000000)

/* Calls of one batch: C_Sign (each fifth one fails), C_GetInfo and C_Decrypt (undisclosed) in
 * turns, on two threads, each pair of neighbours in reverse order. */
struct retention_calls {
    uint8_t run, process, spool; /* numbers that its ids are made of */
    uint64_t first_ns, step_ns;  /* since the run's start */
    unsigned count;
    bool last; /* its process ends */
};

/* Writes them as the spool's next batch, with a session, callers, a token, … */
void retention_write(struct p11prof_store *store, const struct retention_calls *calls);

/* A bench run of that number, with loads, slices, threads and a skipped test; *id is set. */
void retention_write_bench(struct p11prof_store *store, uint8_t run, int64_t *id);

/* All rows of all tables but meta and names, as text, in the order of their keys; of every table in
 * the database. The caller frees it. */
char *retention_dump(struct p11prof_store *store);

/* What a table has in that dump, is not nothing. */
void retention_expect_filled(struct p11prof_store *store);

/* Integrity, references, and that segments have a row for each id. */
void retention_expect_sound(struct p11prof_store *store);

/* What the query says, as rows of text. The caller frees it. */
char *retention_rows(struct p11prof_store *store, const char *sql);

/* Fails the test, and says where they differ, unless both are the same. Frees both. */
void retention_expect_same(char *expected, char *found);

#endif
