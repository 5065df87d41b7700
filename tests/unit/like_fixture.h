/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Recorded runs for tests of scripts, call by call. */
#ifndef P11PROF_LIKE_FIXTURE_H
#define P11PROF_LIKE_FIXTURE_H

#include "store_fixture.h"

#include "bench/like/script.h"

enum { ROWS_MOST = 1 << 17 };

/* Setup and teardown: an empty database with run 1. */
int like_setup(void **state);
int like_teardown(void **state);

/* The next call of a thread: starts `think_ns` after the thread's last one ended and takes 100 ns.
 * The row is there until like_write(): more can be set in it. */
struct p11prof_row *like_row(uint32_t thread, unsigned function, uint64_t think_ns);

/* The same with a session, mechanism, object and CKR_OK; -1: none. */
struct p11prof_row *like_call_row(uint32_t thread, unsigned function, int64_t session,
                                  int64_t mechanism, int64_t key_id);

/* Writes the rows so far as those of a process, from 1. */
void like_write(uint8_t process);

/* The script of run 1, or fails the test with the reason. The caller clears it. */
struct like_script like_made(void);

/* Fails the test unless there is none, and the reason has `text` in it. */
void like_refused(const char *text);

/* Fails the test unless the script plays what the database has, call by call of each function, but
 * what it left out. */
void like_counts_match(const struct like_script *script);

/* The n-th call, from 0, of a thread of the first process; fails the test if there is none. */
const struct like_call *like_nth(const struct like_script *script, size_t thread, size_t n);

/* Equal or not, to the last member. */
bool like_same(const struct like_script *one, const struct like_script *other);

#endif
