/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Statistics of durations: exact from the durations themselves, or from a histogram and sums. Pure
 * functions but for the order of the durations. */
#ifndef P11PROF_REPORT_STATS_H
#define P11PROF_REPORT_STATS_H

#include "buckets.h"
#include "quantile.h"

struct p11prof_stats {
    uint64_t count; /* 0: all below is meaningless */
    uint64_t mean_ns, min_ns, max_ns;
    bool stddev_known;  /* two durations or more */
    uint64_t stddev_ns; /* of a sample: divided by count - 1 */
    uint64_t quantile_ns[P11PROF_QUANTILES];
    bool supported[P11PROF_QUANTILES];
};

/* Reorders `durations`. */
void p11prof_stats_exact(struct p11prof_stats *out, uint64_t *durations, size_t count);

/* What is known exactly of the durations in a histogram. */
struct p11prof_sums {
    uint64_t count, sum_ns, min_ns, max_ns;
    double sum_squares; /* ns² */
};

/* Adds the sums of others. */
void p11prof_sums_add(struct p11prof_sums *sums, const struct p11prof_sums *others);

/* The durations with ascending ranks, as far as the buckets have them: the middle of their bucket,
 * clipped to [min, max]. */
void p11prof_ranks_of_buckets(const struct p11prof_sums *sums,
                              const struct p11prof_buckets *buckets, const uint64_t *ranks,
                              size_t rank_count, uint64_t *out);

/* Quantiles are the middle of their bucket, clipped to [min, max]. */
void p11prof_stats_of_buckets(struct p11prof_stats *out, const struct p11prof_sums *sums,
                              const struct p11prof_buckets *buckets);

#endif
