/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "allocate.h"
#include "paired.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- Walsh averages: never made, only counted --- */

static int ascending(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return a < b ? -1 : a > b;
}

/* The caller frees them. */
static double *sorted_copy(const double *values, size_t count)
{
    double *sorted = p11prof_zalloc(count + 1, sizeof *sorted);
    memcpy(sorted, values, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, ascending);
    return sorted;
}

static uint64_t walsh_total(size_t count)
{
    return (uint64_t)count * (count + 1) / 2;
}

/* Those up to `limit`. As i grows, fewer of the values behind it make such a mean. */
static uint64_t walsh_up_to(const double *sorted, size_t count, double limit)
{
    uint64_t total = 0;
    size_t end = count; /* of the partners of i */
    for (size_t i = 0; i < count; i++) {
        while (end > i && (sorted[i] + sorted[end - 1]) / 2 > limit)
            end--;
        if (end <= i)
            break;
        total += end - i;
    }
    return total;
}

/* Numbers in the order of the doubles. */
static uint64_t key_of(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits >> 63 ? ~bits : bits | UINT64_C(1) << 63;
}

static double value_of(uint64_t key)
{
    uint64_t bits = key >> 63 ? key ^ UINT64_C(1) << 63 : ~key;
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* The rank-th smallest, from 1: found by halving the range of doubles, which takes 64 steps at
 * most and no memory, whatever the count. */
static double walsh_select(const double *sorted, size_t count, uint64_t rank)
{
    uint64_t low = key_of(sorted[0]), high = key_of(sorted[count - 1]);
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (walsh_up_to(sorted, count, value_of(middle)) >= rank)
            high = middle;
        else
            low = middle + 1;
    }
    return value_of(low);
}

double p11prof_hodges_lehmann(const double *differences, size_t count)
{
    if (count == 0)
        return 0;
    double *sorted = sorted_copy(differences, count);
    uint64_t total = walsh_total(count);
    double median = walsh_select(sorted, count, (total + 1) / 2);
    if (total % 2 == 0)
        median = (median + walsh_select(sorted, count, total / 2 + 1)) / 2;
    free(sorted);
    return median;
}

/* --- the distribution of W+ --- */

struct distribution {
    size_t count;
    double *cumulative; /* P(W+ <= w); NULL: normal */
};

/* P(W+ = w): each rank is in the sum or not, both with a half. */
static double *exact_make(size_t count)
{
    size_t total = walsh_total(count);
    double *p = p11prof_zalloc(total + 1, sizeof *p);
    p[0] = 1;
    for (size_t rank = 1; rank <= count; rank++)
        for (size_t w = walsh_total(rank) + 1; w-- > 0;)
            p[w] = p[w] / 2 + (w >= rank ? p[w - rank] / 2 : 0);
    for (size_t w = 1; w <= total; w++)
        p[w] += p[w - 1];
    return p;
}

static struct distribution distribution_make(size_t count)
{
    return (struct distribution){
        .count = count,
        .cumulative = count <= P11PROF_SIGNED_RANK_EXACT_MOST ? exact_make(count) : NULL};
}

/* P(W+ <= w) */
static double lower_tail(const struct distribution *distribution, uint64_t w)
{
    double n = (double)distribution->count;
    if (distribution->cumulative)
        return distribution->cumulative[w];
    double mean = n * (n + 1) / 4, deviation = sqrt(n * (n + 1) * (2 * n + 1) / 24);
    return erfc(-((double)w + 0.5 - mean) / deviation / sqrt(2)) / 2;
}

double p11prof_signed_rank_p(const double *differences, size_t count)
{
    if (count == 0)
        return 1;
    double *sorted = sorted_copy(differences, count);
    uint64_t total = walsh_total(count);
    uint64_t up_to_zero = walsh_up_to(sorted, count, 0);
    uint64_t negative = walsh_up_to(sorted, count, -DBL_TRUE_MIN);
    uint64_t zero = up_to_zero - negative, positive = total - up_to_zero;
    uint64_t smaller = (negative < positive ? negative : positive) + (zero + 1) / 2;
    struct distribution distribution = distribution_make(count);
    double p = 2 * lower_tail(&distribution, smaller < total ? smaller : total);
    free(distribution.cumulative);
    free(sorted);
    return p < 1 ? p : 1;
}

/* How many Walsh averages lie outside of the interval on each side, at most. */
static uint64_t outside(const struct distribution *distribution, double alpha)
{
    uint64_t low = 0, high = walsh_total(distribution->count);
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (2 * lower_tail(distribution, middle) >= alpha)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

struct p11prof_interval p11prof_signed_rank_interval(const double *differences, size_t count,
                                                     double alpha)
{
    struct p11prof_interval interval = {-INFINITY, INFINITY};
    struct distribution distribution = distribution_make(count);
    uint64_t rank = count ? outside(&distribution, alpha) : 0;
    free(distribution.cumulative);
    if (rank == 0)
        return interval;
    double *sorted = sorted_copy(differences, count);
    interval.low = walsh_select(sorted, count, rank);
    interval.high = walsh_select(sorted, count, walsh_total(count) + 1 - rank);
    free(sorted);
    return interval;
}
