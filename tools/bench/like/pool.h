/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Numbers that are taken and given back: the lowest free one comes first, so that rounds of a loop
 * take the same ones. Starts as {0}. */
#ifndef P11PROF_BENCH_LIKE_POOL_H
#define P11PROF_BENCH_LIKE_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct like_pool {
    struct like_pool_entry {
        uint32_t number;
        bool taken;
    } * entries; /* owned */
    size_t count, capacity;
    size_t lowest; /* none before it is free */
};

/* The index of an entry; one that is new has the number 0, which the caller sets. */
size_t like_pool_take(struct like_pool *pool);
void like_pool_give(struct like_pool *pool, size_t index);
void like_pool_clear(struct like_pool *pool);

#endif
