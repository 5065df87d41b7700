/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The results of a bench run: one row a load, from the operations of its measured part.
 *
 * count: all that completed, the most that the database or the threads themselves counted.
 * error_count: failed ones, the most that either counted (the database does not tell those of a
 * decryption), and wrong results. ops_per_s: successes by the time of the slices; operations of a
 * slice that did not end are left out. bytes_per_s: data_bytes of those. Percentiles are of the
 * operations that did not fail. What another tool measured has its own figures where there is
 * nothing of that. A selection leaves out loads that have none of it. Starts as {0}. One thread. */
#ifndef P11PROF_REPORT_BENCH_RESULTS_H
#define P11PROF_REPORT_BENCH_RESULTS_H

#include "scan.h"
#include "table.h"

struct p11prof_bench_results {
    struct p11prof_table loads;   /* P11PROF_RESULT_COLUMNS, in the order of `load` */
    struct p11prof_table threads; /* P11PROF_THREAD_COLUMNS, of all loads */
    struct p11prof_table suites;  /* P11PROF_SUITE_COLUMNS, tests of suites in their order */
    struct p11prof_table skipped; /* test, reason, run_id */
};

/* thread is from 1 through all processes of its load. */
#define P11PROF_THREAD_COLUMNS "run_id load thread count ops_per_s mean_ns p99_ns"

#define P11PROF_SUITE_COLUMNS "run_id suite count error_count ops_per_s duration_ns total_ns"

/* The grouping that scan->loads needs. */
extern const struct p11prof_grouping p11prof_load_grouping;

/* Adds the results of one of the scan's runs; a run without loads has none. */
enum p11prof_status p11prof_bench_results_load(struct p11prof_bench_results *out,
                                               const struct p11prof_scan *scan, struct sqlite3 *db,
                                               int64_t run_id, struct p11prof_error *error);
void p11prof_bench_results_clear(struct p11prof_bench_results *results);

/* What the database says of a load's measured part, and what its threads counted themselves. */
struct p11prof_load_counts {
    uint64_t count, error_count;                      /* in the database */
    uint64_t thread_count, failed_count, wrong_count; /* of the threads; failed without wrong */
};

/* The results' count and error_count. */
uint64_t p11prof_load_count(const struct p11prof_load_counts *counts);
uint64_t p11prof_load_error_count(const struct p11prof_load_counts *counts);

/* The word for a contention: "low" below 5 %, "moderate" below 20 %, "high". */
const char *p11prof_contention_word(double contention);

#endif
