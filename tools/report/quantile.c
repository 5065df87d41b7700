/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "quantile.h"

const uint32_t p11prof_quantile_millionths[P11PROF_QUANTILES] = {
    [P11PROF_P50] = 500000, [P11PROF_P90] = 900000,  [P11PROF_P95] = 950000,
    [P11PROF_P99] = 990000, [P11PROF_P999] = 999000,
};

uint64_t p11prof_quantile_rank(uint64_t n, uint32_t millionths)
{
    unsigned __int128 product = (unsigned __int128)n * millionths;
    uint64_t rank = (uint64_t)((product + P11PROF_MILLION - 1) / P11PROF_MILLION);
    return rank == 0 && n > 0 ? 1 : rank;
}

bool p11prof_quantile_supported(uint64_t n, uint32_t millionths)
{
    return (unsigned __int128)n * (P11PROF_MILLION - millionths) >=
           (unsigned __int128)10 * P11PROF_MILLION;
}

static void swap(uint64_t *a, uint64_t *b)
{
    uint64_t old = *a;
    *a = *b;
    *b = old;
}

/* A place in [low, high) that an order of values cannot foresee: quickselect stays linear. */
static size_t pivot_place(size_t low, size_t high, uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return low + (size_t)((unsigned __int128)*seed * (high - low) >> 64);
}

/* Splits [*low, *high) around a pivot: afterwards [*low, *high) holds its equals. */
static void split(uint64_t *values, size_t *low, size_t *high, uint64_t *seed)
{
    uint64_t pivot = values[pivot_place(*low, *high, seed)];
    size_t at = *low;
    while (at < *high) {
        if (values[at] < pivot)
            swap(&values[at++], &values[(*low)++]);
        else if (values[at] > pivot)
            swap(&values[at], &values[--*high]);
        else
            at++;
    }
}

void p11prof_select(uint64_t *values, size_t count, const uint64_t *ranks, size_t rank_count,
                    uint64_t *out)
{
    uint64_t seed = count;
    size_t settled = 0; /* what stands before it is smaller than all that follows */
    for (size_t i = 0; i < rank_count; i++) {
        size_t wanted = (size_t)ranks[i] - 1;
        size_t low = settled, high = count;
        for (size_t equal_low = low, equal_high = high; high - low > 1;
             equal_low = low, equal_high = high) {
            split(values, &equal_low, &equal_high, &seed);
            if (wanted < equal_low)
                high = equal_low;
            else if (wanted >= equal_high)
                low = equal_high;
            else
                break;
        }
        out[i] = values[wanted];
        settled = low;
    }
}
