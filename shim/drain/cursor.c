/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "reader.h"

#include <string.h>

/* The chunk that holds the record number `position`; NULL: it is not there (any more, or yet). */
static const struct reader_chunk *chunk_of(const struct reader_cursor *cursor, uint64_t position)
{
    uint64_t sequence = position / P11PROF_CHUNK_RECORDS;
    size_t low = 0, high = cursor->chunk_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (cursor->chunks[middle].sequence < sequence)
            low = middle + 1;
        else
            high = middle;
    }
    return low < cursor->chunk_count && cursor->chunks[low].sequence == sequence
               ? &cursor->chunks[low]
               : NULL;
}

static uint64_t offset_of(const struct reader *reader, const struct reader_chunk *chunk,
                          uint64_t position)
{
    return reader->layout.chunks_offset + (uint64_t)chunk->index * P11PROF_CHUNK_BYTES +
           position % P11PROF_CHUNK_RECORDS * sizeof(struct p11prof_record);
}

static uint32_t committed(const struct p11prof_record *records, uint32_t count)
{
    uint32_t found = 0;
    while (found < count && atomic_load_explicit(&records[found].head, memory_order_acquire) != 0)
        found++;
    return found;
}

/* Copies the committed records from `position` on. What is committed is found first and copied
 * then: the copy of a record that is being written could have a head without its words. */
static void window_fill(struct reader *reader, struct reader_cursor *cursor,
                        const struct reader_chunk *chunk, uint64_t position)
{
    uint64_t first = position % P11PROF_CHUNK_RECORDS;
    bool full =
        chunk + 1 < cursor->chunks + cursor->chunk_count; /* the next one was taken after it */
    /* Pages that do not exist must not be touched in a mapping; a file has zeros there. */
    uint64_t made = full || !reader->source.map ? P11PROF_CHUNK_RECORDS
                                                : chunk->made_bytes / sizeof(struct p11prof_record);
    uint64_t count = made > first ? made - first : 0;
    uint64_t offset = offset_of(reader, chunk, position);
    if (count > CURSOR_WINDOW_RECORDS)
        count = CURSOR_WINDOW_RECORDS;
    cursor->window_start = position;
    cursor->window_count = 0;
    if (reader->source.map) {
        const void *live = (const char *)reader->source.map + offset;
        count = committed(live, (uint32_t)count);
    } else {
        if (!reader_bytes(reader, offset, cursor->window, count * sizeof *cursor->window))
            return;
        count = committed(cursor->window, (uint32_t)count);
        if (reader->source.gone) {
            cursor->window_count = (uint32_t)count;
            return;
        }
    }
    if (reader_bytes(reader, offset, cursor->window, count * sizeof *cursor->window))
        cursor->window_count = (uint32_t)count;
}

/* The next committed record of a chunk after the hole at `position`; its end if there is none. */
static uint64_t hole_end(struct reader *reader, struct reader_cursor *cursor,
                         const struct reader_chunk *chunk, uint64_t position)
{
    uint64_t end = (chunk->sequence + 1) * P11PROF_CHUNK_RECORDS;
    for (; position < end; position += CURSOR_WINDOW_RECORDS) {
        uint64_t count = end - position;
        if (count > CURSOR_WINDOW_RECORDS)
            count = CURSOR_WINDOW_RECORDS;
        if (!reader_bytes(reader, offset_of(reader, chunk, position), cursor->window,
                          count * sizeof *cursor->window))
            break;
        for (uint64_t i = 0; i < count; i++)
            if (cursor->window[i].head != 0)
                return position + i;
    }
    return end;
}

/* A dead producer left no hole before a record or before another chunk: that is damage, counted and
 * skipped. */
static bool hole_skip(struct reader *reader, struct reader_cursor *cursor)
{
    const struct reader_chunk *here = chunk_of(cursor, cursor->reading), *chunk = cursor->chunks,
                              *end = cursor->chunks + cursor->chunk_count;
    if (!reader->source.gone)
        return false;
    cursor->window_count = 0;
    uint64_t start = cursor->reading;
    uint64_t next = here ? hole_end(reader, cursor, here, start) : start;
    uint64_t torn = next - start;
    if (!here || next % P11PROF_CHUNK_RECORDS == 0) {
        while (chunk < end && chunk->sequence * P11PROF_CHUNK_RECORDS < next)
            chunk++;
        if (chunk == end)
            return false;
        /* How much a missing chunk held is not known; before the first one nothing is missing. */
        torn += chunk->sequence * P11PROF_CHUNK_RECORDS > next && next > 0;
        next = chunk->sequence * P11PROF_CHUNK_RECORDS;
    }
    cursor->torn += torn;
    cursor->reading = next;
    cursor->note_count = 0;
    return next > start; /* a file that changes under us may show a hole that is none */
}

/* The record at cursor->reading, NULL if it is not committed yet. */
static const struct p11prof_record *record_at(struct reader *reader, struct reader_cursor *cursor)
{
    for (;;) {
        uint64_t in_window = cursor->reading - cursor->window_start;
        if (in_window < cursor->window_count)
            return &cursor->window[in_window];
        const struct reader_chunk *chunk = chunk_of(cursor, cursor->reading);
        if (chunk) {
            if (cursor->reading % P11PROF_CHUNK_RECORDS == 0)
                cursor->thread_id = chunk->thread_id;
            cursor->clock = chunk->clock;
            window_fill(reader, cursor, chunk, cursor->reading);
            if (cursor->window_count > 0)
                continue;
        }
        if (!hole_skip(reader, cursor))
            return NULL;
    }
}

static void note_take(struct reader_cursor *cursor, const struct p11prof_record *record,
                      unsigned function)
{
    switch (p11prof_head_kind(record->head)) {
    case P11PROF_RECORD_CALLER:
        cursor->caller[function] = record->note[0];
        break;
    case P11PROF_RECORD_LOAD:
        load_take(&cursor->load, record->note);
        break;
    case P11PROF_RECORD_THREAD: /* what stands before it belongs to no call that was kept */
        cursor->thread_id = (uint32_t)record->note[0];
        cursor->note_count = 0;
        cursor->load = (struct call_load){0};
        break;
    default:
        if (cursor->note_count < CURSOR_NOTES_MOST)
            cursor->notes[cursor->note_count++] = *record;
    }
}

static void call_take(struct reader *reader, struct reader_cursor *cursor,
                      const struct p11prof_record *record, unsigned function)
{
    uint32_t kept = 0;
    cursor->call = *record;
    cursor->has_call = true;
    cursor->call_duration_ns =
        clocks_duration_ns(&reader->clocks, cursor->clock, record->duration_ticks);
    cursor->call_end_ns = clocks_monotonic_ns(&reader->clocks, cursor->clock,
                                              record->start_ticks + record->duration_ticks);
    for (uint32_t i = 0; i < cursor->note_count; i++)
        if (p11prof_head_function(cursor->notes[i].head) == function)
            cursor->notes[kept++] = cursor->notes[i];
    cursor->note_count = kept;
}

void cursor_next(struct reader *reader, struct reader_cursor *cursor)
{
    const struct p11prof_record *record;
    cursor->has_call = false;
    cursor->note_count = 0;
    while ((record = record_at(reader, cursor))) {
        unsigned function = p11prof_head_function(record->head);
        cursor->reading++;
        if (function == 0 || function > P11PROF_CALLS)
            cursor->torn++;
        else if (p11prof_head_kind(record->head) != P11PROF_RECORD_CALL)
            note_take(cursor, record, function);
        else {
            call_take(reader, cursor, record, function);
            return;
        }
    }
}

/* Callers and thread of a chunk that was drained in part are in its first part. */
static void chunk_start_recall(struct reader *reader, struct reader_cursor *cursor)
{
    uint64_t start = cursor->position / P11PROF_CHUNK_RECORDS * P11PROF_CHUNK_RECORDS;
    const struct p11prof_record *record;
    cursor->reading = start;
    while (cursor->reading < cursor->position && (record = record_at(reader, cursor))) {
        unsigned function = p11prof_head_function(record->head);
        if (function > 0 && function <= P11PROF_CALLS &&
            p11prof_head_kind(record->head) != P11PROF_RECORD_CALL)
            note_take(cursor, record, function);
        cursor->reading++;
    }
}

void cursor_rewind(struct reader *reader, struct reader_cursor *cursor)
{
    cursor->window_count = 0;
    if (cursor->thread_id == 0)
        chunk_start_recall(reader, cursor);
    cursor->reading = cursor->position;
    cursor->taken = cursor->position;
    cursor->torn = cursor->taken_torn = 0;
    cursor->window_count = 0;
}
