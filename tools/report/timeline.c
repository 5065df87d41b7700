/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "timeline.h"
#include "allocate.h"
#include "round_steps.h"

#include <stdlib.h>

#define ROUNDING 1e-9 /* what sums of fractions may leave of nothing */

void p11prof_timeline_make(struct p11prof_timeline *timeline, uint64_t start_ns, uint64_t end_ns,
                           uint64_t step_ns)
{
    uint64_t length_ns = end_ns > start_ns ? end_ns - start_ns : 1;
    *timeline = (struct p11prof_timeline){
        .start_ns = start_ns,
        .end_ns = start_ns + length_ns,
        .step_ns = step_ns,
        .count = p11prof_step_count(length_ns, step_ns),
    };
    timeline->steps = p11prof_zalloc(timeline->count, sizeof *timeline->steps);
}

void p11prof_timeline_clear(struct p11prof_timeline *timeline)
{
    for (size_t i = 0; i < timeline->count; i++)
        p11prof_buckets_clear(&timeline->steps[i].buckets);
    free(timeline->steps);
    *timeline = (struct p11prof_timeline){.count = 0};
}

static size_t step_of(const struct p11prof_timeline *timeline, uint64_t ns)
{
    uint64_t step = ns < timeline->start_ns ? 0 : (ns - timeline->start_ns) / timeline->step_ns;
    return step < timeline->count ? (size_t)step : timeline->count - 1;
}

/* Adds `in_flight` calls that last from start to end. Whole steps between are left to finish(): a
 * call may last for all of them. What lies outside the steps is left out. */
static void spread(struct p11prof_timeline *timeline, uint64_t start_ns, uint64_t end_ns,
                   double in_flight)
{
    double step_ns = (double)timeline->step_ns;
    double low = ((double)start_ns - (double)timeline->start_ns) / step_ns;
    double high = ((double)end_ns - (double)timeline->start_ns) / step_ns;
    low = low < 0 ? 0 : low;
    high = high > (double)timeline->count ? (double)timeline->count : high;
    if (low >= high)
        return;
    size_t first = (size_t)low, last = (size_t)high;
    double busy_ns = in_flight * step_ns;
    if (first == last) {
        timeline->steps[first].busy_ns += busy_ns * (high - low);
        return;
    }
    timeline->steps[first].busy_ns += busy_ns * ((double)first + 1 - low);
    if (first + 1 < timeline->count)
        timeline->steps[first + 1].passing += in_flight;
    if (last < timeline->count) {
        timeline->steps[last].passing -= in_flight;
        timeline->steps[last].busy_ns += busy_ns * (high - (double)last);
    }
}

static void add_success(struct p11prof_timeline_step *step, uint64_t duration_ns)
{
    p11prof_buckets_add(&step->buckets, duration_ns, 1);
    p11prof_sums_add(&step->sums, &(struct p11prof_sums){.count = 1,
                                                         .sum_ns = duration_ns,
                                                         .min_ns = duration_ns,
                                                         .max_ns = duration_ns});
}

void p11prof_timeline_add(struct p11prof_timeline *timeline, uint64_t start_ns, int64_t duration_ns,
                          bool failed)
{
    struct p11prof_timeline_step *step = &timeline->steps[step_of(timeline, start_ns)];
    step->count++;
    step->error_count += failed;
    if (duration_ns < 0)
        return;
    if (!failed)
        add_success(step, (uint64_t)duration_ns);
    spread(timeline, start_ns, start_ns + (uint64_t)duration_ns, 1);
}

bool p11prof_timeline_is_timed(const struct p11prof_timeline *timeline)
{
    for (size_t i = 0; i < timeline->count; i++)
        if (timeline->steps[i].sums.count > 0 || timeline->steps[i].busy_ns > 0)
            return true;
    return false;
}

struct p11prof_timeline_step *p11prof_timeline_add_window(
    struct p11prof_timeline *timeline, const struct p11prof_timeline_window *window)
{
    uint64_t middle_ns = window->start_ns + window->duration_ns / 2;
    struct p11prof_timeline_step *step = &timeline->steps[step_of(timeline, middle_ns)];
    step->count += window->count;
    step->error_count += window->error_count;
    p11prof_sums_add(&step->sums, &window->sums);
    spread(timeline, window->start_ns, window->start_ns + window->duration_ns,
           window->duration_ns ? (double)window->total_ns / (double)window->duration_ns : 0);
    return step;
}

void p11prof_timeline_merge(struct p11prof_timeline *into, const struct p11prof_timeline *from)
{
    for (size_t i = 0; i < into->count; i++) {
        struct p11prof_timeline_step *step = &into->steps[i];
        const struct p11prof_timeline_step *other = &from->steps[i];
        step->count += other->count;
        step->error_count += other->error_count;
        step->busy_ns += other->busy_ns;
        step->passing += other->passing;
        p11prof_sums_add(&step->sums, &other->sums);
        p11prof_buckets_merge(&step->buckets, &other->buckets);
    }
}

void p11prof_timeline_finish(struct p11prof_timeline *timeline)
{
    double passing = 0;
    for (size_t i = 0; i < timeline->count; i++) {
        passing += timeline->steps[i].passing;
        timeline->steps[i].passing = 0;
        if (passing > ROUNDING)
            timeline->steps[i].busy_ns += passing * (double)timeline->step_ns;
    }
}

uint64_t p11prof_timeline_step_ns(const struct p11prof_timeline *timeline, size_t step)
{
    uint64_t left_ns = timeline->end_ns - timeline->start_ns - step * timeline->step_ns;
    return left_ns < timeline->step_ns ? left_ns : timeline->step_ns;
}

double p11prof_timeline_in_flight(const struct p11prof_timeline *timeline, size_t step)
{
    return timeline->steps[step].busy_ns / (double)p11prof_timeline_step_ns(timeline, step);
}

double p11prof_timeline_rate(const struct p11prof_timeline *timeline, size_t step)
{
    const struct p11prof_timeline_step *at = &timeline->steps[step];
    double seconds = (double)p11prof_timeline_step_ns(timeline, step) / 1e9;
    return (double)(at->count - at->error_count) / seconds;
}
