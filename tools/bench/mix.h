/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* A mix of operations: what --mix says, and the tests that it means. */
#ifndef P11PROF_BENCH_MIX_H
#define P11PROF_BENCH_MIX_H

#include "p11prof/error.h"

enum { BENCH_MIX_MOST = 16 };

struct bench_mix {
    unsigned count;                    /* 0: there is none */
    double weights[BENCH_MIX_MOST];    /* add up to 1 */
    const char *words[BENCH_MIX_MOST]; /* of --test: each names one test. In `text` */
    char *text;                        /* owned */
};

/* Reads "sign:50%,verify:30%,encrypt:20%": percentages add up to 100 ± 0.5; or "sign:5,verify:3":
 * weights. P11PROF_BAD_INPUT says what is wrong; *out is then {0}. */
enum p11prof_status bench_mix_read(struct bench_mix *out, const char *text,
                                   struct p11prof_error *error);
void bench_mix_clear(struct bench_mix *mix);

/* The tests of a mix, in its order; as p11prof_bench_select() otherwise. P11PROF_BAD_INPUT: a word
 * means none, several or one that the mix has already, or a test that needs the token for itself.
 */
struct p11prof_bench_selection;
struct p11prof_bench_own_key;
enum p11prof_status bench_mix_select(struct p11prof_bench_selection *out,
                                     const struct bench_mix *mix,
                                     const struct p11prof_bench_own_key *own_key,
                                     struct p11prof_error *error);

#endif
