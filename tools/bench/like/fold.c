/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "fold.h"

#include "blocks.h"
#include "items.h"

#include <stdlib.h>

/* Beyond that many nodes, the order of a thread is given up for fewer. */
enum { IN_ORDER_MOST = 10000 };

void like_fold(struct like_thread *thread, const struct like_steps *steps,
               const struct like_shapes *shapes, size_t *node_count)
{
    struct like_folder *folder = like_folder_new(LIKE_DEPTH_MOST);
    struct like_item *items;
    size_t count, nodes;
    for (size_t i = 0; i < steps->count; i++) {
        const struct like_item item = like_item_of(&steps->steps[i]);
        like_folder_put(folder, &item);
    }
    items = like_folder_end(folder, &count);
    nodes = like_items_nodes(items, count);
    if (nodes <= IN_ORDER_MOST || !like_blocks(thread, steps, shapes, nodes / 2, node_count)) {
        thread->nodes = like_nodes_of(items, count, shapes, node_count);
        thread->count = count;
    }
    like_items_free(items, count);
    free(items);
}
