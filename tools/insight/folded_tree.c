/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "folded_tree.h"
#include "report/allocate.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static bool same(const struct p11prof_frame *a, const struct p11prof_frame *b)
{
    return a->parent == b->parent && a->kind == b->kind &&
           memcmp(a->words, b->words, sizeof a->words) == 0;
}

/* The place in the index where a frame is, or could be put. */
static size_t place_of(const struct p11prof_frame_tree *tree, const struct p11prof_frame *frame)
{
    uint64_t hash = (uint64_t)frame->parent << 8 | frame->kind;
    for (size_t i = 0; i < 4; i++) {
        hash = (hash ^ (uint64_t)frame->words[i]) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 32;
    }
    size_t place = (size_t)hash % tree->index_size;
    for (uint32_t node; (node = tree->index[place]); place = (place + 1) % tree->index_size)
        if (same(&tree->nodes[node - 1].frame, frame))
            break;
    return place;
}

/* The index is never more than half full. */
static void index_grow(struct p11prof_frame_tree *tree)
{
    if (tree->count * 2 < tree->index_size)
        return;
    free(tree->index);
    tree->index_size = tree->index_size ? tree->index_size * 2 : 256;
    tree->index = p11prof_zalloc(tree->index_size, sizeof *tree->index);
    for (size_t i = 0; i < tree->count; i++)
        tree->index[place_of(tree, &tree->nodes[i].frame)] = (uint32_t)i + 1;
}

uint32_t p11prof_frame_node(struct p11prof_frame_tree *tree, const struct p11prof_frame *frame)
{
    index_grow(tree);
    uint32_t *node = &tree->index[place_of(tree, frame)];
    if (*node == 0) {
        tree->nodes =
            p11prof_grow(tree->nodes, &tree->capacity, tree->count + 1, sizeof *tree->nodes);
        tree->nodes[tree->count++] = (struct p11prof_frame_node){*frame, 0};
        *node = (uint32_t)tree->count;
    }
    return *node - 1;
}

void p11prof_frame_tree_clear(struct p11prof_frame_tree *tree)
{
    free(tree->nodes);
    free(tree->index);
    *tree = (struct p11prof_frame_tree){.count = 0};
}
