/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "p11prof/drain.h"

#include "attribution.h"
#include "callers.h"
#include "endings.h"
#include "reader.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* With a deadline, the first batch shows how long a row takes. */
enum { BATCH_ROWS_LEAST = 1024, BATCH_ROWS_FIRST = 8192 };

struct p11prof_drain {
    struct reader reader;
    struct attribution attribution;
    struct callers callers;
    struct batch batch;
    struct endings endings;
    struct p11prof_process_rows rows;
    struct reader_cursor **heap; /* cursors with a call, the earliest end first */
    size_t heap_count;
    uint64_t torn_seen;
    bool entered;           /* rows, positions and state are loaded */
    bool committed;         /* the database has at least one batch of ours */
    bool named;             /* the spool bears our database's id, but nothing is committed yet */
    bool pending;           /* the batch is finished but not in the database */
    bool full;              /* the batch has as many rows as it may have */
    size_t batch_rows_most; /* fewer where forks do not leave the time for more */
    size_t batch_rows_due;  /* fewer where a deadline does not */
};

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

enum p11prof_status p11prof_drain_open(struct p11prof_drain **out,
                                       const struct p11prof_spool_source *source,
                                       struct p11prof_error *error)
{
    *out = NULL;
    struct p11prof_drain *drain = calloc(1, sizeof *drain);
    if (!drain)
        return p11prof_error_set(error, P11PROF_FAILED, "no memory for a drain");
    enum p11prof_status status = reader_open(&drain->reader, source, error);
    if (status != P11PROF_OK) {
        free(drain);
        return status;
    }
    attribution_init(&drain->attribution);
    batch_init(&drain->batch);
    drain->batch_rows_most = drain->batch_rows_due = BATCH_ROWS_MOST;
    *out = drain;
    drain->heap = calloc(drain->reader.layout.ring_count, sizeof(struct reader_cursor *));
    if (drain->heap)
        return P11PROF_OK;
    p11prof_drain_close(drain);
    *out = NULL;
    return p11prof_error_set(error, P11PROF_FAILED, "no memory for a drain");
}

void p11prof_drain_close(struct p11prof_drain *drain)
{
    if (!drain)
        return;
    attribution_clear(&drain->attribution);
    callers_clear(&drain->callers);
    batch_free(&drain->batch);
    reader_close(&drain->reader);
    free(drain->heap);
    free(drain);
}

const struct p11prof_spool_header *p11prof_drain_header(const struct p11prof_drain *drain)
{
    return &drain->reader.header;
}

/* --- what the database knows of this spool --- */

static void load_position(void *payload, uint32_t ring, uint64_t position)
{
    struct p11prof_drain *drain = payload;
    struct reader_cursor *cursor = reader_cursor(&drain->reader, ring);
    if (cursor)
        cursor->position = cursor->taken = position;
}

static void load_state(void *payload, enum p11prof_state_kind kind, uint64_t key, const void *data,
                       size_t data_bytes)
{
    struct p11prof_drain *drain = payload;
    attribution_load(&drain->attribution, kind, key, data, data_bytes);
}

static void inherit_state(void *payload, enum p11prof_state_kind kind, uint64_t key,
                          const void *data, size_t data_bytes)
{
    struct p11prof_drain *drain = payload;
    attribution_inherit(&drain->attribution, kind, key, data, data_bytes);
}

static void load_caller(void *payload, uint32_t caller_id, const char *path, uint64_t offset_bytes)
{
    struct p11prof_drain *drain = payload;
    callers_load(&drain->callers, caller_id, path, offset_bytes);
}

static void database_id_write(struct p11prof_drain *drain, const uint64_t id[2])
{
    reader_write(&drain->reader, offsetof(struct p11prof_spool_header, database_id), id,
                 2 * sizeof *id);
}

/* Everything learned since the last commit is void: it is read again. */
static void forget(struct p11prof_drain *drain)
{
    const uint64_t nobody[2] = {0, 0};
    if (drain->named)
        database_id_write(drain, nobody);
    drain->named = false;
    attribution_clear(&drain->attribution);
    callers_clear(&drain->callers);
    batch_clear(&drain->batch);
    memset(&drain->endings, 0, sizeof drain->endings);
    for (uint32_t ring = 0; ring < drain->reader.layout.ring_count; ring++) {
        free(drain->reader.cursors[ring]);
        drain->reader.cursors[ring] = NULL;
    }
    drain->entered = drain->committed = drain->pending = false;
}

static bool id_is_zero(const uint64_t id[2])
{
    return id[0] == 0 && id[1] == 0;
}

/* Inside a transaction. */
static enum p11prof_status enter(struct p11prof_drain *drain, struct p11prof_store *store,
                                 unsigned flags, struct p11prof_error *error)
{
    const struct p11prof_state_reader reader = {
        .position = load_position, .state = load_state, .caller = load_caller, .payload = drain};
    const struct p11prof_state_reader parent_reader = {.state = inherit_state, .payload = drain};
    uint64_t theirs[2];
    /* Not the copy of the header: a transaction that was rolled back took our name back. */
    if (!reader_bytes(&drain->reader, offsetof(struct p11prof_spool_header, database_id), theirs,
                      sizeof theirs))
        return p11prof_error_set(error, P11PROF_BAD_INPUT, "a damaged spool: it is too short");
    uint64_t ours[2];
    p11prof_store_id(store, ours);
    if (!id_is_zero(theirs) && memcmp(theirs, ours, sizeof ours) != 0 &&
        !(flags & P11PROF_DRAIN_ADOPT))
        return p11prof_error_set(
            error, P11PROF_REFUSED,
            "the first part of this spool is in another database: use that one, or "
            "`p11prof collect --adopt` if it is gone");
    enum p11prof_status status =
        p11prof_store_enter(store, &drain->reader.header, &drain->rows, error);
    if (status == P11PROF_OK)
        status = p11prof_store_load(store, &drain->rows, &reader, error);
    if (status == P11PROF_OK && drain->rows.batch == 0)
        status = p11prof_store_load_parent(store, &drain->rows, drain->reader.header.parent_id,
                                           &parent_reader, error);
    drain->entered = status == P11PROF_OK;
    if (status != P11PROF_OK || memcmp(theirs, ours, sizeof ours) == 0)
        return status;
    /* Before the first commit: a kill in between must not let a second database take the same
     * calls. */
    database_id_write(drain, ours);
    drain->named = id_is_zero(theirs);
    return status;
}

/* --- reading and attributing --- */

static void heap_sink(struct p11prof_drain *drain, size_t place)
{
    struct reader_cursor **heap = drain->heap;
    for (;;) {
        size_t least = place, left = 2 * place + 1, right = left + 1;
        if (left < drain->heap_count && heap[left]->call_end_ns < heap[least]->call_end_ns)
            least = left;
        if (right < drain->heap_count && heap[right]->call_end_ns < heap[least]->call_end_ns)
            least = right;
        if (least == place)
            return;
        struct reader_cursor *moved = heap[place];
        heap[place] = heap[least];
        heap[least] = moved;
        place = least;
    }
}

static void heap_make(struct p11prof_drain *drain)
{
    drain->heap_count = 0;
    for (uint32_t ring = 0; ring < drain->reader.layout.ring_count; ring++) {
        struct reader_cursor *cursor = drain->reader.cursors[ring];
        if (!cursor || cursor->chunk_count == 0)
            continue;
        cursor_rewind(&drain->reader, cursor);
        cursor_next(&drain->reader, cursor);
        if (cursor->has_call)
            drain->heap[drain->heap_count++] = cursor;
    }
    for (size_t i = drain->heap_count / 2; i-- > 0;)
        heap_sink(drain, i);
}

static bool call_attribute(struct p11prof_drain *drain, struct reader_cursor *cursor)
{
    unsigned function = p11prof_head_function(cursor->call.head);
    uint64_t duration_ns = cursor->call_duration_ns, run_ns = drain->rows.run_start_monotonic_ns;
    uint64_t start_ns = cursor->call_end_ns - duration_ns;
    struct call_event event = {.record = &cursor->call,
                               .notes = cursor->notes,
                               .note_count = cursor->note_count,
                               .thread_id = cursor->thread_id,
                               .start_ns = start_ns > run_ns ? start_ns - run_ns : 0,
                               .duration_ns = duration_ns,
                               .load = &cursor->load};
    load_run_start(&cursor->load, run_ns);
    event.caller_id =
        callers_find(&drain->callers, &drain->reader, &drain->batch, cursor->caller[function]);
    return attribution_call(&drain->attribution, &drain->batch, &event);
}

static bool batch_is_full(const struct p11prof_drain *drain)
{
    return drain->batch.out.row_count >= drain->batch_rows_most ||
           drain->batch.out.row_count >= drain->batch_rows_due;
}

static bool call_take(struct p11prof_drain *drain, struct reader_cursor *cursor)
{
    if (!call_attribute(drain, cursor))
        return false;
    cursor->taken = cursor->reading;
    cursor->taken_torn = cursor->torn;
    cursor_next(&drain->reader, cursor);
    return true;
}

/* The drain that goes on from here may be another process's: it knows of no half iteration. */
static bool iterations_end(struct p11prof_drain *drain)
{
    for (size_t i = 0; i < drain->heap_count; i++) {
        struct reader_cursor *cursor = drain->heap[i];
        while (cursor->has_call && cursor->load.call_count > 0 && !batch_is_full(drain))
            if (!call_take(drain, cursor))
                return false;
    }
    return true;
}

/* Fills the batch with what ended before `horizon_ns`. */
static bool batch_read(struct p11prof_drain *drain, uint64_t horizon_ns)
{
    heap_make(drain);
    while (drain->heap_count > 0 && !batch_is_full(drain)) {
        struct reader_cursor *cursor = drain->heap[0];
        if (cursor->call_end_ns > horizon_ns)
            break;
        if (!call_take(drain, cursor))
            return false;
        if (!cursor->has_call)
            drain->heap[0] = drain->heap[--drain->heap_count];
        heap_sink(drain, 0);
    }
    return iterations_end(drain);
}

/* What stands after the last call of a dead process belongs to no call. */
static void rest_take(struct p11prof_drain *drain)
{
    for (uint32_t ring = 0; ring < drain->reader.layout.ring_count; ring++) {
        struct reader_cursor *cursor = drain->reader.cursors[ring];
        if (cursor && cursor->chunk_count > 0) {
            cursor->taken = cursor->reading;
            cursor->taken_torn = cursor->torn;
        }
    }
}

static bool positions_add(struct p11prof_drain *drain)
{
    for (uint32_t ring = 0; ring < drain->reader.layout.ring_count; ring++) {
        const struct reader_cursor *cursor = drain->reader.cursors[ring];
        if (!cursor || cursor->taken == cursor->position)
            continue;
        struct p11prof_position_row *row = batch_position(&drain->batch);
        if (!row)
            return false;
        *row = (struct p11prof_position_row){.ring = ring, .position = cursor->taken};
    }
    return true;
}

/* One batch, finished. `last`: nothing will come after it. */
static enum p11prof_status batch_make(struct p11prof_drain *drain, unsigned flags,
                                      struct p11prof_error *error)
{
    bool all = drain->reader.source.gone || (flags & P11PROF_DRAIN_ALL);
    batch_clear(&drain->batch);
    drain->callers.live_read = false;
    enum p11prof_status status = reader_refresh(&drain->reader, error);
    if (status != P11PROF_OK)
        return status;
    drain->attribution.forked = drain->reader.header.fork_count != 0;
    bool made = batch_read(drain, all ? UINT64_MAX : now_ns() - P11PROF_DRAIN_HORIZON_NS);
    drain->full = batch_is_full(drain);
    bool last = (flags & P11PROF_DRAIN_LAST) && !drain->full;
    if (made && drain->reader.cut) {
        forget(drain);
        return p11prof_error_set(error, P11PROF_BAD_INPUT,
                                 "a damaged spool: it became shorter while it was read");
    }
    if (last && drain->reader.source.gone)
        rest_take(drain);
    made = made && positions_add(drain) &&
           attribution_finish(&drain->attribution, &drain->batch, last) &&
           endings_add(&drain->endings, &drain->reader, &drain->attribution, &drain->batch,
                       drain->rows.run_start_monotonic_ns, last);
    if (made && !drain->batch.no_memory) {
        drain->pending = true;
        return P11PROF_OK;
    }
    forget(drain);
    return p11prof_error_set(error, P11PROF_FAILED,
                             "no memory to drain a spool: it stays as it is");
}

bool p11prof_drain_has_calls(struct p11prof_drain *drain)
{
    struct p11prof_error error;
    if (!drain->entered || drain->pending)
        return true;
    if (reader_refresh(&drain->reader, &error) != P11PROF_OK)
        return true;
    heap_make(drain);
    return drain->heap_count > 0;
}

/* --- writing --- */

static bool batch_is_empty(const struct p11prof_drain *drain)
{
    const struct p11prof_batch *out = &drain->batch.out;
    return out->row_count == 0 && out->position_count == 0 && out->loss_count == 0 &&
           out->token_count == 0 && !out->process_ended && !out->library_known;
}

static void batch_done(struct p11prof_drain *drain)
{
    attribution_stored(&drain->attribution);
    endings_stored(&drain->endings, &drain->batch);
    reader_release(&drain->reader);
    drain->rows.batch++;
    drain->committed = true;
    drain->pending = drain->named = false;
    if (drain->batch.out.row_count >= drain->batch_rows_most &&
        drain->batch_rows_most < BATCH_ROWS_MOST)
        drain->batch_rows_most *= 2;
}

/* A fork was in the way: who forks often would never let a large batch through. */
static void batch_halve(struct p11prof_drain *drain)
{
    if (drain->batch_rows_most > BATCH_ROWS_LEAST)
        drain->batch_rows_most /= 2;
    if (drain->batch.out.row_count > drain->batch_rows_most)
        forget(drain);
}

/* Makes one batch and writes it. *idle: there was nothing to write. */
static enum p11prof_status batch_run(struct p11prof_drain *drain, struct p11prof_store *store,
                                     unsigned flags, unsigned wait_ms, bool *idle,
                                     struct p11prof_error *error)
{
    bool open = false;
    enum p11prof_status status = P11PROF_OK;
    if (!drain->entered) {
        status = p11prof_store_begin(store, wait_ms, error);
        open = status == P11PROF_OK;
        if (open)
            status = enter(drain, store, flags, error);
    }
    if (status == P11PROF_OK && !drain->pending)
        status = batch_make(drain, flags, error);
    *idle = status == P11PROF_OK && batch_is_empty(drain);
    if (*idle)
        drain->pending = false;
    if (status == P11PROF_OK && !*idle && !open) {
        status = p11prof_store_begin(store, wait_ms, error);
        open = status == P11PROF_OK;
    }
    if (status == P11PROF_OK && !*idle)
        status =
            p11prof_store_write(store, &drain->rows, &drain->batch.out,
                                drain->reader.header.record_mode == P11PROF_RECORDING_CALLS, error);
    if (status == P11PROF_OK && !*idle) {
        status = p11prof_store_commit(store, error);
        open = open && status != P11PROF_OK;
    }
    if (status == P11PROF_OK && !*idle)
        batch_done(drain);
    if (open)
        p11prof_store_rollback(store);
    if (open && status == P11PROF_BUSY)
        batch_halve(drain);
    if (!drain->committed || status == P11PROF_CHANGED)
        forget(drain); /* what was entered was rolled back, or somebody else went on */
    return status;
}

/* As many rows as were written in the time so far, for the time that is left. */
static size_t rows_due(uint64_t start_ns, uint64_t row_count, uint64_t deadline_ns)
{
    uint64_t now = now_ns(), spent_ns = now - start_ns + 1;
    if (!deadline_ns)
        return BATCH_ROWS_MOST;
    if (row_count == 0)
        return BATCH_ROWS_FIRST;
    uint64_t left_ns = deadline_ns > now ? deadline_ns - now : 0;
    double rows = (double)row_count * (double)left_ns / (double)spent_ns;
    return rows < BATCH_ROWS_LEAST  ? (size_t)BATCH_ROWS_LEAST
           : rows > BATCH_ROWS_MOST ? (size_t)BATCH_ROWS_MOST
                                    : (size_t)rows;
}

enum p11prof_status p11prof_drain_run(struct p11prof_drain *drain, struct p11prof_store *store,
                                      unsigned flags, uint64_t monotonic_deadline_ns,
                                      unsigned wait_ms, struct p11prof_drain_result *result,
                                      struct p11prof_error *error)
{
    enum p11prof_status status = P11PROF_OK;
    bool idle = false;
    unsigned changed_count = 0;
    uint64_t start_ns = now_ns(), row_count = 0;
    /* Who is faster than the drain, or writes into a dead process's spool, must not keep it. */
    uint64_t capacity = (uint64_t)drain->reader.layout.chunk_count * P11PROF_CHUNK_RECORDS;
    /* No more batches than the spool can hold: one that is written to while it is read must not
     * keep us for ever. */
    uint64_t batches_most =
        drain->reader.layout.chunk_count * (uint64_t)P11PROF_CHUNK_RECORDS / BATCH_ROWS_LEAST + 3;
    *result = (struct p11prof_drain_result){0};
    while (!idle && result->batch_count < batches_most) {
        bool repeated = drain->pending; /* made by an earlier run: it may not hold all by now */
        drain->batch_rows_due = rows_due(start_ns, row_count, monotonic_deadline_ns);
        status = batch_run(drain, store, flags, wait_ms, &idle, error);
        row_count += status == P11PROF_OK ? drain->batch.out.row_count : 0;
        if (status == P11PROF_CHANGED && changed_count++ < 3)
            continue;
        if (status != P11PROF_OK)
            break;
        bool full = drain->full;
        result->call_count += idle ? 0 : drain->batch.out.call_count;
        result->batch_count += !idle;
        result->clock_step_count = drain->reader.clocks.step_count;
        if (!idle && !repeated && drain->batch.out.process_ended)
            break;
        if (!full && !(flags & P11PROF_DRAIN_ALL))
            break;
        bool over = !drain->reader.source.map && result->call_count > capacity;
        if (over && drain->reader.source.gone)
            return p11prof_error_set(error, P11PROF_BAD_INPUT,
                                     "a damaged spool: it changes while it is read");
        if (over)
            break;
        if (!idle && monotonic_deadline_ns && now_ns() >= monotonic_deadline_ns) {
            result->more = full || repeated;
            break;
        }
    }
    return status;
}
