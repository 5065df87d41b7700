/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* A thread that does a few things in no order that repeats: which ones they are, how often each,
 * and an order that does. */
#ifndef P11PROF_BENCH_LIKE_BLOCKS_H
#define P11PROF_BENCH_LIKE_BLOCKS_H

#include "steps.h"

/* Cuts the calls where the state of the thread is the one that it has most often (state.h), counts
 * the blocks between that are alike, and plays them in rounds: in each of 16 a sixteenth of each
 * kind, and so on in each round. What comes before the first such place and after the last keeps
 * its order. Sets the thread's nodes and count, and adds to *node_count, unless that makes more
 * than `nodes_most`: false. */
bool like_blocks(struct like_thread *thread, const struct like_steps *steps,
                 const struct like_shapes *shapes, size_t nodes_most, size_t *node_count);

#endif
