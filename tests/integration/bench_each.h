/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Each test of the catalogue that a token can do: with its key, a job, and what both may leave.
 * Failures are cmocka assertions. */
#ifndef P11PROF_TESTS_BENCH_EACH_H
#define P11PROF_TESTS_BENCH_EACH_H

#include "bench_job.h"

/* What is done with a test of the catalogue. */
struct bench {
    const struct p11prof_bench_test *test;
    struct p11prof_bench_key key;
    struct p11prof_bench_job job;
    CK_ULONG closed_objects;    /* before the job was opened */
    CK_ULONG objects, sessions; /* after it was */
};

/* The token of the program, and a session that is logged in. */
extern struct bench_token bench_token;
extern CK_SESSION_HANDLE bench_key_session;

/* Of the group of tests; bench_token is there already. */
int bench_each_set_up(void **state);
int bench_each_tear_down(void **state);

/* Whether the token can do the test; whether it takes too long to be done more than once. */
bool bench_is_there(const struct p11prof_bench_test *test);
bool bench_is_slow(const struct p11prof_bench_test *test);

void bench_key_make(struct bench *bench, const struct p11prof_bench_test *test);

/* Makes the key and opens the job, whose `raw` is the real list. */
void bench_open(struct bench *bench, const struct p11prof_bench_test *test,
                CK_FUNCTION_LIST *timed);
void bench_close(struct bench *bench);

/* After an iteration: nothing may be left. */
void bench_clean_up(struct bench *bench);

/* An iteration with a right result. */
void bench_iterate_well(struct bench *bench);

/* Calls `body` with each test that the token can do, but for those that are alone in a process. */
void bench_for_one(const struct p11prof_bench_test *test,
                   void (*body)(const struct p11prof_bench_test *test));
void bench_for_each(void (*body)(const struct p11prof_bench_test *test), bool with_slow);

/* With those. They take the keys of all others. */
void bench_for_alone(void (*body)(const struct p11prof_bench_test *test));

#endif
