/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "stats.h"

#include <math.h>

static void fill_ranks(uint64_t n, uint64_t *ranks, bool *supported)
{
    for (size_t i = 0; i < P11PROF_QUANTILES; i++) {
        ranks[i] = p11prof_quantile_rank(n, p11prof_quantile_millionths[i]);
        supported[i] = p11prof_quantile_supported(n, p11prof_quantile_millionths[i]);
    }
}

static uint64_t rounded_mean(unsigned __int128 sum, uint64_t count)
{
    return (uint64_t)((sum + count / 2) / count);
}

static void set_stddev(struct p11prof_stats *out, long double squares)
{
    out->stddev_known = out->count > 1;
    if (out->stddev_known && squares > 0)
        out->stddev_ns = (uint64_t)llroundl(sqrtl(squares / (long double)(out->count - 1)));
}

/* Two passes: a difference of large sums of squares would lose all digits. */
static long double squared_deviations(const uint64_t *durations, size_t count, long double mean)
{
    long double squares = 0;
    for (size_t i = 0; i < count; i++)
        squares += ((long double)durations[i] - mean) * ((long double)durations[i] - mean);
    return squares;
}

void p11prof_stats_exact(struct p11prof_stats *out, uint64_t *durations, size_t count)
{
    uint64_t ranks[P11PROF_QUANTILES];
    unsigned __int128 sum = 0;
    *out = (struct p11prof_stats){.count = count, .min_ns = UINT64_MAX};
    if (count == 0)
        return;
    for (size_t i = 0; i < count; i++) {
        sum += durations[i];
        if (durations[i] < out->min_ns)
            out->min_ns = durations[i];
        if (durations[i] > out->max_ns)
            out->max_ns = durations[i];
    }
    out->mean_ns = rounded_mean(sum, count);
    set_stddev(out, squared_deviations(durations, count, (long double)sum / (long double)count));
    fill_ranks(count, ranks, out->supported);
    p11prof_select(durations, count, ranks, P11PROF_QUANTILES, out->quantile_ns);
}

void p11prof_sums_add(struct p11prof_sums *sums, const struct p11prof_sums *others)
{
    if (others->count == 0)
        return;
    if (sums->count == 0 || others->min_ns < sums->min_ns)
        sums->min_ns = others->min_ns;
    if (others->max_ns > sums->max_ns)
        sums->max_ns = others->max_ns;
    sums->count += others->count;
    sums->sum_ns += others->sum_ns;
    sums->sum_squares += others->sum_squares;
}

void p11prof_ranks_of_buckets(const struct p11prof_sums *sums,
                              const struct p11prof_buckets *buckets, const uint64_t *ranks,
                              size_t rank_count, uint64_t *out)
{
    struct p11prof_bucket bucket = {0};
    uint64_t passed = 0;
    size_t found = 0;
    while (found < rank_count && p11prof_buckets_next(buckets, &bucket)) {
        passed += bucket.count;
        for (; found < rank_count && ranks[found] <= passed; found++)
            out[found] =
                p11prof_bucket_value_ns(bucket.low_ns, bucket.high_ns, sums->min_ns, sums->max_ns);
    }
}

void p11prof_stats_of_buckets(struct p11prof_stats *out, const struct p11prof_sums *sums,
                              const struct p11prof_buckets *buckets)
{
    uint64_t ranks[P11PROF_QUANTILES];
    *out = (struct p11prof_stats){.count = sums->count};
    if (sums->count == 0)
        return;
    out->mean_ns = rounded_mean(sums->sum_ns, sums->count);
    out->min_ns = sums->min_ns;
    out->max_ns = sums->max_ns;
    long double sum = (long double)sums->sum_ns;
    set_stddev(out, sums->sum_squares - sum * sum / (long double)sums->count);
    fill_ranks(buckets->count, ranks, out->supported);
    p11prof_ranks_of_buckets(sums, buckets, ranks, P11PROF_QUANTILES, out->quantile_ns);
}
