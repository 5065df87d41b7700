/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "latency_first.h"
#include "latency_median.h"
#include "report/allocate.h"
#include "report/quantile.h"

#include <math.h>
#include <stdlib.h>

/* The level of intervals, and what a ratio has to be above for sure. */
static const double chance = 0.01;
static const double ratio_least = 1.25;
/* Where there are too few for an interval: this many times the 99th percentile, or the median. */
static const uint64_t outlier_factor = 3;
/* Warm-up: a walk that goes up by calls longer than the third quartile, and down by two by others,
 * gets this high by chance in 1 of 3000 cases. */
static const int walk_least = 6;
enum { REST_LEAST = 20, OWN_LEAST = 3, INTERVAL_LEAST = 8 };

/* First calls of units beside the median of their rest. */
struct pairs {
    const struct p11prof_latency_unit **units;
    uint64_t *rests_ns;
    size_t count;
};

static uint64_t rest_of(const struct p11prof_latency_unit *unit)
{
    uint64_t copy[P11PROF_LATENCY_REST_MOST];
    size_t count = unit->count - 1 < P11PROF_LATENCY_REST_MOST ? (size_t)unit->count - 1
                                                               : P11PROF_LATENCY_REST_MOST;
    for (size_t i = 0; i < count; i++)
        copy[i] = unit->rest_ns[i];
    return p11prof_latency_median(copy, count);
}

/* A process with few calls is compared with those of all; a key or a session may differ from
 * others for good, and is compared with itself. */
static void make_pairs(struct pairs *out, enum p11prof_latency_scope scope,
                       const struct p11prof_latency_unit *const *units, size_t count,
                       uint64_t median_ns)
{
    out->count = 0;
    for (size_t i = 0; i < count; i++) {
        bool own =
            units[i]->count > OWN_LEAST || (scope != P11PROF_SCOPE_PROCESS && units[i]->count > 1);
        if (units[i]->within || (!own && scope != P11PROF_SCOPE_PROCESS))
            continue;
        uint64_t rest_ns = own ? rest_of(units[i]) : median_ns;
        if (rest_ns == 0)
            continue;
        out->units[out->count] = units[i];
        out->rests_ns[out->count++] = rest_ns;
    }
}

/* Ratios of the n-th calls (from 0) to the median of the rest. */
static size_t ratios_of(double *out, const struct pairs *pairs, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < pairs->count; i++)
        if (pairs->units[i]->count > n)
            out[count++] = (double)pairs->units[i]->early_ns[n] / (double)pairs->rests_ns[i];
    return count;
}

static void add_cost(struct p11prof_latency_first *out, const struct pairs *pairs, size_t n)
{
    for (size_t i = 0; i < pairs->count; i++)
        if (pairs->units[i]->count > n)
            out->cost_ns += (int64_t)pairs->units[i]->early_ns[n] - (int64_t)pairs->rests_ns[i];
}

/* By the interval of the median ratio; how many calls it stays above 1 for. */
static bool stands_out(struct p11prof_latency_first *out, const struct pairs *pairs)
{
    double *ratios = p11prof_zalloc(pairs->count + 1, sizeof *ratios), ratio, low, high;
    size_t count = ratios_of(ratios, pairs, 0);
    bool sure = p11prof_latency_median_interval(ratios, count, chance, &out->ratio, &out->ratio_low,
                                                &out->ratio_high) &&
                out->ratio_low > ratio_least;
    for (bool slow = sure; slow && out->slow_count < P11PROF_LATENCY_EARLY_MOST;) {
        count = ratios_of(ratios, pairs, out->slow_count);
        slow = p11prof_latency_median_interval(ratios, count, chance, &ratio, &low, &high) &&
               low > (out->slow_count == 0 ? ratio_least : 1.05);
        if (slow)
            add_cost(out, pairs, out->slow_count++);
    }
    free(ratios);
    return sure;
}

/* Too few for an interval: all of them have to be outliers. */
static bool are_outliers(struct p11prof_latency_first *out, const struct pairs *pairs,
                         const struct p11prof_buckets *rest)
{
    uint64_t p99_ns = p11prof_latency_quantile(rest, 990000);
    double sum = 0;
    if (rest->count < REST_LEAST)
        return false;
    for (size_t i = 0; i < pairs->count; i++) {
        uint64_t first_ns = pairs->units[i]->early_ns[0];
        bool far = pairs->count == 1
                       ? first_ns > outlier_factor * p99_ns
                       : first_ns > p99_ns && first_ns > outlier_factor * pairs->rests_ns[i];
        if (!far)
            return false;
        sum += log((double)first_ns / (double)pairs->rests_ns[i]);
    }
    out->ratio = exp(sum / (double)pairs->count);
    out->ratio_low = out->ratio_high = -1;
    out->slow_count = 1;
    add_cost(out, pairs, 0);
    return true;
}

static void set_medians(struct p11prof_latency_first *out, const struct pairs *pairs)
{
    uint64_t *values = p11prof_zalloc(pairs->count, sizeof *values);
    for (size_t i = 0; i < pairs->count; i++)
        values[i] = pairs->units[i]->early_ns[0];
    out->unit_count = pairs->count;
    out->first_ns = p11prof_latency_median(values, pairs->count);
    out->rest_ns = p11prof_latency_median(pairs->rests_ns, pairs->count);
    free(values);
}

/* How many calls of the first process are slow at its start; 0: no more than chance makes. */
static size_t warm_up(const struct p11prof_latency_group *group, int64_t *cost_ns)
{
    uint64_t third_ns = p11prof_latency_quantile(&group->buckets, 750000);
    uint64_t median_ns = p11prof_latency_quantile(&group->buckets, 500000);
    int height = 0, most = 0;
    size_t slow_count = 0;
    bool first_slow = group->lead_count > 0 && group->lead_ns[0] > third_ns;
    /* Below its start, slow calls that come later do not belong to a start. */
    for (size_t i = 0; first_slow && i < group->lead_count && height >= 0; i++) {
        height += (double)group->lead_ns[i] > 1.05 * (double)third_ns ? 1 : -2;
        if (height > most) {
            most = height;
            slow_count = i + 1;
        }
    }
    *cost_ns = 0;
    for (size_t i = 0; i < slow_count; i++)
        *cost_ns += (int64_t)group->lead_ns[i] - (int64_t)median_ns;
    return most >= walk_least ? slow_count : 0;
}

/* Adds how long the first process was warming up: it may be all there is. */
static bool add_warm_up(struct p11prof_latency_first *out,
                        const struct p11prof_latency_group *group, bool found)
{
    int64_t cost_ns;
    size_t slow_count = group->buckets.count >= REST_LEAST ? warm_up(group, &cost_ns) : 0;
    if (slow_count <= out->slow_count)
        return found;
    out->slow_count = slow_count;
    if (!found || out->unit_count == 1)
        out->cost_ns = cost_ns;
    if (!found)
        out->ratio_low = out->ratio_high = -1;
    return true;
}

bool p11prof_latency_first_find(struct p11prof_latency_first *out,
                                const struct p11prof_latency_gather *gather,
                                enum p11prof_latency_scope scope, size_t group,
                                const struct p11prof_latency_unit *const *units, size_t count)
{
    const struct p11prof_buckets *rest = &gather->groups[group].buckets;
    struct pairs pairs = {.units = p11prof_zalloc(count + 1, sizeof *pairs.units),
                          .rests_ns = p11prof_zalloc(count + 1, sizeof *pairs.rests_ns)};
    bool found = false;
    *out = (struct p11prof_latency_first){.scope = scope, .group = group};
    make_pairs(&pairs, scope, units, count, p11prof_latency_quantile(rest, 500000));
    if (pairs.count > 0) {
        found = pairs.count >= INTERVAL_LEAST ? stands_out(out, &pairs)
                                              : are_outliers(out, &pairs, rest);
        set_medians(out, &pairs);
        if (out->ratio <= 0)
            out->ratio = (double)out->first_ns / (double)out->rest_ns;
        if (scope == P11PROF_SCOPE_PROCESS)
            found = add_warm_up(out, &gather->groups[group], found);
    }
    free(pairs.units);
    free(pairs.rests_ns);
    return found;
}

static int by_group(const void *a, const void *b)
{
    const struct p11prof_latency_unit *first = *(const struct p11prof_latency_unit *const *)a;
    const struct p11prof_latency_unit *second = *(const struct p11prof_latency_unit *const *)b;
    if (first->group != second->group)
        return first->group < second->group ? -1 : 1;
    return (first->scope > second->scope) - (first->scope < second->scope);
}

static int by_cost(const void *a, const void *b)
{
    const struct p11prof_latency_first *first = a, *second = b;
    return (first->cost_ns < second->cost_ns) - (first->cost_ns > second->cost_ns);
}

/* A search's calls differ by what they are there for: the first brings objects, the last none. */
static bool is_search(const struct p11prof_latency_gather *gather, size_t group)
{
    unsigned function = gather->shapes[gather->groups[group].shape].function;
    return p11prof_calls[function].operation == P11PROF_OPERATION_FIND;
}

size_t p11prof_latency_firsts(struct p11prof_latency_first **out,
                              const struct p11prof_latency_gather *gather)
{
    size_t count = 0, capacity = 0, unit_count = gather->unit_map.count;
    const struct p11prof_latency_unit **units = p11prof_zalloc(unit_count + 1, sizeof *units);
    for (size_t i = 0; i < unit_count; i++)
        units[i] = &gather->units[i];
    if (unit_count > 0)
        qsort(units, unit_count, sizeof *units, by_group);
    *out = NULL;
    for (size_t i = 0, end; i < unit_count; i = end) {
        for (end = i + 1; end < unit_count && by_group(&units[i], &units[end]) == 0;)
            end++;
        *out = p11prof_grow(*out, &capacity, count + 1, sizeof **out);
        count += !is_search(gather, units[i]->group) &&
                 p11prof_latency_first_find(&(*out)[count], gather, units[i]->scope,
                                            units[i]->group, units + i, end - i);
    }
    if (count > 0)
        qsort(*out, count, sizeof **out, by_cost);
    free(units);
    return count;
}
