/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "batch.h"
#include "mix.h"
#include "p11prof/histogram.h"

#include <stdlib.h>
#include <string.h>

#define SECOND_NS UINT64_C(1000000000)

/* A profile's window is 1 s in the run's first minute, then 1 minute; a load's is its slice. */
static uint64_t window_of(const struct group_key *key, uint64_t start_ns, uint64_t *window_ns)
{
    *window_ns = 0;
    if (key->part)
        return key->window_start_ns;
    *window_ns = start_ns < 60 * SECOND_NS ? SECOND_NS : 60 * SECOND_NS;
    return start_ns - start_ns % *window_ns;
}

static bool same(const struct p11prof_group *group, const struct group_key *key,
                 uint64_t window_start_ns)
{
    return group->code == key->code && group->kind == key->kind &&
           group->mechanism == key->mechanism && group->key_type == key->key_type &&
           group->key_bits == key->key_bits && group->operation == key->operation &&
           group->part == key->part && group->window_start_ns == window_start_ns;
}

static uint64_t hash(const struct group_key *key, uint64_t window_start_ns, uint64_t seed)
{
    uint64_t value = (uint64_t)key->code << 16 | (uint64_t)key->kind << 8 | key->operation;
    value = mix(value, seed ^ (uint64_t)key->key_bits << 32);
    value = mix((uint64_t)key->mechanism, value + key->part);
    value = mix((uint64_t)key->key_type, value);
    return mix(window_start_ns, value);
}

static uint64_t group_hash(const struct p11prof_group *group, uint64_t seed)
{
    const struct group_key key = {group->operation, group->kind,     group->code, group->mechanism,
                                  group->key_type,  group->key_bits, group->part, 0};
    return hash(&key, group->window_start_ns, seed);
}

static void slot_put(struct batch *batch, size_t index)
{
    size_t mask = batch->group_slot_count - 1;
    size_t slot = group_hash(&batch->out.groups[index], batch->seed) & mask;
    while (batch->group_slots[slot])
        slot = (slot + 1) & mask;
    batch->group_slots[slot] = (uint32_t)index + 1;
}

static bool slots_grow(struct batch *batch)
{
    size_t larger = batch->group_slot_count ? batch->group_slot_count * 2 : 256;
    uint32_t *slots = calloc(larger, sizeof *slots);
    if (!slots)
        return false;
    free(batch->group_slots);
    batch->group_slots = slots;
    batch->group_slot_count = larger;
    for (size_t i = 0; i < batch->out.group_count; i++)
        slot_put(batch, i);
    return true;
}

static bool groups_grow(struct batch *batch)
{
    size_t larger = batch->group_capacity ? batch->group_capacity * 2 : 64;
    void *moved = realloc(batch->out.groups, larger * sizeof *batch->out.groups);
    if (!moved)
        return false;
    batch->out.groups = moved;
    batch->group_capacity = larger;
    return true;
}

static struct p11prof_group *group_make(struct batch *batch, const struct group_key *key,
                                        uint64_t window_start_ns, uint64_t window_ns)
{
    if ((batch->out.group_count == batch->group_capacity && !groups_grow(batch)) ||
        (batch->out.group_count * 2 >= batch->group_slot_count && !slots_grow(batch))) {
        batch->no_memory = true;
        return NULL;
    }
    struct p11prof_group *group = &batch->out.groups[batch->out.group_count++];
    *group = (struct p11prof_group){.operation = key->operation,
                                    .kind = key->kind,
                                    .code = key->code,
                                    .mechanism = key->mechanism,
                                    .key_type = key->key_type,
                                    .key_bits = key->key_bits,
                                    .part = key->part,
                                    .window_start_ns = window_start_ns,
                                    .window_ns = window_ns,
                                    .min_ns = UINT64_MAX};
    slot_put(batch, batch->out.group_count - 1);
    return group;
}

static struct p11prof_group *group_find(struct batch *batch, const struct group_key *key,
                                        uint64_t start_ns)
{
    uint64_t window_ns, window_start_ns = window_of(key, start_ns, &window_ns);
    uint32_t *hint = &batch->group_hints[key->operation][key->code & 255];
    if (*hint && same(&batch->out.groups[*hint - 1], key, window_start_ns))
        return &batch->out.groups[*hint - 1];
    struct p11prof_group *group = NULL;
    if (batch->group_slot_count) {
        size_t mask = batch->group_slot_count - 1;
        size_t slot = hash(key, window_start_ns, batch->seed) & mask;
        for (; batch->group_slots[slot]; slot = (slot + 1) & mask) {
            group = &batch->out.groups[batch->group_slots[slot] - 1];
            if (same(group, key, window_start_ns))
                break;
            group = NULL;
        }
    }
    if (!group)
        group = group_make(batch, key, window_start_ns, window_ns);
    if (group)
        *hint = (uint32_t)(group - batch->out.groups) + 1;
    return group;
}

static bool bucket_count(struct batch *batch, struct p11prof_group *group, uint64_t duration_ns)
{
    unsigned octave = p11prof_octave(duration_ns);
    if (!group->octaves[octave])
        group->octaves[octave] = calloc(P11PROF_OCTAVE_BUCKETS, sizeof **group->octaves);
    if (!group->octaves[octave]) {
        batch->no_memory = true;
        return false;
    }
    group->octaves[octave][p11prof_octave_bucket(duration_ns, octave)]++;
    return true;
}

bool batch_group_add(struct batch *batch, const struct group_key *key,
                     const struct group_addition *addition)
{
    struct p11prof_group *group = group_find(batch, key, addition->start_ns);
    if (!group)
        return false;
    uint64_t duration_ns = addition->duration_ns;
    group->count++;
    group->undisclosed_count += addition->undisclosed;
    group->in_bytes += addition->in_bytes;
    group->out_bytes += addition->out_bytes;
    if (addition->failed) {
        group->error_count++;
        group->error_sum_ns += duration_ns;
        return true;
    }
    group->sum_ns += duration_ns;
    group->sum_squares += (double)duration_ns * (double)duration_ns;
    group->min_ns = duration_ns < group->min_ns ? duration_ns : group->min_ns;
    group->max_ns = duration_ns > group->max_ns ? duration_ns : group->max_ns;
    return bucket_count(batch, group, duration_ns);
}
