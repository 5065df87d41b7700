/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "fork.h"

#include "drain_thread.h"
#include "guard.h"

#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

enum { LEAVE_TRIES = 200, LEAVE_STEP_NS = 100000 }; /* 20 ms */

static bool wiped_by_kernel;

/* Takes no lock: asks the drain to leave SQLite and waits a moment. A child of a fork that came too
 * early does without. */
static void before_fork(void)
{
    struct p11prof_guard guard = p11prof_guard_begin();
    const struct timespec step = {.tv_nsec = LEAVE_STEP_NS};
    atomic_fetch_add(&p11prof_gate_leave, 1);
    if (atomic_load(&p11prof_gate))
        p11prof_drain_wake();
    for (int i = 0; i < LEAVE_TRIES && atomic_load(&p11prof_gate); i++)
        nanosleep(&step, NULL);
    p11prof_guard_end(&guard);
}

/* From here on a child may use what this process knows. */
static void after_fork_in_parent(void)
{
    if (atomic_load(&p11prof_process_page.generation))
        atomic_fetch_add(&p11prof_spool.header->fork_count, 1);
    if (atomic_fetch_sub(&p11prof_gate_leave, 1) == 1)
        p11prof_drain_go_on();
}

static void after_fork_in_child(void)
{
    atomic_store(&p11prof_gate_leave, 0);
    if (!wiped_by_kernel)
        memset(&p11prof_process_page, 0, sizeof p11prof_process_page);
}

void p11prof_fork_prepare_for(void)
{
    int saved_errno = errno;
    wiped_by_kernel =
        madvise(&p11prof_process_page, sizeof p11prof_process_page, MADV_WIPEONFORK) == 0;
    pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
    errno = saved_errno;
}
