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

/* Draining in the caller's thread: a file size limit must not kill the application, and its
 * arithmetic stays as it is. */
static bool steps_in_caller(unsigned flags, uint64_t deadline_ns)
{
    fenv_t callers;
    fegetenv(&callers);
    fesetenv(FE_DFL_ENV);
    struct p11prof_held held = p11prof_signals_hold();
    bool complete = p11prof_drain_steps(flags, deadline_ns);
    p11prof_signals_release(&held);
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

bool p11prof_drain_in_caller(unsigned flags, unsigned milliseconds)
{
    bool last = (flags & P11PROF_DRAIN_LAST) != 0, complete = false;
    uint32_t nobody = 0;
    uint64_t now_ns = p11prof_monotonic_ns();
    if ((!last && (now_ns < atomic_load(&p11prof_own.busy_retry_ns) ||
                   now_ns < p11prof_thread.drain_retry_ns)) ||
        !atomic_compare_exchange_strong(&p11prof_own.held, &nobody, 1))
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

/* Never nested, and only where there is no thread for it. */
static bool callers_drain(const struct p11prof_frame *frame)
{
    return atomic_load_explicit(&p11prof_own.state, memory_order_relaxed) !=
               P11PROF_THREAD_RUNNING &&
           p11prof_own_mode() == P11PROF_DRAIN_EXIT && frame->depth == 0;
}

void p11prof_drain_chunk_taken(const struct p11prof_frame *frame)
{
    uint32_t ready_count = atomic_load_explicit(&p11prof_chunks_ready, memory_order_relaxed);
    uint32_t taken = atomic_load_explicit(&p11prof_chunks_taken, memory_order_relaxed);
    if (atomic_load_explicit(&p11prof_own.state, memory_order_relaxed) == P11PROF_THREAD_RUNNING) {
        if (ready_count < atomic_load_explicit(&p11prof_own.reserve, memory_order_relaxed) / 2 &&
            !atomic_exchange(&p11prof_own.asked, 1))
            p11prof_drain_wake();
    } else if (callers_drain(frame) && taken > p11prof_spool.layout.chunk_count / 2) {
        struct p11prof_guard guard = p11prof_guard_begin();
        p11prof_drain_in_caller(0, CALLER_DRAIN_MS);
        p11prof_guard_end(&guard);
    }
}

bool p11prof_drain_make_room(const struct p11prof_frame *frame)
{
    struct timespec rest = {.tv_nsec = P11PROF_DRAIN_HORIZON_NS};
    if (!callers_drain(frame))
        return false;
    struct p11prof_guard guard = p11prof_guard_begin();
    if (p11prof_drain_in_caller(0, CALLER_DRAIN_MS) && p11prof_load_room() == 0) {
        while (nanosleep(&rest, &rest) != 0 && errno == EINTR)
            continue;
        p11prof_drain_in_caller(0, CALLER_DRAIN_MS);
    }
    p11prof_guard_end(&guard);
    return p11prof_load_room() > 0;
}
