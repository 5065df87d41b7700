/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "handle_map.h"

#include "mix.h"

#include <stdlib.h>
#include <string.h>

static size_t slot_of(const struct handle_map *map, uint64_t handle)
{
    return (size_t)mix(handle, map->seed) & (map->slot_count - 1);
}

static void *entry_of(struct handle_link *link)
{
    return link + 1;
}

void handle_map_init(struct handle_map *map, size_t entry_bytes)
{
    memset(map, 0, sizeof *map);
    map->entry_bytes = entry_bytes;
    map->seed = mix_seed();
}

void handle_map_clear(struct handle_map *map)
{
    for (struct handle_link *link = map->oldest, *next; link; link = next) {
        next = link->newer;
        free(link);
    }
    free(map->slots);
    handle_map_init(map, map->entry_bytes);
}

static struct handle_link **find_slot(const struct handle_map *map, uint64_t handle)
{
    size_t slot = slot_of(map, handle);
    while (map->slots[slot] && map->slots[slot]->handle != handle)
        slot = (slot + 1) & (map->slot_count - 1);
    return &map->slots[slot];
}

void *handle_map_find(const struct handle_map *map, uint64_t handle)
{
    struct handle_link *link = map->slot_count ? *find_slot(map, handle) : NULL;
    return link ? entry_of(link) : NULL;
}

void *handle_map_victim(const struct handle_map *map, uint64_t handle, uint64_t *victim)
{
    if (map->count < HANDLE_MAP_LIMIT || handle_map_find(map, handle))
        return NULL;
    *victim = map->oldest->handle;
    return entry_of(map->oldest);
}

static bool grow(struct handle_map *map)
{
    struct handle_map larger = *map;
    larger.slot_count = map->slot_count ? map->slot_count * 2 : 64;
    larger.slots = calloc(larger.slot_count, sizeof(*larger.slots));
    if (!larger.slots)
        return false;
    for (struct handle_link *link = map->oldest; link; link = link->newer)
        *find_slot(&larger, link->handle) = link;
    free(map->slots);
    *map = larger;
    return true;
}

void *handle_map_make(struct handle_map *map, uint64_t handle)
{
    void *entry = handle_map_find(map, handle);
    if (entry)
        return entry;
    if (map->count * 2 >= map->slot_count && !grow(map))
        return NULL;
    if (map->count >= HANDLE_MAP_LIMIT) {
        handle_map_remove(map, map->oldest->handle);
        map->dropped_count++;
    }
    struct handle_link *link = calloc(1, sizeof *link + map->entry_bytes);
    if (!link)
        return NULL;
    link->handle = handle;
    link->older = map->newest;
    if (map->newest)
        map->newest->newer = link;
    else
        map->oldest = link;
    map->newest = link;
    map->count++;
    *find_slot(map, handle) = link;
    return entry_of(link);
}

/* Closes the gap that a removed slot leaves in its probe sequence. */
static void slot_vacate(struct handle_map *map, size_t gap)
{
    size_t mask = map->slot_count - 1;
    map->slots[gap] = NULL;
    for (size_t slot = (gap + 1) & mask; map->slots[slot]; slot = (slot + 1) & mask) {
        size_t home = slot_of(map, map->slots[slot]->handle);
        if (((slot - home) & mask) < ((slot - gap) & mask))
            continue;
        map->slots[gap] = map->slots[slot];
        map->slots[slot] = NULL;
        gap = slot;
    }
}

void handle_map_remove(struct handle_map *map, uint64_t handle)
{
    struct handle_link **slot = map->slot_count ? find_slot(map, handle) : NULL;
    struct handle_link *link = slot ? *slot : NULL;
    if (!link)
        return;
    slot_vacate(map, (size_t)(slot - map->slots));
    *(link->older ? &link->older->newer : &map->oldest) = link->newer;
    *(link->newer ? &link->newer->older : &map->newest) = link->older;
    map->count--;
    free(link);
}

void handle_map_visit(struct handle_map *map,
                      void (*visit)(void *payload, uint64_t handle, void *entry), void *payload)
{
    for (struct handle_link *link = map->oldest, *next; link; link = next) {
        next = link->newer;
        visit(payload, link->handle, entry_of(link));
    }
}
