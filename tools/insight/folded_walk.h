/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Calls, one after another in the order of their ends, become time of stacks.
 *
 * A call's frames are its program, the site that called, the operation that it is part of, and its
 * function. Calls made inside another one stand below that one, whose own time is less by theirs:
 * they end first and are kept until the outer one does. What an operation is about may be known at
 * its last call only: the time of its earlier ones is moved there then. Memory: stacks that differ,
 * nested calls whose outer one has not ended, and 4096 operations. One thread. */
#ifndef P11PROF_INSIGHT_FOLDED_WALK_H
#define P11PROF_INSIGHT_FOLDED_WALK_H

#include "event.h"
#include "folded_tree.h"

/* Where a call's first two frames come from. */
struct p11prof_folded_place {
    uint32_t program, site; /* numbers of texts */
};

/* Starts as {0}. */
struct p11prof_folded_walk {
    struct p11prof_frame_tree tree;
    struct p11prof_folded_thread *threads; /* private: nested calls whose outer one goes on */
    size_t thread_count, thread_capacity, last_thread;
    struct p11prof_frame_tree thread_numbers;  /* private */
    struct p11prof_unknown_operation *unknown; /* private */
};

/* Takes a call. Calls without a time, and those that wait, with all in them, have none here. */
void p11prof_folded_take(struct p11prof_folded_walk *walk, const struct p11prof_event *event,
                         const struct p11prof_folded_place *place);

/* Takes those as outer calls whose outer one never came. */
void p11prof_folded_end(struct p11prof_folded_walk *walk);
void p11prof_folded_walk_clear(struct p11prof_folded_walk *walk);

#endif
