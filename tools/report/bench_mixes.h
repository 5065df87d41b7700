/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Mixes among the results of a bench: loads that took turns in the same slices. */
#ifndef P11PROF_REPORT_BENCH_MIXES_H
#define P11PROF_REPORT_BENCH_MIXES_H

#include "bench_results.h"

/* Whether a row of loads is of no mix. */
bool p11prof_load_is_alone(const struct p11prof_table *loads, size_t row);

/* Whether two rows of loads are operations of one mix. */
bool p11prof_same_mix(const struct p11prof_table *loads, size_t a, size_t b);

/* Whether a row is the first one of a mix. */
bool p11prof_mix_begins(const struct p11prof_table *loads, size_t row);

/* Sets count_share, time_share and contention of all rows of mixes. Threads of a mix draw how many
 * operations of each kind they do: the contention is of all of them. */
void p11prof_mixes_complete(const struct p11prof_bench_results *results);

/* What each thread of a mix did of all its operations: thread, count, ops_per_s. row: any
 * of the mix. The caller clears the table. */
void p11prof_mix_threads(struct p11prof_table *out, const struct p11prof_bench_results *results,
                         size_t row);

#endif
