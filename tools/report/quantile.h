/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Quantiles by the inverse of the empirical distribution: the ceil(n * p)-th smallest value
 * (Hyndman-Fan type 1, R type = 1), always one that occurred. Probabilities are parts per million:
 * ranks are exact integers. Pure functions. */
#ifndef P11PROF_REPORT_QUANTILE_H
#define P11PROF_REPORT_QUANTILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { P11PROF_MILLION = 1000000 };

/* The quantiles of every report. */
enum p11prof_quantile {
    P11PROF_P50,
    P11PROF_P90,
    P11PROF_P95,
    P11PROF_P99,
    P11PROF_P999,
    P11PROF_QUANTILES
};
extern const uint32_t p11prof_quantile_millionths[P11PROF_QUANTILES];

/* Rank of the quantile among n values, 1 to n; 0 if n is 0. */
uint64_t p11prof_quantile_rank(uint64_t n, uint32_t millionths);

/* Whether n values have 10 or more beyond the quantile; fewer make it a matter of luck. */
bool p11prof_quantile_supported(uint64_t n, uint32_t millionths);

/* The rank-th smallest (1 to count) for each of `rank_count` ascending ranks. Reorders values. */
void p11prof_select(uint64_t *values, size_t count, const uint64_t *ranks, size_t rank_count,
                    uint64_t *out);

#endif
