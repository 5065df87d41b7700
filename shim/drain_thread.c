/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "drain_thread.h"

#include "guard.h"
#include "p11prof/drain.h"
#include "say.h"

#include <errno.h>
#include <fenv.h>
#include <linux/close_range.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    RESERVE_LEAST = 4, /* chunks made ahead of need */
    BACKOFF_MOST_S = 60,
    STACK_BYTES = 512 * 1024,
    CALLER_STACK_LEAST_BYTES = 256 * 1024, /* what SQLite may need of a caller's stack */
    FIRST_STACK_MOST_BYTES = 64 << 20,     /* what the first thread may have, without a limit */
    CALLER_DRAIN_MS = 250,
    VAIN_MOST = 4,
    WRITER_WAIT_MS = 100,
    TRIM_MS = 50, /* of the time at the end: to close the database */
};

static const uint64_t idle_close_ns = UINT64_C(5000000000); /* without rows */
static const uint64_t small_stack_retry_ns = 10000000;

enum thread_state { THREAD_NONE, THREAD_STARTING, THREAD_RUNNING, THREAD_STOPPING, THREAD_ENDED };

_Atomic(uint32_t) p11prof_gate;
_Atomic(uint32_t) p11prof_gate_leave;

/* The drain of this process. Everything but the atomics belongs to who holds `held`. */
static struct {
    _Atomic(uint32_t) held;  /* a thread is in the drain */
    _Atomic(uint32_t) state; /* enum thread_state */
    _Atomic(uint32_t) wake;  /* futex: counts requests */
    _Atomic(uint32_t) asked; /* a wake is on its way */
    _Atomic(uint32_t) reserve;
    _Atomic(uint64_t) deadline_ns;
    _Atomic(uint64_t) busy_retry_ns; /* no drain on the way of a call before this moment */
    _Atomic(uint32_t) complete;      /* the final drain took everything */
    pthread_t thread;
    struct p11prof_drain *drain;
    struct p11prof_store *store;
    bool own_descriptors; /* the thread has a table of its own */
    bool external; /* never SQLite in this process: so configured, or a fork was in the way */
    bool said;     /* the failure in hand was said */
    bool busy;     /* the last step found somebody else writing */
    unsigned backoff_s, busy_backoff_s;
    _Atomic(uint32_t) made_way; /* the last step ended for a fork */
    bool moved;                 /* the last steps wrote calls */
    unsigned vain_count;        /* drains on the way of a call, one after the other, that did not */
    uint64_t retry_ns;          /* not before this moment */
    uint64_t last_rows_ns;      /* when rows were last written */
    /* Records of the rings when the last finish took everything; 0: none. Whoever finishes writes
     * it: exit() may come beside another thread's C_Finalize. */
    _Atomic(uint64_t) finished_count;
} own;

static long futex(_Atomic(uint32_t) *word, int operation, uint32_t value,
                  const struct timespec *timeout)
{
    return syscall(SYS_futex, word, operation | FUTEX_PRIVATE_FLAG, value, timeout, NULL, 0);
}

static enum p11prof_drain_mode mode(void)
{
    return atomic_load_explicit(&p11prof_spool.header->drain_mode, memory_order_relaxed);
}

static void mode_set(enum p11prof_drain_mode value)
{
    atomic_store(&p11prof_spool.header->drain_mode, value);
}

void p11prof_drain_reset(bool forbidden)
{
    const struct p11prof_config *config = p11prof_shim_config();
    memset(&own, 0, sizeof own);
    atomic_store(&own.reserve, RESERVE_LEAST);
    atomic_store(&p11prof_chunks_ready, 0);
    atomic_store(&p11prof_chunks_taken, 0);
    own.external = forbidden || !config->db[0] || config->drain == P11PROF_DRAIN_EXTERNAL;
    mode_set(own.external ? P11PROF_DRAIN_EXTERNAL : P11PROF_DRAIN_EXIT);
}

/* --- the gate --- */

/* A fork that waits does not wait for a checkpoint of a short log. */
static void gate_leave(void)
{
    if (own.store && atomic_load(&p11prof_gate_leave))
        p11prof_store_no_checkpoint(own.store);
    if (own.store)
        p11prof_store_trim(own.store);
    p11prof_store_close(own.store);
    own.store = NULL;
    atomic_store(&p11prof_gate, 0);
}

static bool gate_enter(void)
{
    if (atomic_load(&p11prof_gate) && !atomic_load(&p11prof_gate_leave))
        return true;
    atomic_store(&p11prof_gate, 1);
    if (!atomic_load(&p11prof_gate_leave))
        return true;
    gate_leave();
    return false;
}

/* --- one step --- */

static void release(uint32_t chunk)
{
    p11prof_chunk_release(chunk, atomic_load(&own.reserve));
}

static enum p11prof_status ready(struct p11prof_error *error)
{
    const struct p11prof_spool_source source = {.map = p11prof_spool.header,
                                                .fd = -1,
                                                .file_bytes = p11prof_spool.layout.file_bytes,
                                                .release = release};
    enum p11prof_status status = P11PROF_OK;
    if (!own.drain)
        status = p11prof_drain_open(&own.drain, &source, error);
    if (status == P11PROF_OK && !own.store) {
        unsigned flags = P11PROF_STORE_CREATE;
        if (!own.own_descriptors || atomic_load(&own.state) == THREAD_STOPPING)
            flags |= P11PROF_STORE_EXCLUSIVE | P11PROF_STORE_NO_CHECKPOINT;
        p11prof_store_one_thread();
        p11prof_store_share_descriptors(!own.own_descriptors);
        status = p11prof_store_open(&own.store, p11prof_shim_config()->db, flags, error);
        if (status == P11PROF_OK)
            p11prof_store_stop_word(own.store, &p11prof_gate_leave);
    }
    return status;
}

static uint64_t backoff_until_ns(unsigned *seconds)
{
    *seconds = *seconds ? *seconds * 2 : 1;
    if (*seconds > BACKOFF_MOST_S)
        *seconds = BACKOFF_MOST_S;
    return p11prof_monotonic_ns() + *seconds * UINT64_C(1000000000);
}

/* A database that fails is tried again after 1, 2, 4 … 60 s; meanwhile collectors may take the
 * spool. Whoever made way for a fork of its own goes on at once. */
static void failed(enum p11prof_status status, uint32_t fork_count,
                   const struct p11prof_error *error)
{
    own.busy = status == P11PROF_BUSY;
    atomic_store(&own.made_way,
                 own.busy && (atomic_load(&p11prof_gate_leave) ||
                              fork_count != atomic_load(&p11prof_spool.header->fork_count)));
    if (atomic_load(&own.made_way))
        return;
    if (own.busy) {
        atomic_store(&own.busy_retry_ns, backoff_until_ns(&own.busy_backoff_s));
        return;
    }
    if (!own.said)
        p11prof_say(LOG_WARNING, "%s; calls stay in %s until `p11prof collect`", error->text,
                    p11prof_spool.path);
    own.said = true;
    own.retry_ns = backoff_until_ns(&own.backoff_s);
    mode_set(P11PROF_DRAIN_EXTERNAL);
}

static void succeeded(const struct p11prof_drain_result *result)
{
    own.backoff_s = own.busy_backoff_s = 0;
    atomic_store(&own.busy_retry_ns, 0);
    own.said = false;
    if (result->call_count)
        own.last_rows_ns = p11prof_monotonic_ns();
    if (result->clock_step_count > 0 &&
        atomic_exchange(&p11prof_recorder_clock, P11PROF_CLOCK_MONOTONIC) == P11PROF_CLOCK_TSC)
        p11prof_say(LOG_WARNING,
                    "the TSC does not run evenly here: using CLOCK_MONOTONIC from now on");
    mode_set(atomic_load(&own.state) != THREAD_NONE ? P11PROF_DRAIN_THREAD : P11PROF_DRAIN_EXIT);
}

/* The database's path leads elsewhere after a chroot(): it is neither made nor looked for there. */
static bool root_changed(void)
{
    if (own.external || p11prof_root_is_same())
        return own.external;
    own.external = true;
    mode_set(P11PROF_DRAIN_EXTERNAL);
    if (own.store)
        gate_leave();
    p11prof_say(LOG_WARNING,
                "the root folder was changed; calls stay in %s until `p11prof collect`",
                p11prof_spool.path);
    return true;
}

/* Drains until the deadline. Returns true if everything that was asked for is in the database. */
static bool step(unsigned flags, uint64_t deadline_ns, bool *more)
{
    struct p11prof_drain_result result = {0};
    struct p11prof_error error = {0};
    *more = own.busy = false;
    atomic_store(&own.made_way, 0);
    if (root_changed() || p11prof_monotonic_ns() < own.retry_ns)
        return false;
    if (!gate_enter()) {
        atomic_store(&own.made_way, 1);
        *more = !atomic_load(&p11prof_gate_leave);
        return false;
    }
    uint32_t fork_count = atomic_load(&p11prof_spool.header->fork_count);
    enum p11prof_status status = ready(&error);
    if (status == P11PROF_OK)
        status = p11prof_drain_run(own.drain, own.store, flags, deadline_ns, WRITER_WAIT_MS,
                                   &result, &error);
    own.moved = own.moved || result.call_count > 0;
    if (status == P11PROF_OK)
        succeeded(&result);
    else if (!root_changed()) /* just now, beside us */
        failed(status, fork_count, &error);
    bool leaving = atomic_load(&p11prof_gate_leave) != 0;
    if (status != P11PROF_OK || !own.own_descriptors || leaving || (flags & P11PROF_DRAIN_LAST))
        gate_leave();
    *more = !leaving && (status == P11PROF_OK ? result.more : atomic_load(&own.made_way));
    return status == P11PROF_OK && !result.more;
}

/* Whether a step that did not take everything is worth another one: a fork is over in a moment; at
 * the end, a database that others write is tried as long as there is time for it. */
static bool again(bool last, uint64_t deadline_ns)
{
    const struct timespec moment = {.tv_nsec = 1000000};
    uint64_t wait_ns = WRITER_WAIT_MS * UINT64_C(1000000);
    if (atomic_load(&own.made_way)) {
        wait_ns = 0;
        nanosleep(&moment, NULL);
    } else if (!last || !own.busy) {
        return false;
    }
    return p11prof_monotonic_ns() + wait_ns < deadline_ns;
}

static bool steps(unsigned flags, uint64_t end_ns)
{
    uint64_t deadline_ns = end_ns - TRIM_MS * UINT64_C(1000000);
    bool complete, more;
    own.moved = false;
    do
        complete = step(flags, deadline_ns, &more);
    while (!complete && again((flags & P11PROF_DRAIN_LAST) != 0, end_ns));
    return complete;
}

/* --- the thread --- */

/* Beside the application's first calls, none of which is old enough to be taken yet: what opening
 * costs, its end does not have to wait for. */
static void open_early(void)
{
    struct p11prof_error error = {0};
    if (!own.own_descriptors || root_changed() || !gate_enter())
        return;
    uint32_t fork_count = atomic_load(&p11prof_spool.header->fork_count);
    enum p11prof_status status = ready(&error);
    own.last_rows_ns = p11prof_monotonic_ns(); /* open for a while, however long it took */
    if (status != P11PROF_OK && !root_changed())
        failed(status, fork_count, &error);
    if (status != P11PROF_OK || atomic_load(&p11prof_gate_leave))
        gate_leave();
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
    uint32_t reserve = atomic_load(&own.reserve), most = p11prof_spool.layout.chunk_count / 4;
    if (asked)
        reserve = reserve * 2 < most ? reserve * 2 : most;
    else if (p11prof_monotonic_ns() - own.last_rows_ns > idle_close_ns)
        reserve = reserve / 2 > RESERVE_LEAST ? reserve / 2 : RESERVE_LEAST;
    atomic_store(&own.reserve, reserve);
    p11prof_chunks_make(reserve);
}

static void thread_loop(void)
{
    const struct timespec second = {.tv_sec = 1};
    uint64_t anchor_ns = 0;
    bool first = true;
    while (atomic_load(&own.state) == THREAD_RUNNING) {
        uint32_t wake = atomic_load(&own.wake);
        reserve_adapt(atomic_exchange(&own.asked, 0) != 0);
        if (p11prof_monotonic_ns() - anchor_ns > 1000000000) {
            anchor_push();
            p11prof_rings_reap();
            anchor_ns = p11prof_monotonic_ns();
        }
        bool more = false;
        if (first)
            open_early();
        else if (own.store || !own.drain || p11prof_drain_has_calls(own.drain))
            step(0, 0, &more); /* an idle process does not open its database again and again */
        first = false;
        if (own.store && p11prof_monotonic_ns() - own.last_rows_ns > idle_close_ns)
            gate_leave();
        if (!more && atomic_load(&own.state) == THREAD_RUNNING)
            futex(&own.wake, FUTEX_WAIT, wake, &second);
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
    uint32_t starting = THREAD_STARTING;
    atomic_compare_exchange_strong(&own.state, &starting, THREAD_RUNNING);
}

static void *thread_main(void *unused)
{
    (void)unused;
    running();
    fesetenv(FE_DFL_ENV); /* not the rounding or the traps of who started us */
    pthread_setname_np(pthread_self(), "p11prof");
    own.own_descriptors = descriptors_unshare();
    thread_loop();
    own.retry_ns = 0;
    if (own.store)
        p11prof_store_no_checkpoint(own.store);
    bool complete = steps(P11PROF_DRAIN_ALL | P11PROF_DRAIN_LAST, atomic_load(&own.deadline_ns));
    if (own.store)
        gate_leave();
    own.own_descriptors = false;
    atomic_store(&own.complete, complete);
    atomic_store(&own.held, 0);
    atomic_store(&own.state, THREAD_ENDED);
    futex(&own.state, FUTEX_WAKE, 1, NULL);
    return NULL;
}

void p11prof_drain_thread_start(void)
{
    enum p11prof_drain_mode wanted = p11prof_shim_config()->drain;
    uint32_t none = atomic_load(&own.state);
    if (own.external || (wanted != P11PROF_DRAIN_AUTO && wanted != P11PROF_DRAIN_THREAD) ||
        (none != THREAD_NONE && none != THREAD_ENDED) ||
        !atomic_compare_exchange_strong(&own.state, &none, THREAD_STARTING))
        return;
    struct p11prof_guard guard = p11prof_guard_begin();
    enum p11prof_drain_mode mode_before = mode();
    uint32_t nobody = 0;
    sigset_t all, before;
    pthread_attr_t attributes;
    bool started = false;
    if (atomic_compare_exchange_strong(&own.held, &nobody, 1)) {
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        pthread_attr_init(&attributes);
        pthread_attr_setstacksize(&attributes, STACK_BYTES);
        own.last_rows_ns = p11prof_monotonic_ns();
        mode_set(P11PROF_DRAIN_THREAD);
        started = pthread_create(&own.thread, &attributes, thread_main, NULL) == 0;
        pthread_attr_destroy(&attributes);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        if (!started) {
            mode_set(mode_before);
            atomic_store(&own.held, 0);
        }
    }
    if (started)
        running();
    else
        atomic_store(&own.state, THREAD_NONE);
    p11prof_guard_end(&guard);
}

/* --- the callers --- */

void p11prof_drain_go_on(void)
{
    if (atomic_load(&own.made_way))
        p11prof_drain_wake();
}

void p11prof_drain_wake(void)
{
    if (atomic_load(&own.state) != THREAD_RUNNING)
        return;
    atomic_fetch_add(&own.wake, 1);
    futex(&own.wake, FUTEX_WAKE, 1, NULL);
}

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
    bool complete = steps(flags, deadline_ns);
    p11prof_signals_release(&held);
    fesetenv(&callers);
    return complete;
}

/* Forks that leave no time for a single batch: calls do not wait for it again and again. */
static void vain_note(bool in_vain)
{
    own.vain_count = in_vain ? own.vain_count + 1 : 0;
    if (own.vain_count >= VAIN_MOST)
        atomic_store(&own.busy_retry_ns, backoff_until_ns(&own.busy_backoff_s));
}

/* On its way through a call, or at the end. */
static bool caller_drains(unsigned flags, unsigned milliseconds)
{
    bool last = (flags & P11PROF_DRAIN_LAST) != 0, complete = false;
    uint32_t nobody = 0;
    uint64_t now_ns = p11prof_monotonic_ns();
    if ((!last &&
         (now_ns < atomic_load(&own.busy_retry_ns) || now_ns < p11prof_thread.drain_retry_ns)) ||
        !atomic_compare_exchange_strong(&own.held, &nobody, 1))
        return false;
    if (stack_suffices()) {
        complete = steps_in_caller(flags, now_ns + milliseconds * UINT64_C(1000000));
        vain_note(!complete && !own.moved && atomic_load(&own.made_way));
    } else { /* asking may read /proc: not at each call that finds the spool full */
        p11prof_thread.drain_retry_ns = now_ns + small_stack_retry_ns;
    }
    atomic_store(&own.held, 0);
    return complete;
}

/* Never nested, and only where there is no thread for it. */
static bool callers_drain(const struct p11prof_frame *frame)
{
    return atomic_load_explicit(&own.state, memory_order_relaxed) != THREAD_RUNNING &&
           mode() == P11PROF_DRAIN_EXIT && frame->depth == 0;
}

void p11prof_drain_chunk_taken(const struct p11prof_frame *frame)
{
    uint32_t ready_count = atomic_load_explicit(&p11prof_chunks_ready, memory_order_relaxed);
    uint32_t taken = atomic_load_explicit(&p11prof_chunks_taken, memory_order_relaxed);
    if (atomic_load_explicit(&own.state, memory_order_relaxed) == THREAD_RUNNING) {
        if (ready_count < atomic_load_explicit(&own.reserve, memory_order_relaxed) / 2 &&
            !atomic_exchange(&own.asked, 1))
            p11prof_drain_wake();
    } else if (callers_drain(frame) && taken > p11prof_spool.layout.chunk_count / 2) {
        struct p11prof_guard guard = p11prof_guard_begin();
        caller_drains(0, CALLER_DRAIN_MS);
        p11prof_guard_end(&guard);
    }
}

bool p11prof_drain_make_room(const struct p11prof_frame *frame)
{
    struct timespec rest = {.tv_nsec = P11PROF_DRAIN_HORIZON_NS};
    if (!callers_drain(frame))
        return false;
    struct p11prof_guard guard = p11prof_guard_begin();
    if (caller_drains(0, CALLER_DRAIN_MS) && p11prof_load_room() == 0) {
        while (nanosleep(&rest, &rest) != 0 && errno == EINTR)
            continue;
        caller_drains(0, CALLER_DRAIN_MS);
    }
    p11prof_guard_end(&guard);
    return p11prof_load_room() > 0;
}

/* --- the end --- */

static bool thread_stop(unsigned milliseconds)
{
    uint64_t deadline_ns = p11prof_monotonic_ns() + milliseconds * UINT64_C(1000000);
    uint32_t state = THREAD_RUNNING;
    atomic_store(&own.deadline_ns, deadline_ns);
    if (!atomic_compare_exchange_strong(&own.state, &state, THREAD_STOPPING))
        return false;
    atomic_fetch_add(&own.wake, 1);
    futex(&own.wake, FUTEX_WAKE, 1, NULL);
    while (atomic_load(&own.state) == THREAD_STOPPING) {
        uint64_t now_ns = p11prof_monotonic_ns();
        if (now_ns >= deadline_ns)
            break;
        const struct timespec rest = {.tv_sec = (time_t)((deadline_ns - now_ns) / 1000000000),
                                      .tv_nsec = (long)((deadline_ns - now_ns) % 1000000000)};
        futex(&own.state, FUTEX_WAIT, THREAD_STOPPING, &rest);
    }
    if (atomic_load(&own.state) != THREAD_ENDED) {
        pthread_detach(own.thread);
        return false;
    }
    pthread_join(own.thread, NULL);
    if (mode() == P11PROF_DRAIN_THREAD)
        mode_set(P11PROF_DRAIN_EXIT);
    return atomic_load(&own.complete) != 0;
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
    bool complete = count != 0 && atomic_load(&own.finished_count) == count;
    if (complete)
        return true;
    struct p11prof_guard guard = p11prof_guard_begin();
    if (atomic_load(&own.state) == THREAD_RUNNING)
        complete = thread_stop(milliseconds);
    else if (!own.external)
        complete = caller_drains(P11PROF_DRAIN_ALL | P11PROF_DRAIN_LAST, milliseconds);
    atomic_store(&own.finished_count, complete ? count : 0);
    p11prof_guard_end(&guard);
    return complete;
}
