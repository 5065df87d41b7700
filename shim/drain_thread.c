/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The thread that drains, its start and its end. */
#include "drain_own.h"
#include "guard.h"

#include <fenv.h>
#include <linux/close_range.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { STACK_BYTES = 512 * 1024 };

static const uint64_t idle_close_ns = UINT64_C(5000000000); /* without rows */

static long futex(_Atomic(uint32_t) *word, int operation, uint32_t value,
                  const struct timespec *timeout)
{
    return syscall(SYS_futex, word, operation | FUTEX_PRIVATE_FLAG, value, timeout, NULL, 0);
}

/* A moment in all clocks once a second: dead processes' ticks are converted with these. */
static void anchor_push(void)
{
    struct p11prof_spool_header *header = p11prof_spool.header;
    uint32_t count = atomic_load_explicit(&header->anchor_count, memory_order_relaxed);
    header->anchors[count % P11PROF_SPOOL_ANCHORS] = p11prof_anchor_now();
    atomic_store_explicit(&header->anchor_count, count + 1, memory_order_release);
}

/* More chunks ahead while the producer catches us with few, fewer when it is quiet. */
static void reserve_adapt(bool asked)
{
    uint32_t reserve = atomic_load(&p11prof_own.reserve),
             most = p11prof_spool.layout.chunk_count / 4;
    if (asked)
        reserve = reserve * 2 < most ? reserve * 2 : most;
    else if (p11prof_monotonic_ns() - p11prof_own.last_rows_ns > idle_close_ns)
        reserve = reserve / 2 > P11PROF_RESERVE_LEAST ? reserve / 2 : P11PROF_RESERVE_LEAST;
    atomic_store(&p11prof_own.reserve, reserve);
    p11prof_chunks_make(reserve);
}

static void thread_loop(void)
{
    const struct timespec second = {.tv_sec = 1};
    uint64_t anchor_ns = 0;
    bool first = true;
    while (atomic_load(&p11prof_own.state) == P11PROF_THREAD_RUNNING) {
        uint32_t wake = atomic_load(&p11prof_own.wake);
        reserve_adapt(atomic_exchange(&p11prof_own.asked, 0) != 0);
        if (p11prof_monotonic_ns() - anchor_ns > 1000000000) {
            anchor_push();
            p11prof_rings_reap();
            anchor_ns = p11prof_monotonic_ns();
        }
        bool more = false;
        if (first)
            p11prof_drain_open_early();
        else if (p11prof_own.store || !p11prof_own.drain ||
                 p11prof_drain_has_calls(p11prof_own.drain))
            p11prof_drain_step(
                0, 0, &more); /* an idle process does not open its database again and again */
        first = false;
        if (p11prof_own.store && p11prof_monotonic_ns() - p11prof_own.last_rows_ns > idle_close_ns)
            p11prof_drain_leave();
        if (!more && atomic_load(&p11prof_own.state) == P11PROF_THREAD_RUNNING)
            futex(&p11prof_own.wake, FUTEX_WAIT, wake, &second);
    }
}

/* Descriptors of our own: the application cannot close or reuse them, and SQLite's locks are not
 * its locks. */
static bool descriptors_unshare(void)
{
    bool debug = p11prof_shim_config()->debug;
    if (syscall(SYS_close_range, debug ? 3u : 0u, ~0u, CLOSE_RANGE_UNSHARE) != 0)
        return false;
    if (debug) {
        close(STDIN_FILENO);
        close(STDOUT_FILENO);
    }
    return true;
}

/* The thread and who starts it both say so: whoever is first. A C_Finalize beside this finds either
 * no thread to wait for, or one that is there. */
static void running(void)
{
    uint32_t starting = P11PROF_THREAD_STARTING;
    atomic_compare_exchange_strong(&p11prof_own.state, &starting, P11PROF_THREAD_RUNNING);
}

static void *thread_main(void *unused)
{
    (void)unused;
    running();
    fesetenv(FE_DFL_ENV); /* not the rounding or the traps of who started us */
    pthread_setname_np(pthread_self(), "p11prof");
    p11prof_own.own_descriptors = descriptors_unshare();
    thread_loop();
    p11prof_own.retry_ns = 0;
    if (p11prof_own.store)
        p11prof_store_no_checkpoint(p11prof_own.store);
    bool complete = p11prof_drain_steps(P11PROF_DRAIN_ALL | P11PROF_DRAIN_LAST,
                                        atomic_load(&p11prof_own.deadline_ns));
    if (p11prof_own.store)
        p11prof_drain_leave();
    p11prof_own.own_descriptors = false;
    atomic_store(&p11prof_own.complete, complete);
    atomic_store(&p11prof_own.held, 0);
    atomic_store(&p11prof_own.state, P11PROF_THREAD_ENDED);
    futex(&p11prof_own.state, FUTEX_WAKE, 1, NULL);
    return NULL;
}

void p11prof_drain_thread_start(void)
{
    enum p11prof_drain_mode wanted = p11prof_shim_config()->drain;
    uint32_t none = atomic_load(&p11prof_own.state);
    if (p11prof_own.external || (wanted != P11PROF_DRAIN_AUTO && wanted != P11PROF_DRAIN_THREAD) ||
        (none != P11PROF_THREAD_NONE && none != P11PROF_THREAD_ENDED) ||
        !atomic_compare_exchange_strong(&p11prof_own.state, &none, P11PROF_THREAD_STARTING))
        return;
    struct p11prof_guard guard = p11prof_guard_begin();
    enum p11prof_drain_mode mode_before = p11prof_own_mode();
    uint32_t nobody = 0;
    sigset_t before;
    pthread_attr_t attributes;
    bool started = false;
    if (atomic_compare_exchange_strong(&p11prof_own.held, &nobody, 1)) {
        p11prof_signals_block(&before);
        pthread_attr_init(&attributes);
        pthread_attr_setstacksize(&attributes, STACK_BYTES);
        p11prof_own.last_rows_ns = p11prof_monotonic_ns();
        p11prof_own_mode_set(P11PROF_DRAIN_THREAD);
        started = pthread_create(&p11prof_own.thread, &attributes, thread_main, NULL) == 0;
        pthread_attr_destroy(&attributes);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        if (!started) {
            p11prof_own_mode_set(mode_before);
            atomic_store(&p11prof_own.held, 0);
        }
    }
    if (started)
        running();
    else
        atomic_store(&p11prof_own.state, P11PROF_THREAD_NONE);
    p11prof_guard_end(&guard);
}

void p11prof_drain_go_on(void)
{
    if (atomic_load(&p11prof_own.made_way))
        p11prof_drain_wake();
}

void p11prof_drain_wake(void)
{
    if (atomic_load(&p11prof_own.state) != P11PROF_THREAD_RUNNING)
        return;
    atomic_fetch_add(&p11prof_own.wake, 1);
    futex(&p11prof_own.wake, FUTEX_WAKE, 1, NULL);
}

/* --- the end --- */

static bool thread_stop(unsigned milliseconds)
{
    uint64_t deadline_ns = p11prof_monotonic_ns() + milliseconds * UINT64_C(1000000);
    uint32_t state = P11PROF_THREAD_RUNNING;
    atomic_store(&p11prof_own.deadline_ns, deadline_ns);
    if (!atomic_compare_exchange_strong(&p11prof_own.state, &state, P11PROF_THREAD_STOPPING))
        return false;
    atomic_fetch_add(&p11prof_own.wake, 1);
    futex(&p11prof_own.wake, FUTEX_WAKE, 1, NULL);
    while (atomic_load(&p11prof_own.state) == P11PROF_THREAD_STOPPING) {
        uint64_t now_ns = p11prof_monotonic_ns();
        if (now_ns >= deadline_ns)
            break;
        const struct timespec rest = {.tv_sec = (time_t)((deadline_ns - now_ns) / 1000000000),
                                      .tv_nsec = (long)((deadline_ns - now_ns) % 1000000000)};
        futex(&p11prof_own.state, FUTEX_WAIT, P11PROF_THREAD_STOPPING, &rest);
    }
    if (atomic_load(&p11prof_own.state) != P11PROF_THREAD_ENDED) {
        pthread_detach(p11prof_own.thread);
        return false;
    }
    pthread_join(p11prof_own.thread, NULL);
    if (p11prof_own_mode() == P11PROF_DRAIN_THREAD)
        p11prof_own_mode_set(P11PROF_DRAIN_EXIT);
    return atomic_load(&p11prof_own.complete) != 0;
}

/* Records that all rings of this spool have had, plus one; 0 while another thread may write one. */
static uint64_t records_count(void)
{
    uint64_t count = 1;
    if (p11prof_others_record())
        return 0;
    for (uint32_t i = 0; i < atomic_load(&p11prof_spool.header->rings_used); i++) {
        const struct p11prof_ring *ring = p11prof_spool_ring(&p11prof_spool, i);
        if (ring->chunk)
            count +=
                ring->sequence * P11PROF_CHUNK_RECORDS +
                (uint64_t)(ring->next - p11prof_spool_records(&p11prof_spool, ring->chunk - 1));
    }
    return count;
}

bool p11prof_drain_finish(unsigned milliseconds)
{
    uint64_t count = records_count();
    bool complete = count != 0 && atomic_load(&p11prof_own.finished_count) == count;
    if (complete)
        return true;
    struct p11prof_guard guard = p11prof_guard_begin();
    if (atomic_load(&p11prof_own.state) == P11PROF_THREAD_RUNNING)
        complete = thread_stop(milliseconds);
    else if (!p11prof_own.external)
        complete = p11prof_drain_in_caller(P11PROF_DRAIN_ALL | P11PROF_DRAIN_LAST, milliseconds);
    atomic_store(&p11prof_own.finished_count, complete ? count : 0);
    p11prof_guard_end(&guard);
    return complete;
}
