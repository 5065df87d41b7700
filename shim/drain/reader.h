/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Reading a spool that is not believed: every offset comes from our own layout, every byte is
 * copied before it is looked at.
 *
 * The order of calls is the order of their ends, over all rings (an effect ends before its use
 * starts). */
#ifndef P11PROF_DRAIN_READER_H
#define P11PROF_DRAIN_READER_H

#include "clocks.h"
#include "load.h"
#include "p11prof/drain.h"

enum { CURSOR_WINDOW_RECORDS = 256, CURSOR_NOTES_MOST = 64 };

/* A chunk that a ring has taken, as its descriptor says. */
struct reader_chunk {
    uint32_t index, ring, thread_id, clock;
    uint64_t sequence;
    uint32_t made_bytes;
    struct p11prof_anchor anchor;
};

/* Where one ring is read. */
struct reader_cursor {
    uint32_t ring, thread_id, clock;
    uint64_t position;         /* records that are in the database */
    uint64_t taken;            /* records that are in the batch in hand too */
    uint64_t reading;          /* the next record to look at */
    uint64_t torn, taken_torn; /* what made no sense from position to reading, and to taken */
    uint64_t caller[P11PROF_CALLS + 1];
    struct call_load load;
    const struct reader_chunk *chunks; /* of this ring, by sequence */
    size_t chunk_count;
    uint64_t window_start;
    uint32_t window_count;
    struct p11prof_record window[CURSOR_WINDOW_RECORDS];
    /* The next call and its notes. */
    bool has_call;
    struct p11prof_record call;
    uint64_t call_end_ns, call_duration_ns; /* CLOCK_MONOTONIC */
    struct p11prof_record notes[CURSOR_NOTES_MOST];
    uint32_t note_count;
};

struct reader {
    struct p11prof_spool_source source;
    struct p11prof_spool_layout layout;
    struct p11prof_spool_header header; /* a copy; strings end in NUL */
    struct reader_chunk *chunks;        /* all that are taken, by ring and sequence */
    size_t chunk_count;
    struct reader_cursor **cursors; /* [ring_count]; NULL: nothing seen of it yet */
    struct clocks clocks;
    uint64_t torn_count; /* chunks that make no sense, of this refresh */
    bool cut;            /* the file is shorter than it was */
};

enum p11prof_status reader_open(struct reader *reader, const struct p11prof_spool_source *source,
                                struct p11prof_error *error);
void reader_close(struct reader *reader);

/* False if the file is shorter than it says. */
bool reader_bytes(struct reader *reader, uint64_t offset, void *bytes, size_t count);
bool reader_write(struct reader *reader, uint64_t offset, const void *bytes, size_t count);

/* Copies header, chunk directory and clocks anew, and points the cursors at them. */
enum p11prof_status reader_refresh(struct reader *reader, struct p11prof_error *error);

/* The cursor of a ring, made at position 0 where there is none. NULL only without memory. */
struct reader_cursor *reader_cursor(struct reader *reader, uint32_t ring);

/* Starts to read a cursor at its position. */
void cursor_rewind(struct reader *reader, struct reader_cursor *cursor);

/* Finds the cursor's next complete call and its notes; has_call is false if there is none yet. */
void cursor_next(struct reader *reader, struct reader_cursor *cursor);

/* The batch in hand is in the database: gives back the chunks that are empty now. */
void reader_release(struct reader *reader);

#endif
