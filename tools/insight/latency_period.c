/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "latency_period.h"
#include "latency_median.h"
#include "report/allocate.h"

#include <math.h>
#include <stdlib.h>

/* Half of the intervals are within a twentieth of the median, four of five within a fifth of it:
 * of calls that are slow at random, a twentieth and a sixth are. */
static const double near_most = 0.05, far_most = 0.2, far_share_least = 0.8;
enum { INTERVALS_LEAST = 10, PERIOD_LEAST_COUNT = 3 };

/* Intervals between the first calls of runs of slow ones. */
struct intervals {
    uint64_t *ns, *counts;
    size_t count;
};

static void collect(struct intervals *out, const struct p11prof_latency_moment *moments,
                    size_t count, uint64_t low_ns, uint64_t high_ns)
{
    size_t last = count;
    bool before = false;
    for (size_t i = 0; i < count; i++) {
        bool slow = moments[i].duration_ns >= low_ns && moments[i].duration_ns < high_ns;
        if (slow && !before) {
            if (last < count && moments[i].start_ns > moments[last].start_ns) {
                out->ns[out->count] = (uint64_t)(moments[i].start_ns - moments[last].start_ns);
                out->counts[out->count++] = i - last;
            }
            last = i;
        }
        before = slow;
    }
}

/* The interval that they keep to, 0: none; *deviation is the median distance from it, of it. */
static uint64_t regular(uint64_t *intervals, size_t count, double *deviation)
{
    uint64_t median = p11prof_latency_median(intervals, count);
    size_t within = 0;
    for (size_t i = 0; i < count; i++) {
        intervals[i] = intervals[i] > median ? intervals[i] - median : median - intervals[i];
        within += (double)intervals[i] <= far_most * (double)median;
    }
    *deviation = (double)p11prof_latency_median(intervals, count) / (double)median;
    bool keeps = *deviation <= near_most && (double)within >= far_share_least * (double)count;
    return keeps ? median : 0;
}

/* Whichever is kept more exactly. */
static void choose(struct p11prof_latency_period *out, struct intervals *intervals)
{
    double ns_deviation, count_deviation;
    uint64_t median_count = p11prof_latency_median(intervals->counts, intervals->count);
    uint64_t every_count = regular(intervals->counts, intervals->count, &count_deviation);
    uint64_t every_ns = regular(intervals->ns, intervals->count, &ns_deviation);
    if (median_count < PERIOD_LEAST_COUNT)
        return;
    if (every_count > 0 && (every_ns == 0 || count_deviation <= ns_deviation))
        out->every_count = every_count;
    else
        out->every_ns = every_ns;
}

bool p11prof_latency_period_find(struct p11prof_latency_period *out,
                                 const struct p11prof_latency_moment *moments, size_t count,
                                 uint64_t low_ns, uint64_t high_ns)
{
    struct intervals intervals = {.ns = p11prof_zalloc(count + 1, sizeof *intervals.ns),
                                  .counts = p11prof_zalloc(count + 1, sizeof *intervals.counts)};
    *out = (struct p11prof_latency_period){0};
    collect(&intervals, moments, count, low_ns, high_ns);
    if (intervals.count >= INTERVALS_LEAST)
        choose(out, &intervals);
    free(intervals.ns);
    free(intervals.counts);
    return out->every_ns > 0 || out->every_count > 0;
}
