/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "percentile_curve.h"

/* Of a decade of shares: 0.5, 0.1 and 0.05 make the percentiles 50, 90 and 95. */
static const uint32_t shares[] = {1000000, 800000, 630000, 500000, 400000,
                                  320000,  250000, 200000, 160000, 125000};
enum { SHARES = sizeof shares / sizeof shares[0] };

/* Probabilities as far as more than one duration lies beyond them; the count of them. */
static size_t choose(uint32_t *millionths, uint64_t population)
{
    uint32_t last = P11PROF_MILLION + 1;
    size_t count = 0;
    for (uint32_t divisor = 1; divisor <= P11PROF_MILLION; divisor *= 10) {
        for (size_t i = 0; i < SHARES; i++) {
            uint32_t beyond = shares[i] / divisor;
            if (beyond == 0 || beyond >= last || count == P11PROF_CURVE_POINTS - 1 ||
                (unsigned __int128)population * beyond <= P11PROF_MILLION)
                continue;
            last = beyond;
            millionths[count++] = P11PROF_MILLION - beyond;
        }
    }
    return count;
}

void p11prof_curve_make(struct p11prof_curve *out, struct p11prof_tally_group *group,
                        const struct p11prof_stats *stats)
{
    uint32_t millionths[P11PROF_CURVE_POINTS];
    uint64_t ns[P11PROF_CURVE_POINTS];
    out->count = 0;
    if (stats->count == 0)
        return;
    out->count = choose(millionths, stats->count);
    p11prof_tally_quantiles(group, millionths, out->count, ns);
    for (size_t i = 0; i < out->count; i++)
        out->points[i] = (struct p11prof_curve_point){
            (double)(P11PROF_MILLION - millionths[i]) / P11PROF_MILLION, ns[i],
            p11prof_quantile_supported(stats->count, millionths[i])};
    out->points[out->count++] =
        (struct p11prof_curve_point){1 / (double)stats->count, stats->max_ns, false};
}
