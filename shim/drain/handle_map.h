/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* A map from handles to entries of one size, with a limit: past it the oldest entry is dropped.
 *
 * An entry begins with its handle, is zeroed when it is made, and keeps its address until it is
 * removed. One thread. */
#ifndef P11PROF_DRAIN_HANDLE_MAP_H
#define P11PROF_DRAIN_HANDLE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HANDLE_MAP_LIMIT = 65536 };

struct handle_link {
    struct handle_link *older, *newer;
    uint64_t handle;
    uint64_t padding; /* entries are aligned to 16 */
};

struct handle_map {
    size_t entry_bytes;
    uint64_t seed;
    struct handle_link **slots;
    size_t slot_count; /* a power of two */
    size_t count;
    struct handle_link *oldest, *newest;
    uint64_t dropped_count;
};

void handle_map_init(struct handle_map *map, size_t entry_bytes);
void handle_map_clear(struct handle_map *map);

/* NULL: not there. */
void *handle_map_find(const struct handle_map *map, uint64_t handle);

/* The entry that a new handle would drive out; NULL if it would not. */
void *handle_map_victim(const struct handle_map *map, uint64_t handle, uint64_t *victim);

/* Finds or makes it; NULL only without memory. */
void *handle_map_make(struct handle_map *map, uint64_t handle);
void handle_map_remove(struct handle_map *map, uint64_t handle);

/* Every entry, oldest first; `next` is fetched before the entry is given out, so it may be removed.
 */
void handle_map_visit(struct handle_map *map,
                      void (*visit)(void *payload, uint64_t handle, void *entry), void *payload);

#endif
