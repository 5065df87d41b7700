/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "batch.h"
#include "mix.h"

#include <stdlib.h>

/* Where the thread is, or where it would go. */
static uint32_t *slot_of(const struct batch *batch, uint32_t thread_id)
{
    size_t mask = batch->thread_slot_count - 1, slot = mix(thread_id, batch->seed) & mask;
    while (batch->thread_slots[slot] &&
           batch->out.threads[batch->thread_slots[slot] - 1].thread_id != thread_id)
        slot = (slot + 1) & mask;
    return &batch->thread_slots[slot];
}

static bool slots_grow(struct batch *batch)
{
    size_t larger = batch->thread_slot_count ? batch->thread_slot_count * 2 : 64;
    uint32_t *slots = calloc(larger, sizeof *slots);
    if (!slots) {
        batch->no_memory = true;
        return false;
    }
    free(batch->thread_slots);
    batch->thread_slots = slots;
    batch->thread_slot_count = larger;
    for (size_t i = 0; i < batch->out.thread_count; i++)
        *slot_of(batch, batch->out.threads[i].thread_id) = (uint32_t)i + 1;
    return true;
}

static struct p11prof_thread_sum *thread_make(struct batch *batch, uint32_t thread_id)
{
    struct p11prof_thread_sum *thread = batch_thread(batch);
    if (!thread)
        return NULL;
    thread->thread_id = thread_id;
    thread->first_ns = UINT64_MAX;
    return thread;
}

/* Calls of one thread often follow each other: the last one is looked at first. */
static struct p11prof_thread_sum *thread_find(struct batch *batch, uint32_t thread_id)
{
    uint32_t hint = batch->thread_hint;
    if (hint && batch->out.threads[hint - 1].thread_id == thread_id)
        return &batch->out.threads[hint - 1];
    if (batch->out.thread_count * 2 >= batch->thread_slot_count && !slots_grow(batch))
        return NULL;
    uint32_t *slot = slot_of(batch, thread_id);
    struct p11prof_thread_sum *thread =
        *slot ? &batch->out.threads[*slot - 1] : thread_make(batch, thread_id);
    if (thread)
        *slot = batch->thread_hint = (uint32_t)(thread - batch->out.threads) + 1;
    return thread;
}

bool batch_thread_add(struct batch *batch, const struct p11prof_row *row)
{
    struct p11prof_thread_sum *thread = thread_find(batch, row->thread_id);
    if (!thread)
        return false;
    uint64_t end_ns = row->start_ns + row->duration_ns;
    bool nested = (row->flags & P11PROF_ROW_NESTED) != 0;
    bool waits = row->kind == P11PROF_KIND_BLOCKING;
    thread->call_count++;
    thread->first_ns = row->start_ns < thread->first_ns ? row->start_ns : thread->first_ns;
    thread->last_ns = end_ns > thread->last_ns ? end_ns : thread->last_ns;
    thread->outer_ns += nested || waits ? 0 : row->duration_ns;
    thread->waiting_ns += !nested && waits ? row->duration_ns : 0;
    return true;
}
