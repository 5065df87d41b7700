/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "batch.h"
#include "mix.h"

#include <stdlib.h>
#include <string.h>

void batch_init(struct batch *batch)
{
    memset(batch, 0, sizeof *batch);
    batch->seed = mix_seed();
}

/* Room for one more element; the new one is zeroed. */
static void *grow(struct batch *batch, void **array, size_t *count, size_t *capacity, size_t bytes)
{
    if (*count == *capacity) {
        size_t larger = *capacity ? *capacity * 2 : 16;
        void *moved = realloc(*array, larger * bytes);
        if (!moved) {
            batch->no_memory = true;
            return NULL;
        }
        *array = moved;
        *capacity = larger;
    }
    return memset((char *)*array + (*count)++ * bytes, 0, bytes);
}

#define BATCH_ARRAY(name, type, array, count, capacity)                                            \
    struct type *batch_##name(struct batch *batch)                                                 \
    {                                                                                              \
        return grow(batch, (void **)&batch->out.array, &batch->out.count, &batch->capacity,        \
                    sizeof(struct type));                                                          \
    }
BATCH_ARRAY(row, p11prof_row, rows, row_count, row_capacity)
BATCH_ARRAY(error, p11prof_error_count, errors, error_count, error_capacity)
BATCH_ARRAY(thread, p11prof_thread_sum, threads, thread_count, thread_capacity)
BATCH_ARRAY(session, p11prof_session_row, sessions, session_count, session_capacity)
BATCH_ARRAY(caller, p11prof_caller_row, callers, caller_count, caller_capacity)
BATCH_ARRAY(state, p11prof_state_row, states, state_count, state_capacity)
BATCH_ARRAY(position, p11prof_position_row, positions, position_count, position_capacity)
BATCH_ARRAY(loss, p11prof_loss_row, losses, loss_count, loss_capacity)
BATCH_ARRAY(in_flight, p11prof_in_flight_row, in_flight, in_flight_count, in_flight_capacity)
BATCH_ARRAY(token, p11prof_token_row, tokens, token_count, token_capacity)

void *batch_keep(struct batch *batch, const void *bytes, size_t count)
{
    char **place = grow(batch, (void **)&batch->texts, &batch->text_count, &batch->text_capacity,
                        sizeof *batch->texts);
    if (!place)
        return NULL;
    *place = malloc(count ? count : 1);
    if (!*place) {
        batch->no_memory = true;
        return NULL;
    }
    return memcpy(*place, bytes, count);
}

bool batch_state_set(struct batch *batch, enum p11prof_state_kind kind, uint64_t key,
                     const void *data, size_t data_bytes)
{
    struct p11prof_state_row *row = batch_state(batch);
    if (!row)
        return false;
    *row = (struct p11prof_state_row){
        .kind = (uint8_t)kind, .key = key, .data = data, .data_bytes = data_bytes};
    return true;
}

void batch_clear(struct batch *batch)
{
    for (size_t i = 0; i < batch->text_count; i++)
        free(batch->texts[i]);
    for (size_t i = 0; i < batch->out.group_count; i++)
        for (size_t octave = 0; octave < P11PROF_OCTAVES; octave++)
            free(batch->out.groups[i].octaves[octave]);
    struct batch kept = *batch;
    memset(batch, 0, sizeof *batch);
    batch->out.rows = kept.out.rows, batch->row_capacity = kept.row_capacity;
    batch->out.groups = kept.out.groups, batch->group_capacity = kept.group_capacity;
    batch->out.errors = kept.out.errors, batch->error_capacity = kept.error_capacity;
    batch->out.threads = kept.out.threads, batch->thread_capacity = kept.thread_capacity;
    batch->out.sessions = kept.out.sessions, batch->session_capacity = kept.session_capacity;
    batch->out.callers = kept.out.callers, batch->caller_capacity = kept.caller_capacity;
    batch->out.states = kept.out.states, batch->state_capacity = kept.state_capacity;
    batch->out.positions = kept.out.positions, batch->position_capacity = kept.position_capacity;
    batch->out.losses = kept.out.losses, batch->loss_capacity = kept.loss_capacity;
    batch->out.in_flight = kept.out.in_flight, batch->in_flight_capacity = kept.in_flight_capacity;
    batch->out.tokens = kept.out.tokens, batch->token_capacity = kept.token_capacity;
    batch->texts = kept.texts, batch->text_capacity = kept.text_capacity;
    batch->group_slots = kept.group_slots, batch->group_slot_count = kept.group_slot_count;
    batch->error_slots = kept.error_slots, batch->error_slot_count = kept.error_slot_count;
    batch->thread_slots = kept.thread_slots, batch->thread_slot_count = kept.thread_slot_count;
    batch->seed = kept.seed;
    if (batch->group_slots)
        memset(batch->group_slots, 0, batch->group_slot_count * sizeof *batch->group_slots);
    if (batch->error_slots)
        memset(batch->error_slots, 0, batch->error_slot_count * sizeof *batch->error_slots);
    if (batch->thread_slots)
        memset(batch->thread_slots, 0, batch->thread_slot_count * sizeof *batch->thread_slots);
}

void batch_free(struct batch *batch)
{
    batch_clear(batch);
    free(batch->out.rows);
    free(batch->out.groups);
    free(batch->out.errors);
    free(batch->out.threads);
    free(batch->out.sessions);
    free(batch->out.callers);
    free(batch->out.states);
    free(batch->out.positions);
    free(batch->out.losses);
    free(batch->out.in_flight);
    free(batch->out.tokens);
    free(batch->texts);
    free(batch->group_slots);
    free(batch->error_slots);
    free(batch->thread_slots);
    batch_init(batch);
}
