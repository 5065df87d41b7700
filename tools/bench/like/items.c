/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "items.h"

#include "report/allocate.h"

#include <stdlib.h>

enum { BLOCK = 16 };

static uint64_t plus(uint64_t one, uint64_t other)
{
    uint64_t sum;
    return __builtin_add_overflow(one, other, &sum) ? UINT64_MAX : sum;
}

static struct like_sum sum_of(int64_t bytes)
{
    return bytes < 0 ? (struct like_sum){.in_blocks = true}
                     : (struct like_sum){(uint64_t)bytes, 1, bytes % BLOCK == 0};
}

static void sum_add(struct like_sum *into, const struct like_sum *from)
{
    into->bytes = plus(into->bytes, from->bytes);
    into->count += from->count;
    into->in_blocks = into->in_blocks && from->in_blocks;
}

struct like_item like_item_of(const struct like_step *step)
{
    return (struct like_item){.hash = (step->shape + 1) * UINT64_C(0x9E3779B97F4A7C15),
                              .times = 1,
                              .shape = step->shape,
                              .count = 1,
                              .think_ns = step->think_ns,
                              .in = sum_of(step->in_bytes),
                              .out = sum_of(step->out_bytes)};
}

static void item_merge(struct like_item *into, const struct like_item *from)
{
    into->count += from->count;
    into->think_ns = plus(into->think_ns, from->think_ns);
    sum_add(&into->in, &from->in);
    sum_add(&into->out, &from->out);
}

void like_item_add(struct like_item *item, const struct like_step *step)
{
    const struct like_item one = like_item_of(step);
    item_merge(item, &one);
}

bool like_items_same(const struct like_item *one, const struct like_item *other, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (one[i].hash != other[i].hash || one[i].times != other[i].times ||
            one[i].shape != other[i].shape || one[i].body_count != other[i].body_count ||
            !like_items_same(one[i].body, other[i].body, one[i].body_count))
            return false;
    }
    return true;
}

void like_items_merge(struct like_item *into, struct like_item *from, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        item_merge(&into[i], &from[i]);
        like_items_merge(into[i].body, from[i].body, into[i].body_count);
        free(from[i].body);
    }
}

void like_items_free(struct like_item *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        like_items_free(items[i].body, items[i].body_count);
        free(items[i].body);
    }
}

/* --- nodes --- */

static uint64_t mean(uint64_t sum, uint64_t count)
{
    return count == 0 ? 0 : sum / count + (sum % count >= count - count / 2);
}

static int64_t mean_bytes(const struct like_sum *sum)
{
    if (sum->count == 0)
        return LIKE_UNKNOWN;
    uint64_t bytes = mean(sum->bytes, sum->count);
    if (sum->in_blocks)
        bytes = (bytes + BLOCK / 2) / BLOCK * BLOCK;
    return bytes > INT64_MAX ? INT64_MAX : (int64_t)bytes;
}

static void node_of(struct like_node *node, const struct like_item *item,
                    const struct like_shapes *shapes, size_t *node_count)
{
    node->times = item->times;
    ++*node_count;
    if (item->body_count == 1 && !item->body[0].body)
        item = item->body;
    if (item->body) {
        node->nodes = like_nodes_of(item->body, item->body_count, shapes, node_count);
        node->count = item->body_count;
        return;
    }
    node->call = *like_shape(shapes, item->shape);
    node->call.think_ns = mean(item->think_ns, item->count);
    node->call.in_bytes = mean_bytes(&item->in);
    node->call.out_bytes = mean_bytes(&item->out);
}

struct like_node *like_nodes_of(const struct like_item *items, size_t count,
                                const struct like_shapes *shapes, size_t *node_count)
{
    struct like_node *nodes = p11prof_zalloc(count, sizeof *nodes);
    for (size_t i = 0; i < count; i++)
        node_of(&nodes[i], &items[i], shapes, node_count);
    return nodes;
}

size_t like_items_nodes(const struct like_item *items, size_t count)
{
    size_t nodes = count;
    for (size_t i = 0; i < count; i++)
        if (items[i].body_count > 1 || (items[i].body && items[i].body[0].body))
            nodes += like_items_nodes(items[i].body, items[i].body_count);
    return nodes;
}
