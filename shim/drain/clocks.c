/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "clocks.h"

#include <stdlib.h>

enum { APART_NS = 10000000, STEP_PPM = 200 };

bool clocks_add(struct clocks *clocks, const struct p11prof_anchor *anchor)
{
    if (anchor->ticks == 0)
        return true;
    if (clocks->count == clocks->capacity) {
        size_t capacity = clocks->capacity ? clocks->capacity * 2 : 128;
        void *anchors = realloc(clocks->anchors, capacity * sizeof *clocks->anchors);
        if (!anchors)
            return false;
        clocks->anchors = anchors;
        clocks->capacity = capacity;
    }
    clocks->anchors[clocks->count++] = *anchor;
    return true;
}

static int by_ticks(const void *left, const void *right)
{
    const struct p11prof_anchor *a = left, *b = right;
    return a->ticks < b->ticks ? -1 : a->ticks > b->ticks;
}

/* Whether the time from one to the other can be told: close ones would make a slope of their read
 * errors, and one that runs backwards or has no such time is not believed. */
static bool apart(const struct p11prof_anchor *from, const struct p11prof_anchor *to)
{
    return to->ticks > from->ticks && to->monotonic_ns > from->monotonic_ns &&
           to->monotonic_ns - from->monotonic_ns >= APART_NS;
}

static void thin(struct clocks *clocks)
{
    size_t kept = 0;
    for (size_t i = 0; i < clocks->count; i++)
        if (clocks->anchors[i].monotonic_ns <= INT64_MAX &&
            (kept == 0 || apart(&clocks->anchors[kept - 1], &clocks->anchors[i])))
            clocks->anchors[kept++] = clocks->anchors[i];
    clocks->count = kept;
}

static double slope(const struct p11prof_anchor *from, const struct p11prof_anchor *to)
{
    return (double)(to->monotonic_ns - from->monotonic_ns) / (double)(to->ticks - from->ticks);
}

void clocks_finish(struct clocks *clocks, uint64_t ticks_per_second)
{
    if (clocks->count > 1)
        qsort(clocks->anchors, clocks->count, sizeof *clocks->anchors, by_ticks);
    thin(clocks);
    clocks->last = 0;
    clocks->step_count = 0;
    clocks->ns_per_tick = ticks_per_second ? 1e9 / (double)ticks_per_second : 1;
    if (clocks->count < 2)
        return;
    clocks->ns_per_tick = slope(&clocks->anchors[0], &clocks->anchors[clocks->count - 1]);
    for (size_t i = 1; i < clocks->count; i++) {
        double ratio = slope(&clocks->anchors[i - 1], &clocks->anchors[i]) / clocks->ns_per_tick;
        clocks->step_count += ratio > 1 + STEP_PPM * 1e-6 || ratio < 1 - STEP_PPM * 1e-6;
    }
}

/* Index of the last anchor at or before `ticks`, 0 if there is none. */
static size_t anchor_before(struct clocks *clocks, uint64_t ticks)
{
    size_t low = 0, high = clocks->count;
    if (clocks->anchors[clocks->last].ticks <= ticks &&
        (clocks->last + 1 == clocks->count || clocks->anchors[clocks->last + 1].ticks > ticks))
        return clocks->last;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        *(clocks->anchors[middle].ticks <= ticks ? &low : &high) = middle;
    }
    return clocks->last = low;
}

/* What is past all time is its end. */
static uint64_t saturated(double ns)
{
    return ns <= 0 ? 0 : ns >= (double)INT64_MAX ? INT64_MAX : (uint64_t)ns;
}

uint64_t clocks_monotonic_ns(struct clocks *clocks, uint32_t clock, uint64_t ticks)
{
    if (clock != P11PROF_CLOCK_TSC || clocks->count == 0)
        return ticks;
    size_t i = anchor_before(clocks, ticks);
    const struct p11prof_anchor *anchor = &clocks->anchors[i];
    double ns_per_tick = i + 1 < clocks->count ? slope(anchor, anchor + 1) : clocks->ns_per_tick;
    if (ticks < anchor->ticks) {
        uint64_t before_ns = saturated((double)(anchor->ticks - ticks) * ns_per_tick);
        return before_ns < anchor->monotonic_ns ? anchor->monotonic_ns - before_ns : 0;
    }
    return anchor->monotonic_ns + saturated((double)(ticks - anchor->ticks) * ns_per_tick);
}

uint64_t clocks_duration_ns(const struct clocks *clocks, uint32_t clock, uint64_t duration_ticks)
{
    if (clock != P11PROF_CLOCK_TSC)
        return duration_ticks;
    return saturated((double)duration_ticks * clocks->ns_per_tick + 0.5);
}
