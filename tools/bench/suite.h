/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* A suite: tests of several operations, one after the other, as a file in TOML says. */
#ifndef P11PROF_BENCH_SUITE_H
#define P11PROF_BENCH_SUITE_H

#include "amounts.h"
#include "suite_toml.h"
#include "test.h"

enum { BENCH_STEPS_MOST = 1000, BENCH_KEY_LABEL_BYTES = 256, BENCH_SUITE_NAME_BYTES = 128 };

/* One operation. Texts are "" and numbers 0 where the file does not say. */
struct bench_step {
    char suite[BENCH_SUITE_NAME_BYTES]; /* name of its test */
    unsigned number;                    /* in its test, from 1 */
    struct suite_place place;
    char type[P11PROF_BENCH_ID_BYTES], algorithm[P11PROF_BENCH_ID_BYTES];
    char mechanism[P11PROF_BENCH_ID_BYTES];
    char key[BENCH_KEY_LABEL_BYTES];
    uint64_t data_bytes;
    unsigned threads;
    struct bench_amount measured;
    double rate;            /* operations/s that are to begin */
    uint64_t think_time_ns; /* between two operations of a thread */
};

/* Reads the text of a file; `path` is what messages call it. P11PROF_BAD_INPUT says
 * "FILE:LINE:COLUMN: what is wrong"; *out is then {0}. */
enum p11prof_status bench_suite_parse(struct bench_suite *out, const char *text, size_t bytes,
                                      const char *path, struct p11prof_error *error);
void bench_suite_clear(struct bench_suite *suite);

/* Sets *error to "FILE:LINE:COLUMN: problem" of a step and returns P11PROF_BAD_INPUT. */
__attribute__((format(printf, 4, 5))) enum p11prof_status bench_step_refuse(
    const struct bench_suite *suite, const struct bench_step *step, struct p11prof_error *error,
    const char *format, ...);

/* The test of a step: out->tests[0], with own_key that of the step's key, if it has one. The caller
 * frees out->tests. P11PROF_BAD_INPUT: there is none. */
enum p11prof_status bench_step_select(struct p11prof_bench_selection *out,
                                      const struct bench_suite *suite,
                                      const struct bench_step *step,
                                      const struct p11prof_bench_own_key *own_key,
                                      struct p11prof_error *error);

#endif
