/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The hot path: what a wrapper does around the real call. No lock, no allocation, no system call.
 *
 *   begin   takes the thread's ring, sets the in-flight mark, takes the time
 *   end     takes the time, finds out whether the process forked meanwhile
 *   record  appends one record, restores the mark
 *
 * Times are raw ticks of the ring's clock. errno is not touched. */
#ifndef P11PROF_SHIM_FRAME_H
#define P11PROF_SHIM_FRAME_H

#include "process.h"

#include <time.h>
#if defined(__x86_64__) || defined(__i386__)
#include <x86intrin.h>
#endif

#define P11PROF_LIKELY(x)   __builtin_expect(!!(x), 1)
#define P11PROF_UNLIKELY(x) __builtin_expect(!!(x), 0)

/* A call on its way; lives on the caller's stack. */
struct p11prof_frame {
    struct p11prof_ring *ring; /* NULL: this call is passed through */
    uint64_t generation;       /* of the process at the start */
    uint64_t start_ticks;
    uint64_t end_ticks;
    uint64_t caller; /* return address of the wrapper */
    uint64_t outer_mark, outer_ticks,
        outer_frame; /* of the call that this one is nested in; 0: none */
    uint32_t function;
    uint32_t depth;
    uint32_t clock;                /* of start_ticks */
    uint32_t holding;              /* this frame set the ring's busy word: it has written notes */
    volatile uint64_t alive_ticks; /* start_ticks, in memory, until the stack is used again */
};

static inline uint64_t p11prof_monotonic_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static inline uint64_t p11prof_ticks(uint32_t clock)
{
#if defined(__x86_64__) || defined(__i386__)
    if (P11PROF_LIKELY(clock == P11PROF_CLOCK_TSC))
        return __rdtsc();
#else
    (void)clock;
#endif
    return p11prof_monotonic_ns();
}

/* In whole numbers: the caller's floating point has roundings, traps and flags of its own. */
static inline uint64_t p11prof_scaled(uint64_t value, uint64_t factor, uint64_t divisor)
{
    return divisor ? (uint64_t)((unsigned __int128)value * factor / divisor) : 0;
}

/* Appends one record (a call or a note), whatever it takes, or counts the call as lost: recorder.c.
 * Notes keep the ring busy until their call's record, so that a signal handler's records never come
 * between. */
void p11prof_clamped_count(void); /* the clock went backwards */
void p11prof_frame_append_slow(struct p11prof_frame *frame, uint64_t head, const uint64_t words[7]);

/* Whether the frame of the marked call is still what the stack holds at that address: recorder.c.
 */
bool p11prof_frame_is_alive(uint64_t address, uint64_t start_ticks);

/* Saves the mark of the call that this one is nested in. An outer frame that was left by longjmp,
 * an exception or cancellation lies below or at ours, or was overwritten: it is forgotten. */
static inline void p11prof_frame_nest(struct p11prof_frame *frame)
{
    struct p11prof_ring *ring = frame->ring;
    frame->outer_frame = atomic_load_explicit(&ring->mark_frame, memory_order_relaxed);
    frame->outer_ticks = atomic_load_explicit(&ring->mark_ticks, memory_order_relaxed);
    if (frame->outer_frame <= (uint64_t)(uintptr_t)frame ||
        !p11prof_frame_is_alive(frame->outer_frame, frame->outer_ticks))
        frame->outer_mark = 0;
    else
        frame->depth = p11prof_mark_depth(frame->outer_mark) + 1;
}

static inline __attribute__((always_inline)) void p11prof_frame_begin(struct p11prof_frame *frame,
                                                                      unsigned function,
                                                                      void *caller)
{
    uint64_t generation =
        atomic_load_explicit(&p11prof_process_page.generation, memory_order_relaxed);
    struct p11prof_ring *ring = p11prof_thread.ring;
    if (P11PROF_UNLIKELY(p11prof_thread.generation != generation)) {
        ring = p11prof_thread_enter(function);
        frame->ring = ring;
        if (!ring)
            return;
        generation = p11prof_thread.generation;
    }
    frame->ring = ring;
    frame->generation = generation;
    frame->function = function;
    frame->caller = (uint64_t)(uintptr_t)caller;
    frame->depth = 0;
    frame->holding = 0;
    frame->outer_mark = atomic_load_explicit(&ring->mark, memory_order_relaxed);
    if (P11PROF_UNLIKELY(frame->outer_mark != 0))
        p11prof_frame_nest(frame);
    frame->clock = ring->clock;
    atomic_store_explicit(&ring->mark_frame, (uint64_t)(uintptr_t)frame, memory_order_relaxed);
    atomic_store_explicit(&ring->mark, p11prof_mark(function, frame->depth, frame->clock),
                          memory_order_relaxed);
    frame->start_ticks = p11prof_ticks(frame->clock);
    frame->alive_ticks = frame->start_ticks;
    atomic_store_explicit(&ring->mark_ticks, frame->start_ticks, memory_order_relaxed);
}

/* Directly after the real call. False: nothing is to be recorded. */
static inline __attribute__((always_inline)) bool p11prof_frame_end(struct p11prof_frame *frame)
{
    if (P11PROF_UNLIKELY(!frame->ring))
        return false;
    frame->end_ticks = p11prof_ticks(frame->clock);
    /* In a child that was forked during the call the ring is not mapped: the parent records it. */
    return P11PROF_LIKELY(
        frame->generation ==
        atomic_load_explicit(&p11prof_process_page.generation, memory_order_relaxed));
}

/* Appends a note: before p11prof_frame_record() of the same frame. `depth` is the kind's own count.
 */
static inline void p11prof_frame_note(struct p11prof_frame *frame, unsigned kind, unsigned depth,
                                      uint32_t flags, const uint64_t note[7])
{
    p11prof_frame_append_slow(frame, p11prof_record_head(frame->function, kind, depth, flags),
                              note);
}

/* The append without a chunk, caller or clock to change. False: nothing was written. */
static inline __attribute__((always_inline)) bool p11prof_frame_append(
    const struct p11prof_frame *frame, struct p11prof_ring *ring, uint64_t head,
    uint64_t duration_ticks, uint64_t session, uint64_t rv, uint64_t a, uint64_t b, uint64_t c)
{
    if (P11PROF_UNLIKELY(ring->busy))
        return false;
    ring->busy = 1;
    atomic_signal_fence(memory_order_seq_cst); /* from here on a signal handler uses its own ring */
    struct p11prof_record *record = ring->next;
    bool fits = record != ring->end && ring->clock == frame->clock &&
                ring->caller[frame->function] == frame->caller;
    if (P11PROF_LIKELY(fits)) {
        record->start_ticks = frame->start_ticks;
        record->duration_ticks = duration_ticks;
        record->session = session;
        record->rv = rv;
        record->fact[0] = a;
        record->fact[1] = b;
        record->fact[2] = c;
        atomic_store_explicit(&record->head, head, memory_order_release);
        ring->next = record + 1;
    }
    atomic_signal_fence(memory_order_seq_cst);
    ring->busy = 0;
    return fits;
}

static inline __attribute__((always_inline)) void p11prof_frame_record(struct p11prof_frame *frame,
                                                                       CK_RV rv, uint64_t session,
                                                                       uint64_t a, uint64_t b,
                                                                       uint64_t c, uint32_t flags)
{
    struct p11prof_ring *ring = frame->ring;
    uint64_t duration_ticks = frame->end_ticks - frame->start_ticks;
    if (P11PROF_UNLIKELY((int64_t)duration_ticks < 0)) {
        duration_ticks = 0;
        flags |= P11PROF_RECORD_CLAMPED;
        p11prof_clamped_count();
    }
    uint32_t depth = frame->depth > 255 ? 255 : frame->depth;
    uint64_t head = p11prof_record_head(frame->function, P11PROF_RECORD_CALL, depth, flags);
    if (P11PROF_UNLIKELY(
            !p11prof_frame_append(frame, ring, head, duration_ticks, session, rv, a, b, c))) {
        const uint64_t words[7] = {frame->start_ticks, duration_ticks, session, rv, a, b, c};
        p11prof_frame_append_slow(frame, head, words);
    }
    if (P11PROF_UNLIKELY(frame->outer_mark != 0)) {
        atomic_store_explicit(&ring->mark_frame, frame->outer_frame, memory_order_relaxed);
        atomic_store_explicit(&ring->mark_ticks, frame->outer_ticks, memory_order_relaxed);
    }
    atomic_store_explicit(&ring->mark, frame->outer_mark, memory_order_relaxed);
}

#endif
