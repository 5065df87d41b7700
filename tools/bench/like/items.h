/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Nodes while they are folded: calls with sums of what is folded into them, and repeats. */
#ifndef P11PROF_BENCH_LIKE_ITEMS_H
#define P11PROF_BENCH_LIKE_ITEMS_H

#include "steps.h"

/* Bytes of several calls. */
struct like_sum {
    uint64_t bytes, count;
    bool in_blocks; /* each is a multiple of 16 */
};

struct like_item {
    uint64_t hash;          /* of all but sums */
    uint64_t times;         /* of a repeat */
    struct like_item *body; /* owned; NULL: a call */
    size_t body_count;
    uint64_t body_hash;
    unsigned depth;           /* repeats in it, one in the other */
    uint32_t shape;           /* of a call */
    uint64_t count, think_ns; /* of calls in it */
    struct like_sum in, out;
};

struct like_item like_item_of(const struct like_step *step);
/* Adds one more call of the same shape. */
void like_item_add(struct like_item *item, const struct like_step *step);
bool like_items_same(const struct like_item *one, const struct like_item *other, size_t count);
/* Adds the sums of items that are the same, and frees what is in them. */
void like_items_merge(struct like_item *into, struct like_item *from, size_t count);
void like_items_free(struct like_item *items, size_t count);

/* What is repeated, one directly behind the other, becomes a repeat, with repeats in it, at most
 * `depth`. Takes the items one by one: put() owns their insides from then on. */
struct like_folder;
struct like_folder *like_folder_new(unsigned depth);
void like_folder_put(struct like_folder *folder, const struct like_item *item);
/* The items, which the caller frees with like_items_free() and free(); frees the folder. */
struct like_item *like_folder_end(struct like_folder *folder, size_t *count);

/* Nodes of items, with means for sums; the caller owns them. Adds their number. */
struct like_node *like_nodes_of(const struct like_item *items, size_t count,
                                const struct like_shapes *shapes, size_t *node_count);
/* How many nodes they make. */
size_t like_items_nodes(const struct like_item *items, size_t count);

#endif
