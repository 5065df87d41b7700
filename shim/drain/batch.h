/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Building a batch: the arrays of struct p11prof_batch as they grow, and its groups, errors and
 * threads as hash tables. */
#ifndef P11PROF_DRAIN_BATCH_H
#define P11PROF_DRAIN_BATCH_H

#include "p11prof/batch.h"

enum { BATCH_ROWS_MOST = 65536 };

struct batch {
    struct p11prof_batch out; /* what the store gets; arrays are owned here */
    size_t row_capacity, group_capacity, error_capacity, thread_capacity, session_capacity,
        caller_capacity, state_capacity, position_capacity, loss_capacity, in_flight_capacity,
        token_capacity;
    uint32_t *group_slots; /* index + 1 into out.groups */
    size_t group_slot_count;
    uint32_t *error_slots; /* index + 1 into out.errors */
    size_t error_slot_count;
    uint32_t *thread_slots; /* index + 1 into out.threads */
    size_t thread_slot_count;
    uint32_t thread_hint;         /* last thread: index + 1 */
    uint64_t seed;                /* of all three */
    uint32_t group_hints[2][256]; /* last group of each function and operation: index + 1 */
    char **texts;                 /* strings and blobs that rows point to */
    size_t text_count, text_capacity;
    bool no_memory; /* an addition failed: this batch must not be written */
};

void batch_init(struct batch *batch);
void batch_clear(struct batch *batch); /* empty, memory kept */
void batch_free(struct batch *batch);

/* The next element of an array, zeroed; NULL without memory (no_memory is set). */
struct p11prof_row *batch_row(struct batch *batch);
struct p11prof_error_count *batch_error(struct batch *batch);
struct p11prof_thread_sum *batch_thread(struct batch *batch);
struct p11prof_session_row *batch_session(struct batch *batch);
struct p11prof_caller_row *batch_caller(struct batch *batch);
struct p11prof_state_row *batch_state(struct batch *batch);
struct p11prof_position_row *batch_position(struct batch *batch);
struct p11prof_loss_row *batch_loss(struct batch *batch);
struct p11prof_in_flight_row *batch_in_flight(struct batch *batch);
struct p11prof_token_row *batch_token(struct batch *batch);

/* A copy that lives as long as the batch; NULL without memory. */
void *batch_keep(struct batch *batch, const void *bytes, size_t count);

/* What is to be stored of this state: data stays where it is until the batch is cleared; NULL
 * removes it. Later ones win. */
bool batch_state_set(struct batch *batch, enum p11prof_state_kind kind, uint64_t key,
                     const void *data, size_t data_bytes);

/* What a group is made of, and what one call or operation adds to it. */
struct group_key {
    bool operation;
    uint8_t kind;
    uint16_t code;
    int64_t mechanism, key_type, key_bits; /* or P11PROF_UNKNOWN */
    uint32_t part;                         /* 0: of no load */
    uint64_t window_start_ns;              /* of a part */
};
struct group_addition {
    uint64_t start_ns, duration_ns, in_bytes, out_bytes;
    bool failed, undisclosed;
};
bool batch_group_add(struct batch *batch, const struct group_key *key,
                     const struct group_addition *addition);

/* Counts an error for the view `errors`. */
bool batch_error_add(struct batch *batch, unsigned function, uint64_t rv, uint64_t duration_ns);

/* Counts a call for the view `threads`. */
bool batch_thread_add(struct batch *batch, const struct p11prof_row *row);

#endif
