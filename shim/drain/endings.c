/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "endings.h"

#include <stdio.h>
#include <string.h>

/* --- losses and in-flight marks, from the rings --- */

static void lost_add(uint64_t lost[P11PROF_LOSSES][P11PROF_CALLS + 1],
                     _Atomic(uint64_t) counts[P11PROF_RING_LOSSES][P11PROF_CALLS + 1])
{
    for (int cause = 0; cause < P11PROF_RING_LOSSES; cause++)
        for (int function = 0; function <= P11PROF_CALLS; function++)
            lost[cause][function] +=
                atomic_load_explicit(&counts[cause][function], memory_order_relaxed);
}

static bool losses_add(const struct endings *endings, struct batch *batch,
                       uint64_t lost[P11PROF_LOSSES][P11PROF_CALLS + 1])
{
    for (int cause = 0; cause < P11PROF_LOSSES; cause++)
        for (int function = 0; function <= P11PROF_CALLS; function++) {
            if (lost[cause][function] == endings->lost[cause][function])
                continue;
            struct p11prof_loss_row *row = batch_loss(batch);
            if (!row)
                return false;
            *row = (struct p11prof_loss_row){.function = (uint16_t)function,
                                             .cause = (uint8_t)cause,
                                             .count = lost[cause][function]};
        }
    return true;
}

/* A call that never came back. */
static bool in_flight_add(struct reader *reader, struct batch *batch,
                          const struct p11prof_ring *ring, uint64_t run_start_ns)
{
    uint64_t mark = atomic_load_explicit(&ring->mark, memory_order_relaxed);
    uint64_t ticks = atomic_load_explicit(&ring->mark_ticks, memory_order_relaxed);
    unsigned function = p11prof_mark_function(mark);
    if (function == 0 || function > P11PROF_CALLS)
        return true;
    uint64_t start_ns = clocks_monotonic_ns(&reader->clocks, p11prof_mark_clock(mark), ticks);
    uint64_t seen_ns = p11prof_anchor_now().monotonic_ns;
    struct p11prof_in_flight_row *row = batch_in_flight(batch);
    if (row)
        *row = (struct p11prof_in_flight_row){
            .thread_id = atomic_load_explicit(&ring->thread_id, memory_order_relaxed),
            .function = (uint16_t)function,
            .start_ns = start_ns > run_start_ns ? start_ns - run_start_ns : 0,
            .age_ns = seen_ns > start_ns ? seen_ns - start_ns : 0};
    return row != NULL;
}

/* What made no sense and is passed over by this batch; chunks once, at the end. */
static uint64_t torn_count(const struct reader *reader, bool gone)
{
    uint64_t count = gone ? reader->torn_count : 0;
    for (uint32_t ring = 0; ring < reader->layout.ring_count; ring++)
        count += reader->cursors[ring] ? reader->cursors[ring]->taken_torn : 0;
    return count;
}

static bool rings_add(struct endings *endings, struct reader *reader, struct batch *batch,
                      uint64_t run_start_ns, bool last)
{
    uint64_t lost[P11PROF_LOSSES][P11PROF_CALLS + 1] = {{0}};
    struct p11prof_ring ring;
    uint32_t used = atomic_load_explicit(&reader->header.rings_used, memory_order_relaxed);
    bool gone = last && reader->source.gone;
    lost_add(lost, reader->header.lost);
    for (uint32_t i = 0; i < used && i < reader->layout.ring_count; i++) {
        uint64_t offset = reader->layout.rings_offset + (uint64_t)i * P11PROF_RING_BYTES;
        /* Its thread goes on: of a live ring only the counts. */
        uint64_t skipped = gone ? 0 : offsetof(struct p11prof_ring, lost);
        if (!reader_bytes(reader, offset + skipped, (char *)&ring + skipped,
                          gone ? sizeof ring : sizeof ring.lost))
            break;
        lost_add(lost, ring.lost);
        if (gone && !in_flight_add(reader, batch, &ring, run_start_ns))
            return false;
    }
    lost[P11PROF_LOSS_TORN][0] = torn_count(reader, gone);
    return losses_add(endings, batch, lost);
}

/* --- texts --- */

/* A blank-padded field without its blanks; bytes that are no text become '?'. */
static void text_take(char *out, const uint8_t *field, size_t bytes)
{
    while (bytes > 0 && (field[bytes - 1] == ' ' || field[bytes - 1] == '\0'))
        bytes--;
    for (size_t i = 0; i < bytes; i++)
        out[i] = (char)(field[i] < 0x20 || field[i] == 0x7f ? '?' : field[i]);
    out[bytes] = '\0';
}

static uint64_t sessions_of(const struct attribution *attribution, uint64_t slot_id)
{
    for (uint32_t i = 0; i < attribution->counters.slot_count; i++)
        if (attribution->counters.slots[i].slot_id == slot_id)
            return attribution->counters.slots[i].session_count;
    return 0;
}

static bool token_add(struct attribution *attribution, struct batch *batch,
                      const struct p11prof_spool_token *token)
{
    struct p11prof_token_row *row = batch_token(batch);
    if (!row)
        return false;
    row->slot_id = token->slot_id;
    row->session_count = sessions_of(attribution, token->slot_id);
    row->described = true;
    text_take(row->label, token->label, sizeof token->label);
    text_take(row->manufacturer, token->manufacturer, sizeof token->manufacturer);
    text_take(row->model, token->model, sizeof token->model);
    text_take(row->serial, token->serial, sizeof token->serial);
    row->hardware_major = token->hardware_major;
    row->hardware_minor = token->hardware_minor;
    row->firmware_major = token->firmware_major;
    row->firmware_minor = token->firmware_minor;
    return true;
}

static bool version_is_whole(uint32_t version)
{
    return version != 0 && version % 2 == 0;
}

/* Tokens that were described anew; all of them when sessions were opened. */
static bool tokens_add(struct endings *endings, struct reader *reader,
                       struct attribution *attribution, struct batch *batch)
{
    bool described[P11PROF_SPOOL_TOKENS] = {false};
    for (int i = 0; i < P11PROF_SPOOL_TOKENS; i++) {
        const struct p11prof_spool_token *token = &reader->header.tokens[i];
        uint32_t version = atomic_load_explicit(&token->version, memory_order_relaxed);
        if (!version_is_whole(version))
            continue;
        endings->next_token_versions[i] = version;
        for (uint32_t slot = 0; slot < attribution->counters.slot_count; slot++)
            described[slot] |= attribution->counters.slots[slot].slot_id == token->slot_id;
        if ((attribution->tokens_dirty || version != endings->token_versions[i]) &&
            !token_add(attribution, batch, token))
            return false;
    }
    for (uint32_t slot = 0; attribution->tokens_dirty && slot < attribution->counters.slot_count;
         slot++) {
        struct p11prof_token_row *row = described[slot] ? NULL : batch_token(batch);
        if (row) {
            row->slot_id = attribution->counters.slots[slot].slot_id;
            row->session_count = attribution->counters.slots[slot].session_count;
        }
    }
    return !batch->no_memory;
}

static void library_add(struct endings *endings, const struct reader *reader, struct batch *batch)
{
    const struct p11prof_spool_library *library = &reader->header.library;
    uint32_t version = atomic_load_explicit(&library->version, memory_order_relaxed);
    char manufacturer[33], description[33];
    if (!version_is_whole(version) || version == endings->library_version)
        return;
    text_take(manufacturer, library->manufacturer, sizeof library->manufacturer);
    text_take(description, library->description, sizeof library->description);
    snprintf(batch->out.library, sizeof batch->out.library, "%.32s %u.%u (%.32s)", description,
             library->library_major, library->library_minor, manufacturer);
    batch->out.cryptoki_major = library->cryptoki_major;
    batch->out.cryptoki_minor = library->cryptoki_minor;
    batch->out.library_known = true;
    endings->next_library_version = version;
}

bool endings_add(struct endings *endings, struct reader *reader, struct attribution *attribution,
                 struct batch *batch, uint64_t run_start_monotonic_ns, bool last)
{
    const struct p11prof_spool_header *header = &reader->header;
    batch->out.clock_step_count = reader->clocks.step_count;
    batch->out.clamped_count = atomic_load_explicit(&header->clamped_count, memory_order_relaxed);
    batch->out.process_ended = last;
    batch->out.process_recovered =
        last && reader->source.gone &&
        atomic_load_explicit(&header->state, memory_order_relaxed) != P11PROF_PROCESS_ENDED;
    library_add(endings, reader, batch);
    return tokens_add(endings, reader, attribution, batch) &&
           rings_add(endings, reader, batch, run_start_monotonic_ns, last);
}

void endings_stored(struct endings *endings, const struct batch *batch)
{
    for (size_t i = 0; i < batch->out.loss_count; i++) {
        const struct p11prof_loss_row *row = &batch->out.losses[i];
        if (row->cause != P11PROF_LOSS_TORN)
            endings->lost[row->cause][row->function] = row->count;
    }
    memcpy(endings->token_versions, endings->next_token_versions, sizeof endings->token_versions);
    endings->library_version = endings->next_library_version;
}
