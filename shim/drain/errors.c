/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "batch.h"
#include "mix.h"

#include <stdlib.h>

/* Where the error is, or where it would go. */
static uint32_t *slot_of(const struct batch *batch, unsigned function, uint64_t rv)
{
    size_t mask = batch->error_slot_count - 1, slot = mix(rv, batch->seed + function) & mask;
    for (; batch->error_slots[slot]; slot = (slot + 1) & mask) {
        const struct p11prof_error_count *error = &batch->out.errors[batch->error_slots[slot] - 1];
        if (error->function == function && error->rv == rv)
            break;
    }
    return &batch->error_slots[slot];
}

static bool slots_grow(struct batch *batch)
{
    size_t larger = batch->error_slot_count ? batch->error_slot_count * 2 : 64;
    uint32_t *slots = calloc(larger, sizeof *slots);
    if (!slots)
        return false;
    free(batch->error_slots);
    batch->error_slots = slots;
    batch->error_slot_count = larger;
    for (size_t i = 0; i < batch->out.error_count; i++)
        *slot_of(batch, batch->out.errors[i].function, batch->out.errors[i].rv) = (uint32_t)i + 1;
    return true;
}

static struct p11prof_error_count *error_make(struct batch *batch, unsigned function, uint64_t rv)
{
    struct p11prof_error_count *error = batch_error(batch);
    if (!error)
        return NULL;
    error->function = (uint16_t)function;
    error->rv = rv;
    error->min_ns = UINT64_MAX;
    return error;
}

bool batch_error_add(struct batch *batch, unsigned function, uint64_t rv, uint64_t duration_ns)
{
    if (batch->out.error_count * 2 >= batch->error_slot_count && !slots_grow(batch)) {
        batch->no_memory = true;
        return false;
    }
    uint32_t *slot = slot_of(batch, function, rv);
    struct p11prof_error_count *error =
        *slot ? &batch->out.errors[*slot - 1] : error_make(batch, function, rv);
    if (!error)
        return false;
    *slot = (uint32_t)(error - batch->out.errors) + 1;
    error->count++;
    error->sum_ns += duration_ns;
    error->min_ns = duration_ns < error->min_ns ? duration_ns : error->min_ns;
    error->max_ns = duration_ns > error->max_ns ? duration_ns : error->max_ns;
    return true;
}
