/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Numbers for keys of four integers, up to a limit: who has had a call before. Starts with only its
 * limit set. One thread. */
#ifndef P11PROF_INSIGHT_LATENCY_MAP_H
#define P11PROF_INSIGHT_LATENCY_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct p11prof_latency_key {
    int64_t parts[4];
};

struct p11prof_latency_map {
    size_t limit;
    struct p11prof_latency_key *keys; /* by number */
    size_t count, capacity;
    uint32_t *slots; /* private: number + 1, 0: free */
    size_t slot_count;
};

/* The number of a key, a new one if it has none yet (*added); SIZE_MAX where there are `limit`. */
size_t p11prof_latency_map_find(struct p11prof_latency_map *map, struct p11prof_latency_key key,
                                bool *added);
void p11prof_latency_map_clear(struct p11prof_latency_map *map);

#endif
