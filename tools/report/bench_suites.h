/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Tests of a suite among the results of a bench: loads that are steps, one after the other. */
#ifndef P11PROF_REPORT_BENCH_SUITES_H
#define P11PROF_REPORT_BENCH_SUITES_H

#include "bench_results.h"
#include "page.h"

/* Whether a row of loads is a step of a suite. */
bool p11prof_load_is_step(const struct p11prof_table *loads, size_t row);

/* Adds the tests of a run's suite to out->suites, from the rows of out->loads: counts and time in
 * the module are sums, the rate is of the time of all slices. */
enum p11prof_status p11prof_bench_suites_load(struct p11prof_bench_results *out, struct sqlite3 *db,
                                              int64_t run_id, struct p11prof_error *error);

/* A section for each, with its steps and what they come to. */
void p11prof_bench_suites_page(struct p11prof_page *page,
                               const struct p11prof_bench_results *results);

#endif
