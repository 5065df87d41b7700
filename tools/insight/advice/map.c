/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "map.h"
#include "report/allocate.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_BYTES = sizeof(struct p11prof_advice_key), SLOTS_FIRST = 64 };

void p11prof_advice_map_clear(struct p11prof_advice_map *map)
{
    free(map->entries);
    free(map->slots);
    *map = (struct p11prof_advice_map){.entries = NULL};
}

const struct p11prof_advice_key *p11prof_advice_map_key(const struct p11prof_advice_map *map,
                                                        size_t index)
{
    return (const struct p11prof_advice_key *)(const void *)(map->entries +
                                                             index * map->entry_bytes);
}

void *p11prof_advice_map_value(const struct p11prof_advice_map *map, size_t index)
{
    return map->entries + index * map->entry_bytes + KEY_BYTES;
}

static size_t hash(const struct p11prof_advice_key *key)
{
    const uint64_t parts[] = {(uint64_t)key->process_id, (uint64_t)key->first,
                              (uint64_t)key->second};
    uint64_t hash = 0;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        hash = (hash ^ parts[i]) * UINT64_C(0x9E3779B97F4A7C15);
        hash ^= hash >> 32;
    }
    return (size_t)hash;
}

static bool same(const struct p11prof_advice_key *a, const struct p11prof_advice_key *b)
{
    return a->process_id == b->process_id && a->first == b->first && a->second == b->second;
}

/* The slot of the key, or the free one where it belongs. */
static size_t find_slot(const struct p11prof_advice_map *map, const struct p11prof_advice_key *key)
{
    size_t mask = map->slot_count - 1;
    size_t at = hash(key) & mask;
    while (map->slots[at] != 0 && !same(p11prof_advice_map_key(map, map->slots[at] - 1), key))
        at = (at + 1) & mask;
    return at;
}

static void grow_slots(struct p11prof_advice_map *map)
{
    free(map->slots);
    map->slot_count = map->slot_count ? 2 * map->slot_count : SLOTS_FIRST;
    map->slots = p11prof_zalloc(map->slot_count, sizeof *map->slots);
    for (size_t i = 0; i < map->count; i++)
        map->slots[find_slot(map, p11prof_advice_map_key(map, i))] = (uint32_t)i + 1;
}

void *p11prof_advice_map_find(const struct p11prof_advice_map *map,
                              const struct p11prof_advice_key *key)
{
    uint32_t index = map->slots ? map->slots[find_slot(map, key)] : 0;
    return index ? p11prof_advice_map_value(map, index - 1) : NULL;
}

void *p11prof_advice_map_take(struct p11prof_advice_map *map, const struct p11prof_advice_key *key,
                              size_t value_bytes)
{
    void *value = p11prof_advice_map_find(map, key);
    if (value || map->count == P11PROF_ADVICE_MAP_MAX)
        return value;
    map->entry_bytes = KEY_BYTES + (value_bytes + 7) / 8 * 8;
    map->entries = p11prof_grow(map->entries, &map->capacity, map->count + 1, map->entry_bytes);
    memset(map->entries + map->count * map->entry_bytes, 0, map->entry_bytes);
    memcpy(map->entries + map->count * map->entry_bytes, key, KEY_BYTES);
    map->count++;
    if (2 * map->count > map->slot_count)
        grow_slots(map);
    else
        map->slots[find_slot(map, key)] = (uint32_t)map->count;
    return p11prof_advice_map_value(map, map->count - 1);
}

/* Frees a slot, and moves those behind it to where a search still finds them. */
static void free_slot(struct p11prof_advice_map *map, size_t hole)
{
    size_t mask = map->slot_count - 1;
    for (size_t at = (hole + 1) & mask; map->slots[at] != 0; at = (at + 1) & mask) {
        size_t home = hash(p11prof_advice_map_key(map, map->slots[at] - 1)) & mask;
        if (((at - home) & mask) < ((at - hole) & mask))
            continue;
        map->slots[hole] = map->slots[at];
        hole = at;
    }
    map->slots[hole] = 0;
}

void p11prof_advice_map_remove(struct p11prof_advice_map *map, const struct p11prof_advice_key *key)
{
    size_t slot = map->slots ? find_slot(map, key) : 0;
    if (!map->slots || map->slots[slot] == 0)
        return;
    size_t index = map->slots[slot] - 1, last = map->count - 1;
    free_slot(map, slot);
    if (index != last) {
        map->slots[find_slot(map, p11prof_advice_map_key(map, last))] = (uint32_t)index + 1;
        memcpy(map->entries + index * map->entry_bytes, map->entries + last * map->entry_bytes,
               map->entry_bytes);
    }
    map->count--;
}
