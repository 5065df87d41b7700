/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What a bench prints: the list of tests, the plan, the results. */
#ifndef P11PROF_BENCH_OUTPUT_H
#define P11PROF_BENCH_OUTPUT_H

#include "run.h"

/* Whether --output can be written; 0, or an exit code after it said why not. */
int output_check(const struct bench_settings *settings);

/* All tests and whether this token can be given each, to stdout or --output. Returns an exit code.
 */
int output_tests(struct bench_run *run);

/* What would be run, and how long it takes. Returns an exit code. */
int output_plan(struct bench_run *run);

/* How long the run takes, to stderr. */
void output_estimate(const struct bench_run *run);

/* The results of runs in a database, to stdout or --output, which is replaced in one step. Returns
 * 0, or an exit code if they cannot be written. */
int output_results(const struct bench_settings *settings, const char *db, const int64_t *run_ids,
                   size_t count);

#endif
