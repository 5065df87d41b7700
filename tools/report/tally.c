/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "tally.h"
#include "allocate.h"

#include <stdlib.h>
#include <string.h>

void p11prof_tally_group_clear(struct p11prof_tally_group *group)
{
    free(group->durations);
    p11prof_buckets_clear(&group->buckets);
    *group = (struct p11prof_tally_group){.count = 0};
}

void p11prof_tally_clear(struct p11prof_tally *tally)
{
    for (size_t i = 0; i < tally->group_count; i++)
        p11prof_tally_group_clear(&tally->groups[i]);
    free(tally->groups);
    free(tally->slots);
    *tally = (struct p11prof_tally){.grouping = tally->grouping};
}

static bool same_key(const struct p11prof_key *a, const struct p11prof_key *b, size_t count)
{
    return a->known == b->known && memcmp(a->values, b->values, count * sizeof a->values[0]) == 0;
}

static size_t hash(const struct p11prof_key *key, size_t count)
{
    uint64_t hash = key->known;
    for (size_t i = 0; i < count; i++) {
        hash = (hash ^ (uint64_t)key->values[i]) * UINT64_C(0x9E3779B97F4A7C15);
        hash ^= hash >> 32;
    }
    return (size_t)hash;
}

/* The slot of the key, or the free one where it belongs. */
static uint32_t *find_slot(const struct p11prof_tally *tally, const struct p11prof_key *key)
{
    size_t mask = tally->slot_count - 1;
    size_t at = hash(key, tally->grouping.count) & mask;
    while (tally->slots[at] != 0 &&
           !same_key(&tally->groups[tally->slots[at] - 1].key, key, tally->grouping.count))
        at = (at + 1) & mask;
    return &tally->slots[at];
}

static void grow_slots(struct p11prof_tally *tally)
{
    free(tally->slots);
    tally->slot_count = tally->slot_count ? 2 * tally->slot_count : 64;
    tally->slots = p11prof_zalloc(tally->slot_count, sizeof *tally->slots);
    for (size_t i = 0; i < tally->group_count; i++)
        *find_slot(tally, &tally->groups[i].key) = (uint32_t)i + 1;
}

static struct p11prof_tally_group *add_group(struct p11prof_tally *tally,
                                             const struct p11prof_key *key)
{
    tally->groups = p11prof_grow(tally->groups, &tally->group_capacity, tally->group_count + 1,
                                 sizeof *tally->groups);
    struct p11prof_tally_group *group = &tally->groups[tally->group_count++];
    *group = (struct p11prof_tally_group){.key = *key};
    if (2 * tally->group_count > tally->slot_count)
        grow_slots(tally);
    else
        *find_slot(tally, key) = (uint32_t)tally->group_count;
    return group;
}

struct p11prof_tally_group *p11prof_tally_find(struct p11prof_tally *tally,
                                               const struct p11prof_key *key)
{
    if (tally->last && same_key(&tally->last->key, key, tally->grouping.count))
        return tally->last;
    uint32_t index = tally->slots ? *find_slot(tally, key) : 0;
    tally->last = index ? &tally->groups[index - 1] : add_group(tally, key);
    return tally->last;
}

size_t p11prof_tally_index(const struct p11prof_tally *tally, const struct p11prof_key *key)
{
    uint32_t index = tally->slots ? *find_slot(tally, key) : 0;
    return index ? index - 1 : tally->group_count;
}

void p11prof_tally_add_duration(struct p11prof_tally_group *group, uint64_t duration_ns)
{
    if (group->duration_count == group->duration_capacity)
        group->durations = p11prof_grow(group->durations, &group->duration_capacity,
                                        group->duration_count + 1, sizeof *group->durations);
    group->durations[group->duration_count++] = duration_ns;
}

void p11prof_tally_merge(struct p11prof_tally_group *into, const struct p11prof_tally_group *from)
{
    into->count += from->count;
    into->error_count += from->error_count;
    into->undisclosed_count += from->undisclosed_count;
    into->total_ns += from->total_ns;
    into->in_bytes += from->in_bytes;
    into->out_bytes += from->out_bytes;
    into->quantiles_known = false;
    for (size_t i = 0; i < from->duration_count; i++)
        p11prof_tally_add_duration(into, from->durations[i]);
    p11prof_sums_add(&into->sums, &from->sums);
    p11prof_buckets_merge(&into->buckets, &from->buckets);
}

char *p11prof_tally_histogram(const struct p11prof_tally_group *group)
{
    struct p11prof_buckets all = {.count = 0};
    p11prof_buckets_merge(&all, &group->buckets);
    for (size_t i = 0; i < group->duration_count; i++)
        p11prof_buckets_add(&all, group->durations[i], 1);
    char *text = p11prof_buckets_text(&all);
    p11prof_buckets_clear(&all);
    return text;
}

void p11prof_tally_absorb(struct p11prof_tally *into, struct p11prof_tally *from)
{
    for (size_t i = 0; i < from->group_count; i++) {
        struct p11prof_tally_group *source = &from->groups[i];
        struct p11prof_tally_group *group = p11prof_tally_find(into, &source->key);
        if (group->count == 0) {
            *group = *source;
            *source = (struct p11prof_tally_group){.count = 0};
        } else {
            p11prof_tally_merge(group, source);
        }
    }
    p11prof_tally_clear(from);
}

bool p11prof_tally_is_untimed(const struct p11prof_tally_group *group)
{
    return group->count > 0 && group->total_ns == 0 && group->sums.count == 0;
}

bool p11prof_tally_is_exact(const struct p11prof_tally_group *group)
{
    return group->sums.count == 0 || group->quantiles_known;
}

/* Sums and histogram of the durations that are known one by one, and of those that are not. */
static void join(const struct p11prof_tally_group *group, struct p11prof_sums *sums,
                 struct p11prof_buckets *buckets)
{
    *sums = group->sums;
    p11prof_buckets_merge(buckets, &group->buckets);
    for (size_t i = 0; i < group->duration_count; i++) {
        uint64_t ns = group->durations[i];
        struct p11prof_sums one = {1, ns, ns, ns, (double)ns * (double)ns};
        p11prof_sums_add(sums, &one);
        p11prof_buckets_add(buckets, ns, 1);
    }
}

static void stats_of_both(const struct p11prof_tally_group *group, struct p11prof_stats *out)
{
    struct p11prof_sums sums;
    struct p11prof_buckets buckets = {.count = 0};
    join(group, &sums, &buckets);
    p11prof_stats_of_buckets(out, &sums, &buckets);
    p11prof_buckets_clear(&buckets);
}

void p11prof_tally_stats(struct p11prof_tally_group *group, struct p11prof_stats *out)
{
    if (group->sums.count == 0)
        p11prof_stats_exact(out, group->durations, group->duration_count);
    else
        stats_of_both(group, out);
    for (size_t i = 0; group->quantiles_known && i < P11PROF_QUANTILES; i++)
        out->quantile_ns[i] = group->quantile_ns[i];
}

static void select_ranks(struct p11prof_tally_group *group, const uint64_t *ranks, size_t count,
                         uint64_t *out)
{
    struct p11prof_sums sums;
    struct p11prof_buckets buckets = {.count = 0};
    if (group->sums.count == 0) {
        p11prof_select(group->durations, group->duration_count, ranks, count, out);
        return;
    }
    join(group, &sums, &buckets);
    p11prof_ranks_of_buckets(&sums, &buckets, ranks, count, out);
    p11prof_buckets_clear(&buckets);
}

/* A quantile from buckets, so that it is in order with those that are known exactly. */
static uint64_t between_known(const struct p11prof_tally_group *group, uint32_t millionths,
                              uint64_t ns)
{
    for (size_t i = 0; i < P11PROF_QUANTILES; i++) {
        uint32_t known = p11prof_quantile_millionths[i];
        bool too_long = millionths <= known && ns > group->quantile_ns[i];
        bool too_short = millionths >= known && ns < group->quantile_ns[i];
        if (too_long || too_short)
            ns = group->quantile_ns[i];
    }
    return ns;
}

void p11prof_tally_quantiles(struct p11prof_tally_group *group, const uint32_t *millionths,
                             size_t count, uint64_t *out)
{
    uint64_t population = group->sums.count + group->duration_count;
    uint64_t *ranks = p11prof_zalloc(count, sizeof *ranks);
    for (size_t i = 0; i < count; i++)
        ranks[i] = p11prof_quantile_rank(population, millionths[i]);
    memset(out, 0, count * sizeof *out);
    if (population > 0)
        select_ranks(group, ranks, count, out);
    for (size_t i = 0; i < count && group->quantiles_known; i++)
        out[i] = between_known(group, millionths[i], out[i]);
    free(ranks);
}

bool p11prof_tally_value(const struct p11prof_tally *tally, const struct p11prof_key *key,
                         enum p11prof_dimension_id id, int64_t *value)
{
    for (size_t i = 0; i < tally->grouping.count; i++) {
        if (tally->grouping.ids[i] == id) {
            *value = key->values[i];
            return key->known >> i & 1;
        }
    }
    return false;
}
