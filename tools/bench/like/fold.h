/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Calls of a thread become nodes: what is repeated stands once. */
#ifndef P11PROF_BENCH_LIKE_FOLD_H
#define P11PROF_BENCH_LIKE_FOLD_H

#include "steps.h"

/* Sets nodes and count of the thread, which owns them, and adds their number to *node_count.
 * Counts of calls are exact. Think times and sizes of calls that are folded into one become their
 * mean, sizes rounded to blocks of 16 where all of them are such; their sum stays. */
void like_fold(struct like_thread *thread, const struct like_steps *steps,
               const struct like_shapes *shapes, size_t *node_count);

#endif
