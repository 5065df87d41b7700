/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "concurrency_levels.h"
#include "report/allocate.h"

#include <stdlib.h>
#include <string.h>

static size_t block_bytes(const struct p11prof_levels *levels)
{
    return sizeof(struct p11prof_level_block) +
           levels->group_count * sizeof(struct p11prof_level_calls);
}

struct p11prof_level_block *p11prof_levels_block(const struct p11prof_levels *levels, size_t index)
{
    void *block = levels->blocks + index * block_bytes(levels);
    return block;
}

void p11prof_levels_clear(struct p11prof_levels *levels)
{
    free(levels->blocks);
    *levels = (struct p11prof_levels){.group_count = levels->group_count};
}

static void add_block(struct p11prof_level_block *into, const struct p11prof_level_block *from,
                      size_t group_count)
{
    for (size_t i = 0; i <= P11PROF_LEVEL_MAX; i++)
        into->level_ns[i] += from->level_ns[i];
    into->count += from->count;
    for (size_t i = 0; i < group_count; i++) {
        into->calls[i].count += from->calls[i].count;
        into->calls[i].total_ns += from->calls[i].total_ns;
        into->calls[i].alone_squares += from->calls[i].alone_squares;
        for (size_t j = 0; j < P11PROF_LEVEL_BEGUN; j++) {
            into->calls[i].begun_count[j] += from->calls[i].begun_count[j];
            into->calls[i].begun_ns[j] += from->calls[i].begun_ns[j];
        }
    }
}

static void join_neighbours(struct p11prof_levels *levels)
{
    size_t bytes = block_bytes(levels);
    for (size_t i = 0; i < P11PROF_LEVEL_BLOCKS / 2; i++) {
        add_block(p11prof_levels_block(levels, 2 * i), p11prof_levels_block(levels, 2 * i + 1),
                  levels->group_count);
        memmove(levels->blocks + i * bytes, levels->blocks + 2 * i * bytes, bytes);
    }
    levels->block_count = P11PROF_LEVEL_BLOCKS / 2;
    levels->block_calls *= 2;
}

static void add_empty(struct p11prof_levels *levels)
{
    size_t bytes = block_bytes(levels);
    levels->blocks =
        p11prof_grow(levels->blocks, &levels->block_capacity, levels->block_count + 1, bytes);
    memset(levels->blocks + levels->block_count++ * bytes, 0, bytes);
}

static struct p11prof_level_block *last_block(struct p11prof_levels *levels)
{
    if (!levels->blocks) {
        levels->block_calls = P11PROF_LEVEL_BLOCK_CALLS;
        add_empty(levels);
    }
    return p11prof_levels_block(levels, levels->block_count - 1);
}

void p11prof_levels_cut(struct p11prof_levels *levels, bool idle)
{
    uint64_t count = last_block(levels)->count;
    if (count < levels->block_calls || (!idle && count < 2 * levels->block_calls))
        return;
    if (levels->block_count == P11PROF_LEVEL_BLOCKS)
        join_neighbours(levels);
    add_empty(levels);
}

void p11prof_levels_spend(struct p11prof_levels *levels, unsigned level, double ns)
{
    last_block(levels)->level_ns[level < P11PROF_LEVEL_MAX ? level : P11PROF_LEVEL_MAX] += ns;
    levels->in_flight_ns += level * ns;
}

void p11prof_levels_move(struct p11prof_levels *levels, int64_t now_ns, unsigned level)
{
    if (levels->blocks)
        p11prof_levels_spend(levels, levels->level, (double)(now_ns - levels->since_ns));
    p11prof_levels_cut(levels, level == 0 || levels->level == 0);
    levels->level = level;
    levels->since_ns = now_ns;
    if (level > levels->most)
        levels->most = level;
}

void p11prof_levels_done(struct p11prof_levels *levels, size_t group, double duration_ns,
                         unsigned others)
{
    struct p11prof_level_block *block = last_block(levels);
    struct p11prof_level_calls *calls =
        &block->calls[group < levels->group_count ? group : levels->group_count - 1];
    block->count++;
    calls->count++;
    calls->total_ns += duration_ns;
    if (others < P11PROF_LEVEL_BEGUN) {
        calls->begun_count[others]++;
        calls->begun_ns[others] += duration_ns;
    }
    if (others == 0)
        calls->alone_squares += duration_ns * duration_ns;
}

struct p11prof_level_block *p11prof_levels_sum(const struct p11prof_levels *levels,
                                               const bool *left_in, size_t but)
{
    struct p11prof_level_block *sum = p11prof_zalloc(1, block_bytes(levels));
    for (size_t i = 0; i < levels->block_count; i++)
        if (i != but && (!left_in || left_in[i]))
            add_block(sum, p11prof_levels_block(levels, i), levels->group_count);
    return sum;
}
