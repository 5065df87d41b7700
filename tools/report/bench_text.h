/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The results of a bench run on a page. */
#ifndef P11PROF_REPORT_BENCH_TEXT_H
#define P11PROF_REPORT_BENCH_TEXT_H

#include "bench_results.h"
#include "page.h"

/* What was wrong, the table of loads, their threads, what sizes of data cost, what was skipped.
 * Nothing for a run without loads that skipped nothing. */
void p11prof_bench_page(struct p11prof_page *page, const struct p11prof_bench_results *results);

/* Names of columns of a table of loads: `first`, the test, what is needed, and between it `counts`
 * and `durations`. */
enum { P11PROF_BENCH_NAMES_BYTES = 320 };
void p11prof_bench_columns(char names[P11PROF_BENCH_NAMES_BYTES], const struct p11prof_table *loads,
                           const char *first, const char *counts, const char *durations);

/* Test and what tells it from the other loads of the test, as a sentence goes on with it. */
void p11prof_bench_describe(char *out, size_t out_bytes, const struct p11prof_table *loads,
                            size_t row);

#endif
