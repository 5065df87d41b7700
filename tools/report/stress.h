/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What became of a load while it was under stress: whether its last tenth is slower than its first
 * one, and what moved with that. One thread. */
#ifndef P11PROF_REPORT_STRESS_H
#define P11PROF_REPORT_STRESS_H

#include "p11prof/error.h"
#include "page.h"

struct sqlite3;

/* Rows of view intervals. */
#define P11PROF_INTERVAL_COLUMNS                                                                   \
    "run_id load test interval start_ns duration_ns until_ns measured_ns count error_count "       \
    "ops_per_s p50_ns p99_ns cpu_share steal_share temperature_celsius frequency_hz rss_bytes "    \
    "session_count"

/* One row a load that has intervals. effect: time of an operation in the last tenth of its slices
 * against the first one, less 1, with its 95 % interval as comparisons make it; reason: why it is
 * unknown. The changes are those of the last tenth of the intervals against the first one;
 * rss_growth_bytes: unknown where memory did not grow all the time. */
#define P11PROF_STRESS_COLUMNS                                                                     \
    "run_id load test count error_count until_ns first_ops_per_s last_ops_per_s effect "           \
    "effect_low effect_high reason temperature_change_celsius frequency_change rss_growth_bytes"

struct p11prof_stress {
    struct p11prof_table intervals; /* P11PROF_INTERVAL_COLUMNS, in the order of time */
    struct p11prof_table findings;  /* P11PROF_STRESS_COLUMNS */
};

/* Adds those of a run; one without intervals has none. Starts as {0}. */
enum p11prof_status p11prof_stress_load(struct p11prof_stress *out, struct sqlite3 *db,
                                        int64_t run_id, struct p11prof_error *error);
void p11prof_stress_clear(struct p11prof_stress *stress);

/* On a page: the intervals, unless they stand elsewhere, and what was found, as sentences. */
void p11prof_stress_page(struct p11prof_page *page, const struct p11prof_stress *stress,
                         bool intervals);

#endif
