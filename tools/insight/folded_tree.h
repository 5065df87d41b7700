/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The frames of folded stacks as a tree: the same frame below the same one is one node. */
#ifndef P11PROF_INSIGHT_FOLDED_TREE_H
#define P11PROF_INSIGHT_FOLDED_TREE_H

#include <stddef.h>
#include <stdint.h>

enum p11prof_frame_kind {
    P11PROF_FRAME_PROGRAM,   /* number of its text */
    P11PROF_FRAME_SITE,      /* number of its text */
    P11PROF_FRAME_OPERATION, /* enum p11prof_operation, mechanism, key type, key bits */
    P11PROF_FRAME_FUNCTION,  /* enum p11prof_function, enum p11prof_call_kind */
};

struct p11prof_frame {
    uint32_t parent; /* node, or P11PROF_FRAME_ROOT */
    enum p11prof_frame_kind kind;
    int64_t words[4];
};

#define P11PROF_FRAME_ROOT UINT32_MAX

/* Starts as {0}. */
struct p11prof_frame_tree {
    struct p11prof_frame_node {
        struct p11prof_frame frame;
        int64_t self_ns; /* not that of the nodes below */
    } * nodes;
    size_t count, capacity;
    uint32_t *index; /* 1 + a node by the hash of its frame; 0: free */
    size_t index_size;
};

/* The node of a frame; a new one has no time yet. */
uint32_t p11prof_frame_node(struct p11prof_frame_tree *tree, const struct p11prof_frame *frame);

void p11prof_frame_tree_clear(struct p11prof_frame_tree *tree);

#endif
