/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The calls of a thread before they are folded: 32 bytes each. What two calls have in common, their
 * shape, is stored once; think times and sizes are those of each call. */
#ifndef P11PROF_BENCH_LIKE_STEPS_H
#define P11PROF_BENCH_LIKE_STEPS_H

#include "intern.h"
#include "script.h"

/* A call whose sizes are classes, and without its think time. */
struct like_shapes {
    struct like_intern intern; /* of struct like_call */
};

struct like_step {
    uint64_t think_ns;
    int64_t in_bytes, out_bytes; /* LIKE_UNKNOWN */
    uint32_t shape;
    uint32_t reserved;
};

struct like_steps {
    struct like_step *steps; /* owned */
    size_t count, capacity;
};

void like_shapes_init(struct like_shapes *shapes);
void like_shapes_clear(struct like_shapes *shapes);

/* Adds a call to the end. */
void like_steps_add(struct like_steps *steps, struct like_shapes *shapes,
                    const struct like_call *call);
void like_steps_clear(struct like_steps *steps);

/* The shape of a step, as a call of which sizes and think time are yet to be set. */
const struct like_call *like_shape(const struct like_shapes *shapes, uint32_t shape);

#endif
