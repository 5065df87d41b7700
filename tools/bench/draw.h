/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Random numbers that a seed repeats everywhere, and drawing by weight. Nothing is allocated. */
#ifndef P11PROF_BENCH_DRAW_H
#define P11PROF_BENCH_DRAW_H

#include <stdint.h>

/* The next number of a generator. */
uint64_t draw_next(uint64_t *state);

/* The generator of a thread of a process for one phase: each has its own sequence. */
uint64_t draw_seed(uint64_t seed, unsigned process, unsigned thread, unsigned phase);

/* Sets limits[i] so that draw_choose() says i with a probability of weights[i] by their sum. */
void draw_limits(uint64_t *limits, const double *weights, unsigned count);

/* Draws one of `count`. */
unsigned draw_choose(uint64_t *state, const uint64_t *limits, unsigned count);

#endif
