/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Draining in the time of the application's threads: at the end, and on the way of a call where
 * there is no thread for it. */
#include "drain_own.h"
#include "guard.h"

#include <errno.h>
#include <fenv.h>
#include <pthread.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum {
    CALLER_STACK_LEAST_BYTES = 256 * 1024, /* what SQLite may need of a caller's stack */
    FIRST_STACK_MOST_BYTES = 64 << 20,     /* what the first thread may have, without a limit */
    CALLER_DRAIN_MS = 250,
    VAIN_MOST = 4,
    ROOM_STEP_NS = 1000000,
    ROOM_STEPS_MOST = 250, /* also where the clock stands still */
};

static const uint64_t small_stack_retry_ns = 10000000;

/* pthread_getattr_np() reads /proc/self/maps for the first thread, whose descriptor would have a
 * low number for a moment. AT_EXECFN is the highest thing on its stack. */
static bool on_first_stack(uintptr_t here, size_t *left_bytes)
{
    struct rlimit limit;
    uintptr_t top = getauxval(AT_EXECFN);
    if (gettid() != getpid() || here >= top || getrlimit(RLIMIT_STACK, &limit) != 0)
        return false;
    size_t most = limit.rlim_cur < FIRST_STACK_MOST_BYTES ? limit.rlim_cur : FIRST_STACK_MOST_BYTES;
    *left_bytes = top - here < most ? most - (top - here) : 0;
    return top - here < most;
}

/* A coroutine's stack, or a signal's, is none that the thread knows: it has nothing to spare. */
static bool stack_suffices(void)
{
    pthread_attr_t attributes;
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    size_t left_bytes, bytes;
    void *lowest;
    if (on_first_stack(here, &left_bytes))
        return left_bytes > CALLER_STACK_LEAST_BYTES;
    if (pthread_getattr_np(pthread_self(), &attributes) != 0)
        return false;
    bool known = pthread_attr_getstack(&attributes, &lowest, &bytes) == 0;
    pthread_attr_destroy(&attributes);
    left_bytes = here - (uintptr_t)lowest;
    return known && left_bytes < bytes && left_bytes > CALLER_STACK_LEAST_BYTES;
}

/* The caller's arithmetic stays as it is. */
static bool steps_in_caller(unsigned flags, uint64_t deadline_ns)
{
    fenv_t callers;
    fegetenv(&callers);
    fesetenv(FE_DFL_ENV);
    bool complete = p11prof_drain_steps(flags, deadline_ns);
    fesetenv(&callers);
    return complete;
}

/* Forks that leave no time for a single batch: calls do not wait for it again and again. */
static void vain_note(bool in_vain)
{
    p11prof_own.vain_count = in_vain ? p11prof_own.vain_count + 1 : 0;
    if (p11prof_own.vain_count >= VAIN_MOST)
        atomic_store(&p11prof_own.busy_retry_ns,
                     p11prof_backoff_until_ns(&p11prof_own.busy_backoff_s));
}

/* With signals held: a handler must not leave the drain for good. */
static bool caller_drains_alone(unsigned flags, unsigned milliseconds)
{
    bool complete = false;
    uint32_t nobody = 0;
    uint64_t now_ns = p11prof_monotonic_ns();
    if (!atomic_compare_exchange_strong(&p11prof_own.held, &nobody, 1))
        return false;
    if (stack_suffices()) {
        complete = steps_in_caller(flags, now_ns + milliseconds * UINT64_C(1000000));
        vain_note(!complete && !p11prof_own.moved && atomic_load(&p11prof_own.made_way));
    } else { /* asking may read /proc: not at each call that finds the spool full */
        p11prof_thread.drain_retry_ns = now_ns + small_stack_retry_ns;
    }
    atomic_store(&p11prof_own.held, 0);
    return complete;
}

bool p11prof_drain_in_caller(unsigned flags, unsigned milliseconds)
{
    uint64_t now_ns = p11prof_monotonic_ns();
    bool wanted =
        (flags & P11PROF_DRAIN_LAST) || (now_ns >= atomic_load(&p11prof_own.busy_retry_ns) &&
                                         now_ns >= p11prof_thread.drain_retry_ns);
    if (!wanted || atomic_load(&p11prof_own.held))
        return false;
    struct p11prof_held held = p11prof_signals_hold();
    bool complete = caller_drains_alone(flags, milliseconds);
    p11prof_signals_release(&held);
    return complete;
}

/* Never nested, and only where there is no thread for it. */
static bool callers_drain(const struct p11prof_frame *frame)
{
    return atomic_load_explicit(&p11prof_own.state, memory_order_relaxed) !=
               P11PROF_THREAD_RUNNING &&
           p11prof_own_mode() == P11PROF_DRAIN_EXIT && frame->depth == 0;
}

/* A thread that had a chunk since has at least that one to wait for. */
static bool room_is_due(uint64_t now_ns)
{
    return p11prof_thread.had_chunk || now_ns >= atomic_load(&p11prof_own.full_retry_ns);
}

void p11prof_drain_chunk_taken(const struct p11prof_frame *frame, bool written)
{
    uint32_t ready_count = atomic_load_explicit(&p11prof_chunks_ready, memory_order_relaxed);
    uint32_t taken = atomic_load_explicit(&p11prof_chunks_taken, memory_order_relaxed);
    p11prof_thread.had_chunk = p11prof_thread.had_chunk || written;
    if (atomic_load_explicit(&p11prof_own.state, memory_order_relaxed) == P11PROF_THREAD_RUNNING) {
        if (ready_count < atomic_load_explicit(&p11prof_own.reserve, memory_order_relaxed) / 2 &&
            !atomic_exchange(&p11prof_own.asked, 1))
            p11prof_drain_wake();
    } else if (callers_drain(frame) && taken > p11prof_spool.layout.chunk_count / 2 &&
               (written || room_is_due(p11prof_monotonic_ns()))) {
        struct p11prof_guard guard = p11prof_guard_begin();
        p11prof_drain_in_caller(0, CALLER_DRAIN_MS);
        p11prof_guard_end(&guard);
    }
}

/* Whether somebody drains who did not fail the last time, or this caller may. */
static bool room_may_come(const struct p11prof_frame *frame)
{
    uint64_t now_ns = p11prof_monotonic_ns();
    bool others = atomic_load(&p11prof_own.held) && !atomic_load(&p11prof_own.busy_backoff_s);
    return callers_drain(frame) && room_is_due(now_ns) &&
           now_ns >= atomic_load(&p11prof_own.busy_retry_ns) &&
           (others || (!atomic_load(&p11prof_own.held) && now_ns >= p11prof_thread.drain_retry_ns));
}

/* Until a chunk is free. Waits for what is too young, or for another thread's drain. */
static bool room_wait(const struct p11prof_frame *frame, uint64_t end_ns)
{
    bool room = false;
    for (int i = 0; !room && i < ROOM_STEPS_MOST && p11prof_monotonic_ns() < end_ns; i++) {
        if (!room_may_come(frame))
            break;
        struct timespec rest = {.tv_nsec = ROOM_STEP_NS};
        if (p11prof_drain_in_caller(0, CALLER_DRAIN_MS))
            rest.tv_nsec = P11PROF_DRAIN_HORIZON_NS;
        room = p11prof_load_room() > 0;
        while (!room && nanosleep(&rest, &rest) != 0 && errno == EINTR)
            continue;
    }
    return room || p11prof_load_room() > 0;
}

/* All chunks may be unfinished ones of threads that do not call for a while, or a disk may hang:
 * calls do not wait for that again and again. */
static void room_note(bool moved, bool over)
{
    if (moved) {
        atomic_store(&p11prof_own.full_backoff_s, 0);
        atomic_store(&p11prof_own.full_retry_ns, 0);
    } else if (over) {
        p11prof_thread.had_chunk = false;
        atomic_store(&p11prof_own.full_retry_ns,
                     p11prof_backoff_until_ns(&p11prof_own.full_backoff_s));
    }
}

bool p11prof_drain_make_room(const struct p11prof_frame *frame, uint64_t *end_ns)
{
    uint64_t now_ns = p11prof_monotonic_ns();
    if (*end_ns == 0)
        *end_ns = now_ns + CALLER_DRAIN_MS * UINT64_C(1000000);
    if (now_ns >= *end_ns || !room_may_come(frame))
        return false;
    struct p11prof_guard guard = p11prof_guard_begin();
    uint32_t before = atomic_load(&p11prof_own.released_count);
    bool room = room_wait(frame, *end_ns);
    room_note(room || before != atomic_load(&p11prof_own.released_count),
              p11prof_monotonic_ns() >= *end_ns);
    p11prof_guard_end(&guard);
    return room;
}
