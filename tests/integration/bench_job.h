/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Jobs of the load tool on the token of a test. */
#ifndef P11PROF_TESTS_BENCH_JOB_H
#define P11PROF_TESTS_BENCH_JOB_H

#include "bench/test.h"
#include "bench_token.h"

/* The test of that id; a failed assertion if there is none. */
const struct p11prof_bench_test *bench_test_of(const char *id);

/* Opens a job in a session of its own, with the test's data size and the user's PIN. */
CK_RV bench_job_open(struct p11prof_bench_job *job, const struct bench_token *token,
                     const struct p11prof_bench_test *test, const struct p11prof_bench_key *key,
                     CK_FUNCTION_LIST *timed, CK_FUNCTION_LIST *raw, struct p11prof_error *error);
void bench_job_close(struct p11prof_bench_job *job);

/* An iteration without check and cleaning up; its answer. */
CK_RV bench_job_iterate(struct p11prof_bench_job *job);
bool bench_job_right(struct p11prof_bench_job *job);
void bench_job_clean_up(struct p11prof_bench_job *job);

#endif
