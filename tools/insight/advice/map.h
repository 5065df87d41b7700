/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What a detector remembers of each session, key or caller while calls go by: a hash table of
 * values that start as zeros. It has a limit, so that a run of any length needs bounded memory.
 * Starts as {0}. One thread. */
#ifndef P11PROF_INSIGHT_ADVICE_MAP_H
#define P11PROF_INSIGHT_ADVICE_MAP_H

#include <stddef.h>
#include <stdint.h>

enum { P11PROF_ADVICE_MAP_MAX = 65536 }; /* entries */

/* Numbers of sessions, keys and callers are of a process. */
struct p11prof_advice_key {
    int64_t process_id, first, second;
};

struct p11prof_advice_map {
    char *entries; /* private: a key, then a value each */
    size_t count, entry_bytes, capacity;
    uint32_t *slots; /* private: index + 1 of an entry; 0: free */
    size_t slot_count;
};

void p11prof_advice_map_clear(struct p11prof_advice_map *map);

/* The value of that key, valid until the next take or remove; NULL: there is none. */
void *p11prof_advice_map_find(const struct p11prof_advice_map *map,
                              const struct p11prof_advice_key *key);

/* The same, made of zeros if there is none; NULL: there is no room. value_bytes is the same in all
 * calls. */
void *p11prof_advice_map_take(struct p11prof_advice_map *map, const struct p11prof_advice_key *key,
                              size_t value_bytes);

/* Forgets the value of that key, if there is one. */
void p11prof_advice_map_remove(struct p11prof_advice_map *map,
                               const struct p11prof_advice_key *key);

/* Those with an index below `count`, in no order; valid likewise. */
const struct p11prof_advice_key *p11prof_advice_map_key(const struct p11prof_advice_map *map,
                                                        size_t index);
void *p11prof_advice_map_value(const struct p11prof_advice_map *map, size_t index);

#endif
