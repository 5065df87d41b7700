/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What the benchmarks share: a folder of their own, modules loaded through every recorder,
 * quantiles. Every failure ends the program with a message. */
#ifndef P11PROF_TESTS_BENCH_H
#define P11PROF_TESTS_BENCH_H

#include "p11prof/record.h"
#include "p11prof/spool.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct bench_place {
    char folder[64]; /* 0700, in $TMPDIR */
    char db[128];
    char spool[128];
    unsigned shim_count;
};

void bench_place_make(struct bench_place *place);
void bench_place_remove(struct bench_place *place);

uint64_t bench_now_ns(void);
void bench_sleep_ms(unsigned milliseconds);

/* The q-quantile (0 … 1) of `count` values, which are sorted by this. */
double bench_quantile(double *values, size_t count, double q);

CK_FUNCTION_LIST *bench_load(const char *path);

/* A copy of the shim with a .conf of its own: clock and drain as the settings spell them. */
CK_FUNCTION_LIST *bench_shim(struct bench_place *place, const char *shim, const char *module,
                             const char *clock, const char *drain);

CK_FUNCTION_LIST *bench_spy(const char *spy, const char *module);

/* NULL where p11-kit cannot be given a configuration of our own. */
CK_FUNCTION_LIST *bench_log_calls(struct bench_place *place, const char *module);

/* The number that a query of the database returns; 0 without one. */
uint64_t bench_sum(const struct bench_place *place, const char *query);
/* Calls that it counts as lost. */
uint64_t bench_lost(const struct bench_place *place);

/* collect.c: takes what waits in the spools into the database; how many calls that were. */
uint64_t bench_collect(const struct bench_place *place);

#endif
