/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "blocks.h"

#include "items.h"
#include "report/allocate.h"
#include "state.h"

#include <stdlib.h>
#include <string.h>

/* Rounds in rounds, and blocks that are alike in them, stand around what a block repeats. */
enum { ROUNDS = 16, LEVELS_MOST = 8, DEPTH_IN_BLOCK = LIKE_DEPTH_MOST - LEVELS_MOST - 1 };

/* Blocks that are alike. */
struct block {
    size_t first, length;    /* steps of the first one */
    uint64_t count, left;    /* how many; of these, in no round yet */
    struct like_item *items; /* with the sums of all of them; then folded */
    size_t item_count;
};

struct cutter {
    const struct like_steps *steps;
    const struct like_shapes *shapes;
    uint32_t *states;  /* number of the state before each step, and after the last one */
    uint32_t common;   /* that the thread has most often */
    size_t start, end; /* its first and last place */
    struct like_intern hashes;
    struct block *blocks;
    size_t node_count; /* made */
    size_t count, capacity;
};

/* Nodes that grow. */
struct growing {
    struct like_node *nodes;
    size_t count, capacity;
};

/* --- cutting --- */

static void states_find(struct cutter *cutter)
{
    struct like_intern numbers = {.bytes = sizeof(uint64_t)};
    struct like_state state;
    size_t places = cutter->steps->count + 1;
    size_t *counts = p11prof_zalloc(places, sizeof *counts);
    like_state_init(&state);
    cutter->states = p11prof_zalloc(places, sizeof *cutter->states);
    for (size_t i = 0; i < places; i++) {
        cutter->states[i] = like_intern_put(&numbers, &state.hash);
        if (++counts[cutter->states[i]] > counts[cutter->common])
            cutter->common = cutter->states[i];
        if (i < cutter->steps->count)
            like_state_take(&state, like_shape(cutter->shapes, cutter->steps->steps[i].shape));
    }
    while (cutter->states[cutter->start] != cutter->common)
        cutter->start++;
    for (cutter->end = places - 1; cutter->states[cutter->end] != cutter->common;)
        cutter->end--;
    free(counts);
    like_state_clear(&state);
    like_intern_clear(&numbers);
}

static bool shapes_same(const struct like_step *one, const struct like_step *other, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (one[i].shape != other[i].shape)
            return false;
    return true;
}

/* The steps are those of a block, maybe of a new one. */
static struct block *block_of(struct cutter *cutter, size_t first, size_t length)
{
    const struct like_step *steps = cutter->steps->steps;
    uint64_t hash = length;
    for (size_t i = first; i < first + length; i++)
        hash = (hash ^ steps[i].shape) * UINT64_C(0x9E3779B97F4A7C15), hash ^= hash >> 29;
    for (uint32_t number; (number = like_intern_find(&cutter->hashes, &hash)) != UINT32_MAX;) {
        struct block *block = &cutter->blocks[number];
        if (block->length == length && shapes_same(steps + block->first, steps + first, length))
            return block;
        hash++;
    }
    like_intern_put(&cutter->hashes, &hash);
    cutter->blocks =
        p11prof_grow(cutter->blocks, &cutter->capacity, cutter->count + 1, sizeof *cutter->blocks);
    struct block *block = &cutter->blocks[cutter->count++];
    *block = (struct block){.first = first, .length = length, .item_count = length};
    block->items = p11prof_zalloc(length, sizeof *block->items);
    return block;
}

static void block_add(struct cutter *cutter, size_t first, size_t length)
{
    struct block *block = block_of(cutter, first, length);
    for (size_t i = 0; i < length; i++) {
        const struct like_step *step = &cutter->steps->steps[first + i];
        if (block->count == 0)
            block->items[i] = like_item_of(step);
        else
            like_item_add(&block->items[i], step);
    }
    block->count++;
}

static struct like_item *items_fold(struct like_item *items, size_t *count)
{
    struct like_folder *folder = like_folder_new(DEPTH_IN_BLOCK);
    for (size_t i = 0; i < *count; i++)
        like_folder_put(folder, &items[i]);
    free(items);
    return like_folder_end(folder, count);
}

static void blocks_find(struct cutter *cutter)
{
    for (size_t first = cutter->start, at = first + 1; at <= cutter->end; at++)
        if (cutter->states[at] == cutter->common) {
            block_add(cutter, first, at - first);
            first = at;
        }
    for (size_t i = 0; i < cutter->count; i++) {
        struct block *block = &cutter->blocks[i];
        block->items = items_fold(block->items, &block->item_count);
    }
}

/* --- rounds --- */

static struct like_node *node_add(struct growing *nodes, uint64_t times)
{
    nodes->nodes =
        p11prof_grow(nodes->nodes, &nodes->capacity, nodes->count + 1, sizeof *nodes->nodes);
    nodes->nodes[nodes->count] = (struct like_node){.times = times};
    return &nodes->nodes[nodes->count++];
}

/* Puts nodes behind others; those of one time need no node of their own. */
static void nodes_add(struct growing *into, struct like_node *nodes, size_t count, uint64_t times,
                      size_t *node_count)
{
    if (times > 1 && count > 1) {
        struct like_node *node = node_add(into, times);
        node->nodes = nodes;
        node->count = count;
        ++*node_count;
        return;
    }
    for (size_t i = 0; i < count; i++)
        *node_add(into, 1) = nodes[i];
    if (times > 1)
        into->nodes[into->count - 1].times *= times;
    free(nodes);
}

/* So many blocks of each kind: a sixteenth of them in each of 16 rounds, in which it goes on like
 * that, and what is left over behind. */
static void rounds_make(struct cutter *cutter, const uint64_t *counts, unsigned levels,
                        struct growing *out)
{
    uint64_t *shares = p11prof_zalloc(cutter->count, sizeof *shares);
    bool more = false;
    for (size_t i = 0; i < cutter->count && levels > 0; i++)
        more = (shares[i] = counts[i] / ROUNDS) > 0 || more;
    if (more) {
        struct growing round = {.nodes = NULL};
        rounds_make(cutter, shares, levels - 1, &round);
        nodes_add(out, round.nodes, round.count, ROUNDS, &cutter->node_count);
    }
    for (size_t i = 0; i < cutter->count; i++) {
        const struct block *block = &cutter->blocks[i];
        uint64_t left = counts[i] - shares[i] * ROUNDS;
        if (left > 0)
            nodes_add(
                out,
                like_nodes_of(block->items, block->item_count, cutter->shapes, &cutter->node_count),
                block->item_count, left, &cutter->node_count);
    }
    free(shares);
}

static void blocks_make(struct cutter *cutter, struct growing *out)
{
    uint64_t *counts = p11prof_zalloc(cutter->count, sizeof *counts);
    for (size_t i = 0; i < cutter->count; i++)
        counts[i] = cutter->blocks[i].count;
    rounds_make(cutter, counts, LEVELS_MOST, out);
    free(counts);
}

/* Steps whose order stays. */
static void stretch_make(struct cutter *cutter, size_t start, size_t end, struct growing *out)
{
    size_t count = end - start;
    struct like_item *items = p11prof_zalloc(count, sizeof *items);
    for (size_t i = 0; i < count; i++)
        items[i] = like_item_of(&cutter->steps->steps[start + i]);
    items = items_fold(items, &count);
    nodes_add(out, like_nodes_of(items, count, cutter->shapes, &cutter->node_count), count, 1,
              &cutter->node_count);
    like_items_free(items, count);
    free(items);
}

bool like_blocks(struct like_thread *thread, const struct like_steps *steps,
                 const struct like_shapes *shapes, size_t nodes_most, size_t *node_count)
{
    struct cutter cutter = {.steps = steps, .shapes = shapes, .hashes.bytes = sizeof(uint64_t)};
    struct growing nodes = {.nodes = NULL};
    states_find(&cutter);
    blocks_find(&cutter);
    stretch_make(&cutter, 0, cutter.start, &nodes);
    blocks_make(&cutter, &nodes);
    stretch_make(&cutter, cutter.end, steps->count, &nodes);
    bool fewer = cutter.node_count <= nodes_most;
    if (fewer) {
        thread->nodes = nodes.nodes;
        thread->count = nodes.count;
        *node_count += cutter.node_count;
    } else {
        like_nodes_free(nodes.nodes, nodes.count);
    }
    for (size_t i = 0; i < cutter.count; i++) {
        like_items_free(cutter.blocks[i].items, cutter.blocks[i].item_count);
        free(cutter.blocks[i].items);
    }
    free(cutter.blocks);
    free(cutter.states);
    like_intern_clear(&cutter.hashes);
    return fewer;
}
