/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "pool.h"

#include "report/allocate.h"

#include <stdlib.h>

size_t like_pool_take(struct like_pool *pool)
{
    size_t index = pool->lowest;
    while (index < pool->count && pool->entries[index].taken)
        index++;
    if (index == pool->count) {
        pool->entries =
            p11prof_grow(pool->entries, &pool->capacity, pool->count + 1, sizeof *pool->entries);
        pool->entries[pool->count++].number = 0;
    }
    pool->entries[index].taken = true;
    pool->lowest = index + 1;
    return index;
}

void like_pool_give(struct like_pool *pool, size_t index)
{
    pool->entries[index].taken = false;
    if (index < pool->lowest)
        pool->lowest = index;
}

void like_pool_clear(struct like_pool *pool)
{
    free(pool->entries);
    *pool = (struct like_pool){.entries = NULL};
}
