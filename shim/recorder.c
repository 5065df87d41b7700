/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "recorder.h"

#include "facts.h"
#include "guard.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { CLAIM_AHEAD_AT = P11PROF_CHUNK_RECORDS - 64, REAP_EVERY_NS = 100000000 };

struct p11prof_spool p11prof_spool;
_Atomic(uint32_t) p11prof_recorder_clock = P11PROF_CLOCK_MONOTONIC;
_Atomic(uint32_t) p11prof_chunks_ready;
_Atomic(uint32_t) p11prof_chunks_taken;

struct p11prof_spool_header *p11prof_spool_current(void)
{
    return p11prof_spool.header;
}

void p11prof_loss_count(struct p11prof_ring *ring, unsigned function, enum p11prof_loss cause)
{
    _Atomic(uint64_t) *count =
        ring ? &ring->lost[cause][function] : &p11prof_spool.header->lost[cause][function];
    atomic_fetch_add_explicit(count, 1, memory_order_relaxed);
}

void p11prof_clamped_count(void)
{
    atomic_fetch_add_explicit(&p11prof_spool.header->clamped_count, 1, memory_order_relaxed);
}

/* The stack is read as it is, whatever lies there now; it may be one that is gone. */
__attribute__((no_sanitize("address"))) bool p11prof_frame_is_alive(uint64_t address,
                                                                    uint64_t start_ticks)
{
    const struct p11prof_frame *frame = (const struct p11prof_frame *)(uintptr_t)address;
    return p11prof_readable(frame, sizeof *frame) && frame->alive_ticks == start_ticks;
}

/* --- rings --- */

static bool state_claim(_Atomic(uint32_t) *state, uint32_t from, uint32_t to)
{
    return atomic_compare_exchange_strong_explicit(state, &from, to, memory_order_acq_rel,
                                                   memory_order_relaxed);
}

static uint32_t ring_index(const struct p11prof_ring *ring)
{
    return (uint32_t)(((const char *)ring - p11prof_spool.rings) / P11PROF_RING_BYTES);
}

/* A ring that was never used: its page is made before anybody sees it. */
static struct p11prof_ring *ring_make(uint32_t index)
{
    _Atomic(uint32_t) *state = &p11prof_spool.header->ring_states[index];
    struct p11prof_ring *ring = p11prof_spool_ring(&p11prof_spool, index);
    if (!state_claim(state, P11PROF_RING_FREE, P11PROF_RING_MAKING))
        return NULL;
    if (!p11prof_pages_make(ring, P11PROF_RING_BYTES)) {
        atomic_store(state, P11PROF_RING_FREE);
        return NULL;
    }
    uint32_t used = atomic_load(&p11prof_spool.header->rings_used);
    while (used <= index &&
           !atomic_compare_exchange_weak(&p11prof_spool.header->rings_used, &used, index + 1))
        ;
    return ring;
}

/* Claims a ring that nobody has; NULL if there is none. */
static struct p11prof_ring *ring_claim(void)
{
    for (uint32_t index = 0; index < p11prof_spool.layout.ring_count; index++) {
        _Atomic(uint32_t) *state = &p11prof_spool.header->ring_states[index];
        uint32_t now = atomic_load_explicit(state, memory_order_relaxed);
        struct p11prof_ring *ring = NULL;
        if (now == P11PROF_RING_RETIRED && state_claim(state, now, P11PROF_RING_MAKING))
            return p11prof_spool_ring(&p11prof_spool, index);
        if (now == P11PROF_RING_FREE && (ring = ring_make(index)))
            return ring;
    }
    return NULL;
}

static bool thread_is_gone(const struct p11prof_ring *ring, pid_t pid)
{
    return tgkill(pid, (pid_t)atomic_load(&ring->thread_id), 0) != 0 && errno == ESRCH;
}

void p11prof_rings_reap(void)
{
    int saved_errno = errno;
    pid_t pid = getpid();
    for (uint32_t i = 0; i < atomic_load(&p11prof_spool.header->rings_used); i++) {
        struct p11prof_ring *ring = p11prof_spool_ring(&p11prof_spool, i);
        _Atomic(uint32_t) *state = &p11prof_spool.header->ring_states[i];
        if (atomic_load(state) != P11PROF_RING_LIVE || !thread_is_gone(ring, pid) ||
            !state_claim(state, P11PROF_RING_LIVE, P11PROF_RING_MAKING))
            continue;
        if (thread_is_gone(ring, pid))
            p11prof_ring_retire(ring);
        else /* somebody was faster, and another thread has it by now */
            atomic_store(state, P11PROF_RING_LIVE);
    }
    errno = saved_errno;
}

/* Asking for all threads costs a system call each: not at every call of a thread that finds no
 * ring. */
static bool reap_is_due(void)
{
    static _Atomic(uint64_t) next_ns;
    uint64_t due_ns = atomic_load_explicit(&next_ns, memory_order_relaxed);
    uint64_t now_ns = p11prof_monotonic_ns();
    return now_ns >= due_ns &&
           atomic_compare_exchange_strong(&next_ns, &due_ns, now_ns + REAP_EVERY_NS);
}

struct p11prof_ring *p11prof_ring_take(void)
{
    struct p11prof_ring *ring = ring_claim();
    if (!ring && reap_is_due()) {
        p11prof_rings_reap();
        ring = ring_claim();
    }
    if (!ring)
        return NULL;
    atomic_store_explicit(&ring->thread_id, (uint32_t)gettid(), memory_order_relaxed);
    atomic_store_explicit(&ring->mark, 0, memory_order_relaxed);
    ring->busy = 0;
    ring->reset = 1;
    ring->load = (struct p11prof_load_note){0};
    ring->load_due = 0;
    ring->second = 0;
    memset(ring->caller, 0, sizeof ring->caller);
    if (!ring->chunk) /* so that a call may begin before it has a chunk */
        ring->clock = atomic_load_explicit(&p11prof_recorder_clock, memory_order_relaxed);
    atomic_store_explicit(&p11prof_spool.header->ring_states[ring_index(ring)], P11PROF_RING_LIVE,
                          memory_order_release);
    return ring;
}

void p11prof_ring_retire(struct p11prof_ring *ring)
{
    if (ring->second)
        p11prof_ring_retire(p11prof_spool_ring(&p11prof_spool, ring->second - 1));
    ring->second = 0;
    atomic_store_explicit(&ring->mark, 0, memory_order_relaxed);
    atomic_store_explicit(&p11prof_spool.header->ring_states[ring_index(ring)],
                          P11PROF_RING_RETIRED, memory_order_release);
}

bool p11prof_others_record(void)
{
    uint32_t self = (uint32_t)gettid();
    for (uint32_t i = 0; i < atomic_load(&p11prof_spool.header->rings_used); i++)
        if (atomic_load(&p11prof_spool.header->ring_states[i]) == P11PROF_RING_LIVE &&
            atomic_load(&p11prof_spool_ring(&p11prof_spool, i)->thread_id) != self)
            return true;
    return false;
}

bool p11prof_call_is_in_flight(void)
{
    for (uint32_t i = 0; i < atomic_load(&p11prof_spool.header->rings_used); i++)
        if (atomic_load(&p11prof_spool_ring(&p11prof_spool, i)->mark))
            return true;
    return false;
}

/* --- chunks --- */

/* Any chunk in state `from`, claimed as `to`; the search goes on where the last one ended. Returns
 * its index + 1. */
static uint32_t chunk_claim(uint32_t from, uint32_t to)
{
    static _Atomic(uint32_t) hint;
    uint32_t count = p11prof_spool.layout.chunk_count;
    uint32_t start = atomic_load_explicit(&hint, memory_order_relaxed) % count;
    for (uint32_t i = 0, index = start; i < count; i++, index = index + 1 < count ? index + 1 : 0) {
        _Atomic(uint32_t) *state = &p11prof_spool.states[index];
        if (atomic_load_explicit(state, memory_order_relaxed) != from ||
            !state_claim(state, from, to))
            continue;
        atomic_store_explicit(&hint, index + 1, memory_order_relaxed);
        return index + 1;
    }
    return 0;
}

/* A chunk with at least its first pages made. Returns its index + 1; 0: *cause says why there is
 * none. */
static uint32_t chunk_find(uint32_t *made_bytes, enum p11prof_loss *cause)
{
    uint32_t chunk = chunk_claim(P11PROF_CHUNK_READY, P11PROF_CHUNK_MAKING);
    *made_bytes = P11PROF_CHUNK_BYTES;
    if (chunk) {
        atomic_fetch_sub_explicit(&p11prof_chunks_ready, 1, memory_order_relaxed);
        return chunk;
    }
    chunk = chunk_claim(P11PROF_CHUNK_EMPTY, P11PROF_CHUNK_MAKING);
    *made_bytes = P11PROF_CHUNK_STEP_BYTES;
    if (chunk && p11prof_pages_make(p11prof_spool_records(&p11prof_spool, chunk - 1), *made_bytes))
        return chunk;
    *cause = P11PROF_LOSS_NO_MEMORY;
    if (chunk)
        atomic_store(&p11prof_spool.states[chunk - 1], P11PROF_CHUNK_EMPTY);
    else if (atomic_load(&p11prof_spool.header->drain_mode) == P11PROF_DRAIN_EXTERNAL)
        *cause = P11PROF_LOSS_NO_DRAINER;
    else
        *cause = P11PROF_LOSS_LIMIT;
    return 0;
}

/* Claims the next chunk a little before it is needed: the cost of a new chunk falls on two calls,
 * half on each. */
static void chunk_claim_ahead(struct p11prof_ring *ring)
{
    enum p11prof_loss cause;
    if (ring->ahead)
        return;
    ring->ahead = chunk_find(&ring->ahead_made_bytes, &cause);
    if (!ring->ahead)
        return;
    __builtin_prefetch(&p11prof_spool.chunks[ring->ahead - 1], 1);
    __builtin_prefetch(p11prof_spool_records(&p11prof_spool, ring->ahead - 1), 1);
    __builtin_prefetch(p11prof_spool_records(&p11prof_spool, ring->ahead - 1) + 1, 1);
}

/* Where the producer stops next: a full chunk has a stop on the way, to claim its successor. */
static struct p11prof_record *stop_of(struct p11prof_record *records, uint32_t made_bytes)
{
    return records + (made_bytes == P11PROF_CHUNK_BYTES ? (uint32_t)CLAIM_AHEAD_AT
                                                        : made_bytes / (uint32_t)sizeof *records);
}

static bool chunk_take(struct p11prof_ring *ring, enum p11prof_loss *cause)
{
    uint32_t made_bytes = ring->ahead_made_bytes;
    uint32_t chunk = ring->ahead ? ring->ahead : chunk_find(&made_bytes, cause);
    ring->ahead = 0;
    if (!chunk)
        return false;
    struct p11prof_chunk *descriptor = &p11prof_spool.chunks[chunk - 1];
    struct p11prof_record *records = p11prof_spool_records(&p11prof_spool, chunk - 1);
    if (ring->chunk)
        ring->sequence++;
    ring->chunk = chunk;
    ring->clock = atomic_load_explicit(&p11prof_recorder_clock, memory_order_relaxed);
    descriptor->ring = ring_index(ring);
    descriptor->thread_id = atomic_load_explicit(&ring->thread_id, memory_order_relaxed);
    descriptor->sequence = ring->sequence;
    descriptor->clock = ring->clock;
    descriptor->anchor = p11prof_anchor_now();
    atomic_store_explicit(&descriptor->made_bytes, made_bytes, memory_order_relaxed);
    atomic_store_explicit(&descriptor->taken, 1, memory_order_release);
    atomic_store_explicit(&p11prof_spool.states[chunk - 1], P11PROF_CHUNK_TAKEN,
                          memory_order_release);
    atomic_fetch_add_explicit(&p11prof_chunks_taken, 1, memory_order_relaxed);
    memset(ring->caller, 0, sizeof ring->caller);
    ring->load_due = ring->load.part != 0;
    ring->next = records;
    ring->end = stop_of(records, made_bytes);
    return true;
}

/* The next pages of a chunk that is ours. */
static bool step_make(struct p11prof_ring *ring, struct p11prof_record *records,
                      enum p11prof_loss *cause)
{
    uint32_t made_bytes = (uint32_t)((char *)ring->end - (char *)records);
    *cause = P11PROF_LOSS_NO_MEMORY;
    if (!p11prof_pages_make((char *)records + made_bytes, P11PROF_CHUNK_STEP_BYTES))
        return false;
    made_bytes += P11PROF_CHUNK_STEP_BYTES;
    atomic_store_explicit(&p11prof_spool.chunks[ring->chunk - 1].made_bytes, made_bytes,
                          memory_order_release);
    ring->end = stop_of(records, made_bytes);
    return true;
}

static bool room_find(struct p11prof_ring *ring, bool *new_chunk, enum p11prof_loss *cause)
{
    if (ring->chunk) {
        struct p11prof_record *records = p11prof_spool_records(&p11prof_spool, ring->chunk - 1);
        /* A full chunk may be another thread's by now: only what is not full is surely ours. */
        if (ring->end == records + CLAIM_AHEAD_AT) {
            chunk_claim_ahead(ring);
            ring->end = records + P11PROF_CHUNK_RECORDS;
            return true;
        }
        if (ring->end != records + P11PROF_CHUNK_RECORDS)
            return step_make(ring, records, cause);
    }
    *new_chunk = true;
    return chunk_take(ring, cause);
}

/* Room for one more record: the next pages of the chunk, or the next chunk. */
static bool room_make(struct p11prof_ring *ring, bool *new_chunk, enum p11prof_loss *cause)
{
    if (ring->next != ring->end)
        return true;
    struct p11prof_guard guard =
        p11prof_guard_begin(); /* a chunk that is being made has no owner */
    bool found = room_find(ring, new_chunk, cause);
    p11prof_guard_end(&guard);
    return found;
}

unsigned p11prof_chunks_make(unsigned count)
{
    while (atomic_load_explicit(&p11prof_chunks_ready, memory_order_relaxed) < count) {
        uint32_t chunk = chunk_claim(P11PROF_CHUNK_EMPTY, P11PROF_CHUNK_MAKING);
        if (!chunk)
            break;
        bool made = p11prof_pages_make(p11prof_spool_records(&p11prof_spool, chunk - 1),
                                       P11PROF_CHUNK_BYTES);
        if (made)
            atomic_fetch_add_explicit(&p11prof_chunks_ready, 1, memory_order_relaxed);
        atomic_store(&p11prof_spool.states[chunk - 1],
                     made ? P11PROF_CHUNK_READY : P11PROF_CHUNK_EMPTY);
        if (!made)
            break;
    }
    return atomic_load_explicit(&p11prof_chunks_ready, memory_order_relaxed);
}

void p11prof_chunk_release(uint32_t chunk, unsigned reserve)
{
    struct p11prof_record *records = p11prof_spool_records(&p11prof_spool, chunk);
    bool keep = atomic_load_explicit(&p11prof_chunks_ready, memory_order_relaxed) < reserve;
    atomic_store_explicit(&p11prof_spool.chunks[chunk].taken, 0, memory_order_relaxed);
    if (keep)
        memset((void *)records, 0, P11PROF_CHUNK_BYTES);
    else if (madvise(records, P11PROF_CHUNK_BYTES, MADV_REMOVE) != 0)
        memset((void *)records, 0, P11PROF_CHUNK_BYTES);
    if (keep)
        atomic_fetch_add_explicit(&p11prof_chunks_ready, 1, memory_order_relaxed);
    atomic_fetch_sub_explicit(&p11prof_chunks_taken, 1, memory_order_relaxed);
    atomic_store_explicit(&p11prof_spool.states[chunk],
                          keep ? P11PROF_CHUNK_READY : P11PROF_CHUNK_EMPTY, memory_order_release);
}

/* --- records --- */

static void record_write(struct p11prof_ring *ring, uint64_t head, const uint64_t words[7])
{
    struct p11prof_record *record = ring->next;
    memcpy(record->note, words, sizeof record->note);
    atomic_store_explicit(&record->head, head, memory_order_release);
    ring->next = record + 1;
}

static bool note_write(struct p11prof_ring *ring, unsigned function, unsigned kind, uint64_t value,
                       bool *new_chunk, enum p11prof_loss *cause)
{
    const uint64_t words[7] = {value};
    if (!room_make(ring, new_chunk, cause))
        return false;
    record_write(ring, p11prof_record_head(function, kind, 0, 0), words);
    return true;
}

/* Room for one more record, behind the load note that may be due: a new chunk begins with one. */
static bool room_make_for_call(struct p11prof_ring *ring, unsigned function, bool *new_chunk,
                               enum p11prof_loss *cause)
{
    for (;;) {
        uint64_t words[7];
        if (!room_make(ring, new_chunk, cause))
            return false;
        if (!ring->load_due)
            return true;
        ring->load_due = 0;
        memcpy(words, &ring->load, sizeof words);
        record_write(ring, p11prof_record_head(function, P11PROF_RECORD_LOAD, 0, 0), words);
    }
}

bool p11prof_load_mark(const struct p11prof_load_note *note)
{
    struct p11prof_ring *ring = p11prof_thread.ring;
    if (!ring || p11prof_thread.generation != atomic_load(&p11prof_process_page.generation))
        return false;
    ring->load = *note;
    ring->load_due = 1;
    memset(ring->caller, 0, sizeof ring->caller); /* so that the next record goes the slow way */
    return true;
}

uint64_t p11prof_load_room(void)
{
    uint64_t count = 0;
    if (!atomic_load(&p11prof_process_page.generation))
        return UINT64_MAX;
    for (uint32_t i = 0; i < p11prof_spool.layout.chunk_count; i++) {
        uint32_t state = atomic_load_explicit(&p11prof_spool.states[i], memory_order_relaxed);
        count += state == P11PROF_CHUNK_EMPTY || state == P11PROF_CHUNK_READY;
    }
    return count * P11PROF_CHUNK_RECORDS;
}

void p11prof_load_summary(void)
{
    if (atomic_load(&p11prof_process_page.generation))
        p11prof_spool.header->record_mode = P11PROF_RECORDING_SUMMARY;
}

/* A call that began under another clock than its chunk has: its duration is converted, its end is
 * now. */
static void words_convert(const struct p11prof_frame *frame, uint32_t clock, uint64_t words[7])
{
    uint64_t ticks_per_second = p11prof_spool.header->ticks_per_second;
    words[1] = frame->clock == P11PROF_CLOCK_TSC
                   ? p11prof_scaled(words[1], 1000000000, ticks_per_second)
                   : p11prof_scaled(words[1], ticks_per_second, 1000000000);
    words[0] = p11prof_ticks(clock) - words[1];
}

/* With the ring busy. */
static bool append(struct p11prof_frame *frame, struct p11prof_ring *ring, uint64_t head,
                   const uint64_t words[7], bool *new_chunk, enum p11prof_loss *cause)
{
    unsigned function = p11prof_head_function(head);
    bool call = p11prof_head_kind(head) == P11PROF_RECORD_CALL;
    if (!room_make(ring, new_chunk, cause))
        return false;
    if (ring->reset &&
        !note_write(ring, function, P11PROF_RECORD_THREAD,
                    atomic_load_explicit(&ring->thread_id, memory_order_relaxed), new_chunk, cause))
        return false;
    ring->load_due = ring->load_due || (ring->reset && ring->load.part != 0);
    ring->reset = 0;
    if (call && ring->caller[function] != frame->caller) {
        if (!note_write(ring, function, P11PROF_RECORD_CALLER, frame->caller, new_chunk, cause))
            return false;
        ring->caller[function] = frame->caller;
    }
    if (!room_make_for_call(ring, function, new_chunk, cause))
        return false;
    uint64_t own[7];
    memcpy(own, words, sizeof own);
    if (call && ring->clock != frame->clock)
        words_convert(frame, ring->clock, own);
    record_write(ring, head, own);
    return true;
}

/* The ring that a signal handler uses while the thread's own is in the middle of an append. */
static struct p11prof_ring *second_ring(struct p11prof_ring *ring)
{
    if (!ring->second) {
        struct p11prof_ring *second = p11prof_ring_take();
        if (!second)
            return NULL;
        ring->second = ring_index(second) + 1;
    }
    return p11prof_spool_ring(&p11prof_spool, ring->second - 1);
}

/* A handler that interrupts the wait may leave it for good, or call: the ring is free for it, but
 * where notes wait for their call. */
static bool room_await(const struct p11prof_frame *frame, struct p11prof_ring *ring,
                       uint64_t *give_up_ns)
{
    ring->busy = frame->holding;
    atomic_signal_fence(memory_order_seq_cst);
    bool room = p11prof_drain_make_room(frame, give_up_ns);
    atomic_signal_fence(memory_order_seq_cst);
    ring->busy = 1;
    atomic_signal_fence(memory_order_seq_cst);
    return room;
}

void p11prof_frame_append_slow(struct p11prof_frame *frame, uint64_t head, const uint64_t words[7])
{
    struct p11prof_ring *ring = frame->ring;
    bool call = p11prof_head_kind(head) == P11PROF_RECORD_CALL;
    bool new_chunk = false;
    uint64_t give_up_ns = 0;
    enum p11prof_loss cause = P11PROF_LOSS_NO_MEMORY;
    int saved_errno = errno;
    if (!frame->holding && ring->busy) {
        head |= (uint64_t)P11PROF_RECORD_SIGNAL << 32;
        do
            ring = second_ring(ring); /* a handler that interrupts a handler has a third */
        while (ring && ring->busy);
    }
    if (!ring) {
        if (call)
            p11prof_loss_count(frame->ring, frame->function, cause);
        goto out;
    }
    ring->busy = 1;
    atomic_signal_fence(memory_order_seq_cst);
    bool written = append(frame, ring, head, words, &new_chunk, &cause);
    while (!written && call && cause == P11PROF_LOSS_LIMIT &&
           room_await(frame, ring, &give_up_ns)) /* other threads may be faster */
        written = append(frame, ring, head, words, &new_chunk, &cause);
    if (!written) {
        ring->reset = 1; /* notes already written belong to nobody */
        if (call)
            p11prof_loss_count(ring, frame->function, cause);
    }
    atomic_signal_fence(memory_order_seq_cst);
    frame->holding = !call && ring == frame->ring;
    if (!frame->holding)
        ring->busy = 0;
    if (new_chunk && call)
        p11prof_drain_chunk_taken(frame, written);
out:
    errno = saved_errno;
}
