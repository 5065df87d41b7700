/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* --ramp and --slo: one load in steps that differ in threads, processes or rate, one after the
 * other. What was found is read from the database (report/ramp.h), while it goes on and at its
 * end. */
#ifndef P11PROF_BENCH_RAMP_H
#define P11PROF_BENCH_RAMP_H

#include "run.h"

/* --- ramp_series.c: pure --- */

/* Reads "threads=1..64", "processes=1,2,4", "rate=100/s..5000/s" into steps in ascending order.
 * A range of counts becomes 1 2 3 4 6 8 12 16 …, one of rates about a dozen steps of equal ratio.
 * P11PROF_BAD_INPUT: *error says what is wrong. */
enum p11prof_status ramp_read(struct bench_ramp *out, const char *text,
                              struct p11prof_error *error);

/* The number of so many digits that is nearest. */
double ramp_round(double value, unsigned digits);

/* --- ramp_refine.c: pure --- */

struct p11prof_ramp;

/* Whether the steps so far, of a range, say that those that follow would be of no use. */
bool ramp_is_over(const struct p11prof_ramp *ramp);

/* A value between two that were measured that makes the verdict more exact; 0: there is none. */
double ramp_refine(const struct p11prof_ramp *ramp);

/* --- ramp_run.c --- */

/* Keeps one of the tests that were selected, as stress_test_choose() does. */
int ramp_test_choose(const struct bench_settings *settings, struct p11prof_bench_selection *tests);

/* All loads of the steps that are planned: for --dry-run. */
void ramp_loads_make(struct bench_run *run);

/* All of it: measures and prints. Returns the exit code; 1 if no step keeps the objective. */
int ramp_run(struct bench_run *run);

#endif
