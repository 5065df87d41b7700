/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "p11prof/feed.h"

#include "attribution.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct p11prof_feed {
    struct p11prof_store *store;
    struct p11prof_process_rows rows;
    struct attribution attribution;
    struct batch batch;
    uint64_t lost[P11PROF_CALLS + 1];
    uint64_t clamped_count;
    struct p11prof_token_row tokens[P11PROF_SPOOL_TOKENS];
    size_t token_count;
    char library[80];
    unsigned cryptoki_major, cryptoki_minor;
};

static void text_set(char *out, size_t bytes, const char *text)
{
    snprintf(out, bytes, "%s", text ? text : "");
}

/* What a spool of that process would say of it. */
static struct p11prof_spool_header *header_make(const struct p11prof_feed_process *process)
{
    struct p11prof_spool_header *header = calloc(1, sizeof *header);
    if (!header)
        return NULL;
    memcpy(header->run_id, process->run_id, sizeof header->run_id);
    memcpy(header->process_id, process->process_id, sizeof header->process_id);
    memcpy(header->spool_id, process->process_id, sizeof header->spool_id);
    header->pid = process->pid;
    header->run_start.wall_ns = process->run_start_wall_ns;
    header->start =
        (struct p11prof_anchor){.monotonic_ns = process->start_ns,
                                .wall_ns = process->run_start_wall_ns + process->start_ns};
    text_set(header->run_name, sizeof header->run_name, process->name);
    text_set(header->module_path, sizeof header->module_path, process->module_path);
    return header;
}

static enum p11prof_status enter(struct p11prof_feed *feed,
                                 const struct p11prof_feed_process *process,
                                 struct p11prof_error *error)
{
    struct p11prof_spool_header *header = header_make(process);
    if (!header)
        return p11prof_error_set(error, P11PROF_FAILED, "no memory for an import");
    enum p11prof_status status = p11prof_store_enter(feed->store, header, &feed->rows, error);
    free(header);
    return status ? status : p11prof_store_run_elsewhere(feed->store, feed->rows.run_id, error);
}

enum p11prof_status p11prof_feed_open(struct p11prof_feed **out, struct p11prof_store *store,
                                      const struct p11prof_feed_process *process,
                                      struct p11prof_error *error)
{
    struct p11prof_feed *feed = calloc(1, sizeof *feed);
    *out = NULL;
    if (!feed)
        return p11prof_error_set(error, P11PROF_FAILED, "no memory for an import");
    feed->store = store;
    attribution_init(&feed->attribution);
    batch_init(&feed->batch);
    enum p11prof_status status = enter(feed, process, error);
    if (status) {
        p11prof_feed_close(feed);
        return status;
    }
    *out = feed;
    return P11PROF_OK;
}

void p11prof_feed_close(struct p11prof_feed *feed)
{
    if (!feed)
        return;
    attribution_clear(&feed->attribution);
    batch_free(&feed->batch);
    free(feed);
}

int64_t p11prof_feed_run(const struct p11prof_feed *feed)
{
    return feed->rows.run_id;
}

/* Attribution counted each call as one of 0 ns. */
static void durations_forget(struct batch *batch)
{
    batch->out.untimed = true;
    batch->out.thread_count = 0;
    for (size_t i = 0; i < batch->out.row_count; i++)
        batch->out.rows[i].known |= P11PROF_ROW_UNTIMED;
    for (size_t i = 0; i < batch->out.group_count; i++)
        for (size_t octave = 0; octave < P11PROF_OCTAVES; octave++) {
            free(batch->out.groups[i].octaves[octave]);
            batch->out.groups[i].octaves[octave] = NULL;
        }
}

static enum p11prof_status batch_write(struct p11prof_feed *feed, bool last,
                                       struct p11prof_error *error)
{
    struct batch *batch = &feed->batch;
    bool made = attribution_finish(&feed->attribution, batch, last) && !batch->no_memory;
    if (!made)
        return p11prof_error_set(error, P11PROF_FAILED, "no memory for an import");
    durations_forget(batch);
    batch->out.process_ended = last;
    batch->out.clamped_count = feed->clamped_count;
    enum p11prof_status status =
        p11prof_store_write(feed->store, &feed->rows, &batch->out, true, error);
    if (status)
        return status;
    attribution_stored(&feed->attribution);
    feed->rows.batch++;
    batch_clear(batch);
    return P11PROF_OK;
}

enum p11prof_status p11prof_feed_call(struct p11prof_feed *feed,
                                      const struct p11prof_feed_call *call,
                                      struct p11prof_error *error)
{
    struct p11prof_record record = {
        .start_ticks = call->start_ns, .session = call->session, .rv = call->rv};
    atomic_init(&record.head,
                p11prof_record_head(call->function, P11PROF_RECORD_CALL, 0, call->flags));
    memcpy(record.fact, call->fact, sizeof record.fact);
    const struct call_event event = {.record = &record,
                                     .notes = call->notes,
                                     .note_count = call->note_count,
                                     .thread_id = call->thread_id,
                                     .start_ns = call->start_ns};
    feed->clamped_count += (call->flags & P11PROF_RECORD_CLAMPED) != 0;
    if (!attribution_call(&feed->attribution, &feed->batch, &event))
        return p11prof_error_set(error, P11PROF_FAILED, "no memory for an import");
    return feed->batch.out.row_count < BATCH_ROWS_MOST ? P11PROF_OK
                                                       : batch_write(feed, false, error);
}

enum p11prof_status p11prof_feed_flush(struct p11prof_feed *feed, struct p11prof_error *error)
{
    enum p11prof_status status =
        feed->batch.out.row_count > 0 ? batch_write(feed, false, error) : P11PROF_OK;
    if (!status)
        batch_free(&feed->batch);
    return status;
}

void p11prof_feed_lost(struct p11prof_feed *feed, unsigned function)
{
    feed->lost[function]++;
}

void p11prof_feed_token(struct p11prof_feed *feed, const struct p11prof_token_row *token)
{
    size_t i = 0;
    while (i < feed->token_count && feed->tokens[i].slot_id != token->slot_id)
        i++;
    if (i == P11PROF_SPOOL_TOKENS)
        return;
    feed->tokens[i] = *token;
    feed->token_count += i == feed->token_count;
}

void p11prof_feed_library(struct p11prof_feed *feed, const char *library, unsigned cryptoki_major,
                          unsigned cryptoki_minor)
{
    text_set(feed->library, sizeof feed->library, library);
    feed->cryptoki_major = cryptoki_major;
    feed->cryptoki_minor = cryptoki_minor;
}

static struct p11prof_token_row *token_of(struct p11prof_feed *feed, uint64_t slot_id)
{
    for (size_t i = 0; i < feed->token_count; i++)
        if (feed->tokens[i].slot_id == slot_id)
            return &feed->tokens[i];
    p11prof_feed_token(feed, &(struct p11prof_token_row){.slot_id = slot_id});
    return feed->token_count && feed->tokens[feed->token_count - 1].slot_id == slot_id
               ? &feed->tokens[feed->token_count - 1]
               : NULL;
}

static bool tokens_add(struct p11prof_feed *feed)
{
    const struct counters *counters = &feed->attribution.counters;
    for (uint32_t i = 0; i < counters->slot_count; i++) {
        struct p11prof_token_row *token = token_of(feed, counters->slots[i].slot_id);
        if (token)
            token->session_count = counters->slots[i].session_count;
    }
    for (size_t i = 0; i < feed->token_count; i++) {
        struct p11prof_token_row *row = batch_token(&feed->batch);
        if (!row)
            return false;
        *row = feed->tokens[i];
    }
    return true;
}

static bool losses_add(struct p11prof_feed *feed)
{
    for (unsigned function = 0; function <= P11PROF_CALLS; function++) {
        struct p11prof_loss_row *row = feed->lost[function] ? batch_loss(&feed->batch) : NULL;
        if (feed->lost[function] && !row)
            return false;
        if (row)
            *row = (struct p11prof_loss_row){.function = (uint16_t)function,
                                             .cause = P11PROF_LOSS_TORN,
                                             .count = feed->lost[function]};
    }
    return true;
}

enum p11prof_status p11prof_feed_end(struct p11prof_feed *feed, struct p11prof_error *error)
{
    struct p11prof_batch *out = &feed->batch.out;
    if (!tokens_add(feed) || !losses_add(feed))
        return p11prof_error_set(error, P11PROF_FAILED, "no memory for an import");
    if (feed->library[0]) {
        out->library_known = true;
        text_set(out->library, sizeof out->library, feed->library);
        out->cryptoki_major = (uint8_t)feed->cryptoki_major;
        out->cryptoki_minor = (uint8_t)feed->cryptoki_minor;
    }
    return batch_write(feed, true, error);
}
