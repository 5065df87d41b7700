/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "latency_map.h"
#include "report/allocate.h"

#include <stdlib.h>
#include <string.h>

enum { SLOTS_LEAST = 64 };

static size_t slot_of(const struct p11prof_latency_map *map, const struct p11prof_latency_key *key)
{
    uint64_t hash = 0;
    for (size_t i = 0; i < sizeof key->parts / sizeof key->parts[0]; i++) {
        hash = (hash ^ (uint64_t)key->parts[i]) * UINT64_C(0x9E3779B97F4A7C15);
        hash ^= hash >> 29;
    }
    return (size_t)hash & (map->slot_count - 1);
}

/* Where the key is, or where it belongs. */
static uint32_t *place(const struct p11prof_latency_map *map, const struct p11prof_latency_key *key)
{
    size_t slot = slot_of(map, key);
    while (map->slots[slot] != 0 && memcmp(&map->keys[map->slots[slot] - 1], key, sizeof *key) != 0)
        slot = (slot + 1) & (map->slot_count - 1);
    return &map->slots[slot];
}

static void widen(struct p11prof_latency_map *map)
{
    free(map->slots);
    map->slot_count = map->slot_count ? 2 * map->slot_count : SLOTS_LEAST;
    map->slots = p11prof_zalloc(map->slot_count, sizeof *map->slots);
    for (size_t i = 0; i < map->count; i++)
        *place(map, &map->keys[i]) = (uint32_t)i + 1;
}

size_t p11prof_latency_map_find(struct p11prof_latency_map *map, struct p11prof_latency_key key,
                                bool *added)
{
    *added = false;
    if (2 * map->count >= map->slot_count)
        widen(map);
    uint32_t *slot = place(map, &key);
    if (*slot != 0)
        return *slot - 1;
    if (map->count == map->limit)
        return SIZE_MAX;
    map->keys = p11prof_grow(map->keys, &map->capacity, map->count + 1, sizeof *map->keys);
    map->keys[map->count] = key;
    *slot = (uint32_t)++map->count;
    *added = true;
    return map->count - 1;
}

void p11prof_latency_map_clear(struct p11prof_latency_map *map)
{
    free(map->keys);
    free(map->slots);
    *map = (struct p11prof_latency_map){.limit = map->limit};
}
