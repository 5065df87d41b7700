/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "bins.h"

#include <math.h>

enum { FINEST = 7 << 10, FINEST_OF_BUCKETS = 7 << 5, DEFAULT_PER_DECADE = 6 };

/* Edges of a decade that read better than 10^(i/n). */
static const double nice[][6] = {
    {1}, {1, 3}, {1, 2, 5}, {1, 2, 3, 5}, {1, 1.5, 2.5, 4, 6}, {1, 1.5, 2, 3, 5, 7}};

/* 1, 2, 3, 4, 5, 6, 8, 10, 12, 14, 16, 20 … */
static unsigned next_per_decade(unsigned per_decade)
{
    unsigned step = per_decade == 6 ? 2 : 1;
    while (per_decade / step >= 8)
        step *= 2;
    return per_decade + step;
}

/* Digits that make all edges of a decade differ. */
static unsigned digits_of(unsigned per_decade)
{
    return per_decade <= 20 ? 2 : per_decade <= 200 ? 3 : per_decade <= 2000 ? 4 : 5;
}

/* Edge number `index` of those from 1 ns on. */
static uint64_t edge_ns(unsigned per_decade, unsigned index)
{
    unsigned place = index % per_decade;
    double decade = pow(10, index / per_decade);
    double mantissa = pow(10, (double)place / per_decade);
    double unit = pow(10, 1 - (int)digits_of(per_decade));
    if (per_decade <= 6)
        mantissa = nice[per_decade - 1][place];
    double edge = round(round(mantissa / unit) * unit * decade);
    return edge < 0x1p63 ? (uint64_t)edge : UINT64_MAX;
}

static unsigned first_index(unsigned per_decade, uint64_t min_ns)
{
    unsigned index = min_ns < 2 ? 0 : (unsigned)(log10((double)min_ns) * per_decade);
    while (edge_ns(per_decade, index + 1) <= min_ns)
        index++;
    while (index > 0 && edge_ns(per_decade, index) > min_ns)
        index--;
    return index;
}

/* The nearest edge of a bucket; `down`, `up`: not above, not below. */
static uint64_t bucket_edge(uint64_t value_ns, bool down, bool up)
{
    unsigned octave = p11prof_octave(value_ns);
    uint64_t width_ns = p11prof_bucket_width_ns(octave);
    uint64_t low_ns = p11prof_bucket_low_ns(octave, p11prof_octave_bucket(value_ns, octave));
    bool at_high = up ? value_ns > low_ns : !down && value_ns - low_ns > width_ns / 2;
    return at_high ? low_ns + width_ns : low_ns;
}

/* False if they would be more than fit. */
static bool fill(struct p11prof_bins *out, unsigned per_decade, uint64_t min_ns, uint64_t max_ns,
                 bool of_buckets)
{
    unsigned index = min_ns == 0 ? 0 : first_index(per_decade, min_ns);
    uint64_t edge = min_ns == 0 ? 0 : edge_ns(per_decade, index++);
    *out = (struct p11prof_bins){.digits = digits_of(per_decade)};
    out->edges_ns[0] = of_buckets ? bucket_edge(edge, true, false) : edge;
    while (edge <= max_ns && edge < UINT64_MAX) {
        edge = edge_ns(per_decade, index++);
        uint64_t placed =
            of_buckets && edge < UINT64_MAX ? bucket_edge(edge, false, edge > max_ns) : edge;
        if (placed == out->edges_ns[out->count])
            continue;
        if (out->count == P11PROF_BINS_MOST)
            return false;
        out->edges_ns[++out->count] = placed;
    }
    return true;
}

void p11prof_bins_choose(struct p11prof_bins *out, uint64_t min_ns, uint64_t max_ns,
                         bool of_buckets)
{
    unsigned finest = of_buckets ? FINEST_OF_BUCKETS : FINEST;
    struct p11prof_bins bins;
    fill(out, min_ns == max_ns ? DEFAULT_PER_DECADE : 1, min_ns, max_ns, of_buckets);
    if (min_ns == max_ns)
        return;
    for (unsigned n = 1; n <= finest && fill(&bins, n, min_ns, max_ns, of_buckets);
         n = next_per_decade(n))
        *out = bins;
}

size_t p11prof_bins_find(const struct p11prof_bins *bins, uint64_t value_ns)
{
    size_t low = 0, high = bins->count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (bins->edges_ns[middle] <= value_ns)
            low = middle;
        else
            high = middle;
    }
    return low;
}

void p11prof_bins_count(const struct p11prof_bins *bins, const struct p11prof_tally_group *group,
                        uint64_t *counts)
{
    struct p11prof_bucket bucket = {0};
    for (size_t i = 0; i < group->duration_count; i++)
        counts[p11prof_bins_find(bins, group->durations[i])]++;
    while (p11prof_buckets_next(&group->buckets, &bucket))
        counts[p11prof_bins_find(bins, bucket.low_ns)] += bucket.count;
}
