/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Tests for the user's own key. */
#ifndef P11PROF_BENCH_FIT_H
#define P11PROF_BENCH_FIT_H

#include "test.h"

enum { P11PROF_BENCH_NAME_BYTES = 96 };

/* A test that the catalogue does not list. test.name points to name: not to be copied. */
struct p11prof_bench_made_test {
    struct p11prof_bench_test test;
    char name[P11PROF_BENCH_NAME_BYTES];
};

/* The row of the catalogue with the size of the key. False: no test of this kind fits the key. */
bool p11prof_bench_fit_make(struct p11prof_bench_made_test *out,
                            const struct p11prof_bench_test *row,
                            const struct p11prof_bench_own_key *key);

/* Whether the key is of the test's kind and size, whatever it may be used for. */
bool p11prof_bench_same_key(const struct p11prof_bench_test *test,
                            const struct p11prof_bench_own_key *key);

/* NULL, or which use of the key the test lacks: "CKA_SIGN". */
const char *p11prof_bench_use_missing(const struct p11prof_bench_test *test,
                                      const struct p11prof_bench_own_key *key);

#endif
