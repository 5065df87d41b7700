/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Around work of our own in an application's thread: errno stays as it was, and a cancellation of
 * the thread takes effect where the application expects it, not in our calls of open() and the
 * like, where it would leave a word set that other threads wait for. Any thread; nests. */
#ifndef P11PROF_SHIM_GUARD_H
#define P11PROF_SHIM_GUARD_H

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <time.h>

struct p11prof_guard {
    int error, cancel_state, cancel_type;
};

static inline struct p11prof_guard p11prof_guard_begin(void)
{
    struct p11prof_guard guard = {.error = errno};
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &guard.cancel_state);
    pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, &guard.cancel_type);
    return guard;
}

static inline void p11prof_guard_end(const struct p11prof_guard *guard)
{
    errno = guard->error;
    pthread_setcancelstate(guard->cancel_state, NULL);
    /* Last: glibc 2.36 forgets a cancelled thread's result where the state comes after the type. */
    pthread_setcanceltype(guard->cancel_type, NULL);
}

/* Writes of ours may raise these; the application gets only those that it had pending before. */
enum { P11PROF_HELD_SIGNALS = 2 };
static const int p11prof_held_signals[P11PROF_HELD_SIGNALS] = {SIGXFSZ, SIGPIPE};

struct p11prof_held {
    sigset_t before, pending;
};

/* All but SIGSYS: where a sandbox answers a system call by a handler, the kernel kills who blocks
 * it. */
static inline void p11prof_signals_block(sigset_t *before)
{
    sigset_t all;
    sigfillset(&all);
    sigdelset(&all, SIGSYS);
    pthread_sigmask(SIG_BLOCK, &all, before);
}

/* All are held: a handler that comes between may not come back, or come back in a forked child. */
static inline struct p11prof_held p11prof_signals_hold(void)
{
    struct p11prof_held held;
    sigpending(&held.pending);
    p11prof_signals_block(&held.before);
    return held;
}

static inline void p11prof_signals_release(const struct p11prof_held *held)
{
    const struct timespec at_once = {0};
    for (int i = 0; i < P11PROF_HELD_SIGNALS; i++) {
        sigset_t one;
        sigemptyset(&one);
        sigaddset(&one, p11prof_held_signals[i]);
        while (!sigismember(&held->pending, p11prof_held_signals[i]) &&
               sigtimedwait(&one, NULL, &at_once) == p11prof_held_signals[i])
            ;
    }
    pthread_sigmask(SIG_SETMASK, &held->before, NULL);
}

#endif
