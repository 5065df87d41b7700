/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* A folder of its own for each test, and what the store's tests write. */
#ifndef P11PROF_STORE_FIXTURE_H
#define P11PROF_STORE_FIXTURE_H

#include "p11prof/histogram.h"
#include "p11prof/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <sqlite3.h>

/* Setup and teardown: makes and removes the folder `fixture_folder`. */
extern char fixture_folder[];
int fixture_setup(void **state);
int fixture_teardown(void **state);

/* The same, with an open database and the header of a spool. */
extern struct p11prof_store *fixture_store;
extern struct p11prof_spool_header *fixture_spool;
int fixture_store_setup(void **state);
int fixture_store_teardown(void **state);

/* A path in the folder; valid until the fourth call from now. */
const char *fixture_path(const char *name);

/* A spool's header: process and spool are numbers, run 1. The caller frees it. */
struct p11prof_spool_header *fixture_header(uint8_t process, uint8_t spool);

/* Opens, or fails the test with the reason. */
struct p11prof_store *fixture_open(const char *path, unsigned flags);

/* Writes one batch of a spool in a transaction of its own, or fails the test. */
void fixture_write(struct p11prof_store *store, const struct p11prof_spool_header *header,
                   const struct p11prof_batch *batch);

/* A group with the storage of its histogram. */
struct fixture_group {
    struct p11prof_group group;
    uint32_t counts[P11PROF_OCTAVES][P11PROF_OCTAVE_BUCKETS];
};
/* Zeroes it: calls of `function`, everything else unknown, the window [start, start + 1 s). */
void fixture_group_init(struct fixture_group *group, uint16_t function, uint64_t start_ns);
/* Adds one call that succeeded. */
void fixture_group_add(struct fixture_group *group, uint64_t duration_ns);

/* The one integer, or text, that a query of a database returns. Texts are valid until the next
 * call; "" is NULL. */
int64_t fixture_integer(struct p11prof_store *store, const char *sql);
const char *fixture_text(struct p11prof_store *store, const char *sql);

/* Fails the test unless the query of fixture_store returns that text. */
void fixture_expect(const char *sql, const char *text);

/* Fails the test unless opening says that status and "<path>: … text". */
void fixture_refused(const char *path, unsigned flags, enum p11prof_status status,
                     const char *text);

/* How many files of the folder have `part` in their names. */
int fixture_files_with(const char *part);

#endif
