/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "steps.h"

#include "report/allocate.h"

#include <stdlib.h>

/* Sizes below EXACT are kept as they are, so are those of blocks below EXACT_BLOCKS: the mean of
 * several would be too far from each. Others are alike within a factor of 4. */
enum { EXACT = 32, BLOCK = 16, EXACT_BLOCKS = 512, CLASS_BITS = 2 };

_Static_assert(sizeof(struct like_call) == 6 * sizeof(uint32_t) + 11 * sizeof(int64_t),
               "shapes are compared byte for byte: no padding");

static int64_t size_class(int64_t bytes, bool in_blocks)
{
    if (bytes < EXACT || (in_blocks && bytes < EXACT_BLOCKS && bytes % BLOCK == 0))
        return bytes;
    return LIKE_UNKNOWN - 1 - (63 - __builtin_clzll((uint64_t)bytes)) / CLASS_BITS;
}

static bool takes_blocks(unsigned function)
{
    unsigned operation = p11prof_calls[function].operation;
    return operation == P11PROF_OPERATION_ENCRYPT || operation == P11PROF_OPERATION_DECRYPT;
}

void like_shapes_init(struct like_shapes *shapes)
{
    shapes->intern = (struct like_intern){.bytes = sizeof(struct like_call)};
}

void like_shapes_clear(struct like_shapes *shapes)
{
    like_intern_clear(&shapes->intern);
}

void like_steps_add(struct like_steps *steps, struct like_shapes *shapes,
                    const struct like_call *call)
{
    struct like_call shape = *call;
    bool in_blocks = takes_blocks(call->function);
    shape.think_ns = 0;
    shape.in_bytes = size_class(call->in_bytes, in_blocks);
    shape.out_bytes =
        call->in_bytes == LIKE_UNKNOWN ? size_class(call->out_bytes, false) : LIKE_UNKNOWN;
    steps->steps =
        p11prof_grow(steps->steps, &steps->capacity, steps->count + 1, sizeof *steps->steps);
    steps->steps[steps->count++] =
        (struct like_step){.think_ns = call->think_ns,
                           .in_bytes = call->in_bytes,
                           .out_bytes = call->out_bytes,
                           .shape = like_intern_put(&shapes->intern, &shape)};
}

const struct like_call *like_shape(const struct like_shapes *shapes, uint32_t shape)
{
    return like_intern_at(&shapes->intern, shape);
}

void like_steps_clear(struct like_steps *steps)
{
    free(steps->steps);
    *steps = (struct like_steps){.steps = NULL};
}
