/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "latency_median.h"
#include "report/quantile.h"

#include <math.h>
#include <stdlib.h>

uint64_t p11prof_latency_median(uint64_t *values, size_t count)
{
    uint64_t rank = p11prof_quantile_rank(count, 500000), median;
    p11prof_select(values, count, &rank, 1, &median);
    return median;
}

uint64_t p11prof_latency_quantile(const struct p11prof_buckets *buckets, uint32_t millionths)
{
    struct p11prof_bucket bucket = {0};
    uint64_t rank = p11prof_quantile_rank(buckets->count, millionths), passed = 0;
    while (passed < rank && p11prof_buckets_next(buckets, &bucket))
        passed += bucket.count;
    return buckets->count == 0 ? 0 : bucket.low_ns + (bucket.high_ns - bucket.low_ns - 1) / 2;
}

static int by_size(const void *a, const void *b)
{
    double first = *(const double *)a, second = *(const double *)b;
    return (first > second) - (first < second);
}

/* The largest k for which k - 1 or fewer of n coins show heads with half of that probability. */
static size_t outer_rank(size_t n, double chance)
{
    double log_term = -(double)n * M_LN2, sum = 0; /* of 0 heads */
    size_t k = 0;
    while (k < n / 2) {
        sum += exp(log_term);
        if (2 * sum > chance)
            break;
        log_term += log((double)(n - k) / (double)(k + 1));
        k++;
    }
    return k;
}

bool p11prof_latency_median_interval(double *values, size_t count, double chance, double *median,
                                     double *low, double *high)
{
    qsort(values, count, sizeof *values, by_size);
    *median = count ? (values[(count - 1) / 2] + values[count / 2]) / 2 : 0;
    size_t rank = outer_rank(count, chance);
    if (rank == 0)
        return false;
    *low = values[rank - 1];
    *high = values[count - rank];
    return true;
}
