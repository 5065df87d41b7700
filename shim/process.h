/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What this process and its threads know of themselves: the two words that the hot path compares.
 *
 * `generation` stands in a page that the kernel wipes in a forked child (MADV_WIPEONFORK). It is 0
 * where nothing is set up yet, or where recording is off; a thread's own generation starts as 1 and
 * never equals it before p11prof_thread_enter(). */
#ifndef P11PROF_SHIM_PROCESS_H
#define P11PROF_SHIM_PROCESS_H

#include "p11prof/calls.h"
#include "p11prof/config.h"
#include "p11prof/spool.h"

#include <stdatomic.h>

/* A page of memory, or several: of the largest size that the kernel may have here. */
#if defined(__x86_64__) || defined(__i386__)
enum { P11PROF_PAGE_BYTES = 4096 };
#else
enum { P11PROF_PAGE_BYTES = 65536 };
#endif

/* The page that a forked child finds empty: nothing else stands in it. */
struct p11prof_process_page {
    _Alignas(P11PROF_PAGE_BYTES) _Atomic(uint64_t) generation; /* even numbers from 2 */
    _Atomic(uint32_t) setting_up; /* id of the thread that makes the spool */
    _Atomic(uint32_t) loading;    /* id of the thread that loads the real module */
    _Atomic(uint32_t) failed;     /* no spool could be made: calls are passed through */
    uint32_t said;                /* … which the log has */
    uint32_t wait_s;              /* … and is tried again after so long, last time */
    _Atomic(uint64_t) retry_ns;   /* … and at this moment */
    _Atomic(uint64_t) missed[P11PROF_CALLS + 1]; /* calls meanwhile, by function */
};
extern struct p11prof_process_page p11prof_process_page;

/* What one thread has. */
struct p11prof_thread {
    uint64_t generation;       /* of the process when `ring` was taken; starts as 1 */
    struct p11prof_ring *ring; /* valid only while both generations agree */
    uint64_t drain_retry_ns;   /* no drain in this thread before: its stack did not suffice */
    bool had_chunk;            /* since it last waited for one in vain */
};
extern __thread struct p11prof_thread p11prof_thread __attribute__((tls_model("initial-exec")));

/* Loads configuration and real module, once; whoever comes first. Any thread, re-entrant, no lock
 * is held while foreign code runs. Called by every entry point and by the first wrapper. */
void p11prof_shim_load(void);

/* The settings that were found by p11prof_shim_load(). */
const struct p11prof_config *p11prof_shim_config(void);

/* Whether paths still mean what they meant when the settings were found: no chroot() since. */
bool p11prof_root_is_same(void);

/* Path of the shim's own copy. */
const char *p11prof_shim_path(void);

/* Slow path of a wrapper: sets up the process and takes a ring for this thread. NULL: pass the call
 * through. */
struct p11prof_ring *p11prof_thread_enter(unsigned function);

/* Ends recording into the current spool. */
void p11prof_process_closed(void);

/* After C_Initialize returned: starts the drain thread where that is allowed. */
void p11prof_process_initialized(CK_C_INITIALIZE_ARGS_PTR args, CK_RV rv);

/* After C_Finalize returned: drains for at most 250 ms and ends the drain thread. */
void p11prof_process_finalized(CK_RV rv);

#endif
