/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "latency_gather.h"
#include "p11prof/batch.h"
#include "report/allocate.h"

#include <stdlib.h>
#include <string.h>

void p11prof_latency_gather_init(struct p11prof_latency_gather *gather)
{
    *gather = (struct p11prof_latency_gather){
        .group_map.limit = P11PROF_LATENCY_GROUPS_MOST,
        .shape_map.limit = P11PROF_LATENCY_SHAPES_MOST,
        .unit_map.limit = P11PROF_LATENCY_UNITS_MOST,
        .session_map.limit = P11PROF_LATENCY_SESSIONS_MOST,
        .size_map.limit = P11PROF_LATENCY_SIZES_MOST,
        .end_map.limit = P11PROF_LATENCY_SESSIONS_MOST,
        .seed = 1,
        .part = p11prof_zalloc(P11PROF_LATENCY_PART, sizeof *gather->part),
        .starts_ns = p11prof_zalloc(P11PROF_LATENCY_PART, sizeof *gather->starts_ns),
        .ends_of_part_ns = p11prof_zalloc(P11PROF_LATENCY_PART, sizeof *gather->ends_of_part_ns),
        .part_since_ns = INT64_MIN,
    };
}

static void clear_groups(struct p11prof_latency_gather *gather)
{
    for (size_t i = 0; i < gather->group_map.count; i++) {
        p11prof_buckets_clear(&gather->groups[i].buckets);
        free(gather->groups[i].lead_ns);
    }
    for (size_t i = 0; i < gather->shape_map.count; i++) {
        p11prof_buckets_clear(&gather->shapes[i].buckets);
        free(gather->shapes[i].samples);
        free(gather->shapes[i].moments);
    }
    for (size_t i = 0; i < gather->size_map.count; i++)
        free(gather->sizes[i].sample_ns);
}

void p11prof_latency_gather_clear(struct p11prof_latency_gather *gather)
{
    struct p11prof_latency_map *const maps[] = {&gather->group_map, &gather->shape_map,
                                                &gather->unit_map,  &gather->session_map,
                                                &gather->size_map,  &gather->end_map};
    clear_groups(gather);
    for (size_t i = 0; i < sizeof maps / sizeof maps[0]; i++)
        p11prof_latency_map_clear(maps[i]);
    free(gather->groups);
    free(gather->shapes);
    free(gather->units);
    free(gather->sizes);
    free(gather->openings);
    free(gather->ends_ns);
    free(gather->part);
    free(gather->starts_ns);
    free(gather->ends_of_part_ns);
    *gather = (struct p11prof_latency_gather){.groups = NULL};
}

size_t p11prof_latency_reservoir(uint64_t *seed, uint64_t n, size_t most)
{
    if (n <= most)
        return (size_t)n - 1;
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (size_t)((unsigned __int128)*seed * n >> 64);
}

static int by_time(const void *a, const void *b)
{
    int64_t first = *(const int64_t *)a, second = *(const int64_t *)b;
    return (first > second) - (first < second);
}

/* Mostly they are in order already. */
static void sort(int64_t *times, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (times[i] < times[i - 1]) {
            qsort(times, count, sizeof *times, by_time);
            return;
        }
}

/* How many of ascending times are below the limit. */
static size_t count_below(const int64_t *times, size_t count, int64_t limit_ns)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (times[middle] < limit_ns)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

int64_t p11prof_latency_level(const struct p11prof_latency_gather *gather,
                              const struct p11prof_event *event)
{
    if (event->start_ns < gather->part_since_ns)
        return P11PROF_EVENT_UNKNOWN;
    size_t begun = count_below(gather->starts_ns, gather->part_count, event->start_ns);
    size_t ended = count_below(gather->ends_of_part_ns, gather->part_count, event->start_ns + 1);
    return begun > ended ? (int64_t)(begun - ended) : 0;
}

static void look_at_part(struct p11prof_latency_gather *gather)
{
    for (size_t i = 0; i < gather->part_count; i++) {
        gather->starts_ns[i] = gather->part[i].start_ns;
        gather->ends_of_part_ns[i] = p11prof_event_end_ns(&gather->part[i]);
    }
    sort(gather->starts_ns, gather->part_count);
    sort(gather->ends_of_part_ns, gather->part_count);
    for (size_t i = 0; i < gather->part_count; i++)
        p11prof_latency_add(gather, &gather->part[i]);
    if (gather->part_count > 0)
        gather->part_since_ns = gather->ends_of_part_ns[gather->part_count - 1];
    gather->part_count = 0;
}

void p11prof_latency_gather_take(void *payload, const struct p11prof_event *event)
{
    struct p11prof_latency_gather *gather = payload;
    if (event->function > P11PROF_CALLS || event->kind != P11PROF_KIND_CALL ||
        event->flags & P11PROF_ROW_NESTED || event->duration_ns < 0)
        return;
    gather->part[gather->part_count++] = *event;
    if (gather->part_count == P11PROF_LATENCY_PART)
        look_at_part(gather);
}

void p11prof_latency_gather_end(struct p11prof_latency_gather *gather)
{
    look_at_part(gather);
}
