/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* --vs: two runs of the same tests that take turns, slice by slice. Each has workers of its own;
 * those of one wait while those of the other work. The slices of a pair follow each other at once,
 * and which comes first changes from pair to pair: what the machine does meanwhile falls on both.
 */
#ifndef P11PROF_BENCH_VERSUS_H
#define P11PROF_BENCH_VERSUS_H

#include "../report/paired.h"
#include "run.h"

enum { VERSUS_BASE, VERSUS_CURRENT, VERSUS_SIDES };

/* A load, of both sides. */
struct versus_load {
    struct p11prof_pair *pairs;
    size_t pair_count, pair_capacity;
};

struct versus {
    struct bench_settings settings[VERSUS_SIDES];
    char names[VERSUS_SIDES][256]; /* of the runs */
    struct bench_run sides[VERSUS_SIDES];
    struct progress progress;
    struct versus_load *loads; /* as many as each schedule has */
};

/* What the options mean for the second side, given the token of the first one. Strings are
 * borrowed from both. */
void versus_settings(struct bench_settings *out, const struct bench_settings *settings,
                     const struct p11prof_bench_target *base);

/* All of it: measures and prints. run: what both sides have of the command; current, target: the
 * second side. Returns the exit code. */
int versus_run(const struct bench_run *run, const struct bench_settings *current,
               const struct p11prof_bench_target *target);

/* --- versus_pairs.c --- */

/* Whether a signal or the end of a worker ended one side; then it ended both. */
bool versus_ended(struct versus *versus);

/* Runs the pairs that were cut last. Returns 0 or an exit code. */
int versus_pairs_run(struct versus *versus);

/* --- versus_output.c --- */

/* The results, to stdout or --output. *regressed: some test is slower. Returns 0 or an exit code.
 */
int versus_output(const struct versus *versus, bool *regressed);

/* How long it takes, to stderr. */
void versus_estimate(const struct versus *versus);

#endif
