/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "latency_modes.h"
#include "report/allocate.h"

#include <stdlib.h>

static void set_mode(struct p11prof_latency_mode *out, const struct p11prof_latency_gather *gather,
                     size_t index, const struct p11prof_modes *modes, size_t mode)
{
    const struct p11prof_latency_shape *shape = &gather->shapes[index];
    const struct p11prof_mode *slow = &modes->modes[mode];
    *out = (struct p11prof_latency_mode){.shape = index,
                                         .mode = *slow,
                                         .faster_ns = modes->modes[mode - 1].peak_ns,
                                         .share = (double)slow->count / (double)shape->count};
    out->cost_ns =
        (int64_t)((double)slow->count * ((double)slow->peak_ns - (double)out->faster_ns));
    out->cause_count =
        p11prof_latency_causes(out->causes, P11PROF_LATENCY_CAUSES_MOST, shape->samples,
                               shape->sample_count, slow->low_ns, slow->high_ns);
    out->periodic = out->cause_count == 0 &&
                    p11prof_latency_period_find(&out->period, shape->moments, shape->moment_count,
                                                slow->low_ns, slow->high_ns);
}

bool p11prof_latency_mode_is_told(const struct p11prof_latency_mode *mode)
{
    return mode->cause_count > 0 || mode->periodic;
}

static int by_cost(const void *a, const void *b)
{
    const struct p11prof_latency_mode *first = a, *second = b;
    return (first->cost_ns < second->cost_ns) - (first->cost_ns > second->cost_ns);
}

size_t p11prof_latency_modes(struct p11prof_latency_mode **out,
                             const struct p11prof_latency_gather *gather)
{
    size_t count = 0, capacity = 0;
    *out = NULL;
    for (size_t i = 0; i < gather->shape_map.count; i++) {
        struct p11prof_modes modes;
        p11prof_modes_find(&modes, &gather->shapes[i].buckets);
        for (size_t mode = 1; mode < modes.count; mode++) {
            *out = p11prof_grow(*out, &capacity, count + 1, sizeof **out);
            set_mode(&(*out)[count++], gather, i, &modes, mode);
        }
    }
    if (count > 0)
        qsort(*out, count, sizeof **out, by_cost);
    return count;
}
