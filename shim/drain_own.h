/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What the drain of this process is at. drain_steps.c does the work; drain_thread.c and
 * drain_callers.c say in whose time. */
#ifndef P11PROF_SHIM_DRAIN_OWN_H
#define P11PROF_SHIM_DRAIN_OWN_H

#include "drain_thread.h"
#include "p11prof/drain.h"

#include <pthread.h>

enum { P11PROF_RESERVE_LEAST = 4 }; /* chunks made ahead of need */

enum p11prof_thread_state {
    P11PROF_THREAD_NONE,
    P11PROF_THREAD_STARTING,
    P11PROF_THREAD_RUNNING,
    P11PROF_THREAD_STOPPING,
    P11PROF_THREAD_ENDED
};

/* Everything but the atomics belongs to who holds `held`. */
struct p11prof_own {
    _Atomic(uint32_t) held;  /* a thread is in the drain */
    _Atomic(uint32_t) state; /* enum p11prof_thread_state */
    _Atomic(uint32_t) wake;  /* futex: counts requests */
    _Atomic(uint32_t) asked; /* a wake is on its way */
    _Atomic(uint32_t) reserve;
    _Atomic(uint64_t) deadline_ns;
    _Atomic(uint64_t) busy_retry_ns;  /* no drain on the way of a call before this moment */
    _Atomic(uint32_t) released_count; /* chunks, ever */
    _Atomic(uint64_t) full_retry_ns;  /* no call waits for room before this moment */
    _Atomic(uint32_t) full_backoff_s;
    _Atomic(uint32_t) complete; /* the final drain took everything */
    pthread_t thread;
    struct p11prof_drain *drain;
    struct p11prof_store *store;
    bool own_descriptors; /* the thread has a table of its own */
    bool external; /* never SQLite in this process: so configured, or a fork was in the way */
    bool said;     /* the failure in hand was said */
    bool busy;     /* the last step found somebody else writing */
    _Atomic(uint32_t) backoff_s, busy_backoff_s;
    _Atomic(uint32_t) made_way; /* the last step ended for a fork */
    bool moved;                 /* the last steps wrote calls */
    unsigned vain_count;        /* drains on the way of a call, one after the other, that did not */
    uint64_t retry_ns;          /* not before this moment */
    uint64_t last_rows_ns;      /* when rows were last written */
    /* Records of the rings when the last finish took everything; 0: none. Whoever finishes writes
     * it: exit() may come beside another thread's C_Finalize. */
    _Atomic(uint64_t) finished_count;
};

extern struct p11prof_own p11prof_own;

static inline enum p11prof_drain_mode p11prof_own_mode(void)
{
    return atomic_load_explicit(&p11prof_spool.header->drain_mode, memory_order_relaxed);
}

static inline void p11prof_own_mode_set(enum p11prof_drain_mode value)
{
    atomic_store(&p11prof_spool.header->drain_mode, value);
}

/* --- drain_steps.c: whoever holds `held` --- */

/* Opens the database before there is anything to write. */
void p11prof_drain_open_early(void);

/* Drains until the deadline. Returns true if everything that was asked for is in the database;
 * *more: another step at once is worth it. */
bool p11prof_drain_step(unsigned flags, uint64_t deadline_ns, bool *more);

/* Steps until nothing is left, or it is in vain, or time is over. Returns as a step does. */
bool p11prof_drain_steps(unsigned flags, uint64_t end_ns);

/* Closes the database and leaves the gate. */
void p11prof_drain_leave(void);

/* 1, 2, 4 … 60 s from now. */
uint64_t p11prof_backoff_until_ns(_Atomic(uint32_t) *seconds);

/* --- drain_callers.c --- */

/* On the way of a call, or at the end: drains in this thread, unless another one is in the drain or
 * its stack is too small. Returns as a step does. */
bool p11prof_drain_in_caller(unsigned flags, unsigned milliseconds);

#endif
