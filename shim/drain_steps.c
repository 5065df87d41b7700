/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* One drain of this process's own spool: enter the gate, write what there is, leave. */
#include "drain_own.h"
#include "guard.h"
#include "say.h"

#include <string.h>
#include <time.h>

enum {
    BACKOFF_MOST_S = 60,
    WRITER_WAIT_MS = 100,
    TRIM_MS = 50, /* of the time at the end: to close the database */
};

_Atomic(uint32_t) p11prof_gate;
_Atomic(uint32_t) p11prof_gate_leave;
struct p11prof_own p11prof_own;

void p11prof_drain_reset(bool forbidden)
{
    const struct p11prof_config *config = p11prof_shim_config();
    memset(&p11prof_own, 0, sizeof p11prof_own);
    atomic_store(&p11prof_own.reserve, P11PROF_RESERVE_LEAST);
    atomic_store(&p11prof_chunks_ready, 0);
    atomic_store(&p11prof_chunks_taken, 0);
    p11prof_own.external = forbidden || !config->db[0] || config->drain == P11PROF_DRAIN_EXTERNAL;
    p11prof_own_mode_set(p11prof_own.external ? P11PROF_DRAIN_EXTERNAL : P11PROF_DRAIN_EXIT);
}

/* --- the gate --- */

/* A fork that waits does not wait for a checkpoint of a short log. */
void p11prof_drain_leave(void)
{
    if (p11prof_own.store && atomic_load(&p11prof_gate_leave))
        p11prof_store_no_checkpoint(p11prof_own.store);
    if (p11prof_own.store)
        p11prof_store_trim(p11prof_own.store);
    p11prof_store_close(p11prof_own.store);
    p11prof_own.store = NULL;
    atomic_store(&p11prof_gate, 0);
}

static bool gate_enter(void)
{
    if (atomic_load(&p11prof_gate) && !atomic_load(&p11prof_gate_leave))
        return true;
    atomic_store(&p11prof_gate, 1);
    if (!atomic_load(&p11prof_gate_leave))
        return true;
    p11prof_drain_leave();
    return false;
}

/* --- one step --- */

static void release(uint32_t chunk)
{
    p11prof_chunk_release(chunk, atomic_load(&p11prof_own.reserve));
    atomic_fetch_add(&p11prof_own.released_count, 1);
}

static enum p11prof_status ready(struct p11prof_error *error)
{
    const struct p11prof_spool_source source = {.map = p11prof_spool.header,
                                                .fd = -1,
                                                .file_bytes = p11prof_spool.layout.file_bytes,
                                                .release = release};
    enum p11prof_status status = P11PROF_OK;
    if (!p11prof_own.drain)
        status = p11prof_drain_open(&p11prof_own.drain, &source, error);
    if (status == P11PROF_OK && !p11prof_own.store) {
        unsigned flags = P11PROF_STORE_CREATE;
        if (!p11prof_own.own_descriptors ||
            atomic_load(&p11prof_own.state) == P11PROF_THREAD_STOPPING)
            flags |= P11PROF_STORE_EXCLUSIVE | P11PROF_STORE_NO_CHECKPOINT;
        p11prof_store_one_thread();
        p11prof_store_share_descriptors(!p11prof_own.own_descriptors);
        status = p11prof_store_open(&p11prof_own.store, p11prof_shim_config()->db, flags, error);
        if (status == P11PROF_OK)
            p11prof_store_stop_word(p11prof_own.store, &p11prof_gate_leave);
    }
    return status;
}

uint64_t p11prof_backoff_until_ns(_Atomic(uint32_t) *seconds)
{
    uint32_t longer = atomic_load(seconds) ? atomic_load(seconds) * 2 : 1;
    if (longer > BACKOFF_MOST_S)
        longer = BACKOFF_MOST_S;
    atomic_store(seconds, longer);
    return p11prof_monotonic_ns() + longer * UINT64_C(1000000000);
}

/* A database that fails is tried again after 1, 2, 4 … 60 s; meanwhile collectors may take the
 * spool. Whoever made way for a fork of its own goes on at once. */
static void failed(enum p11prof_status status, uint32_t fork_count,
                   const struct p11prof_error *error)
{
    p11prof_own.busy = status == P11PROF_BUSY;
    atomic_store(&p11prof_own.made_way,
                 p11prof_own.busy &&
                     (atomic_load(&p11prof_gate_leave) ||
                      fork_count != atomic_load(&p11prof_spool.header->fork_count)));
    if (atomic_load(&p11prof_own.made_way))
        return;
    if (p11prof_own.busy) {
        atomic_store(&p11prof_own.busy_retry_ns,
                     p11prof_backoff_until_ns(&p11prof_own.busy_backoff_s));
        return;
    }
    if (!p11prof_own.said)
        p11prof_say(LOG_WARNING, "%s; calls stay in %s until `p11prof collect`", error->text,
                    p11prof_spool.path);
    p11prof_own.said = true;
    p11prof_own.retry_ns = p11prof_backoff_until_ns(&p11prof_own.backoff_s);
    p11prof_own_mode_set(P11PROF_DRAIN_EXTERNAL);
}

static void succeeded(const struct p11prof_drain_result *result)
{
    atomic_store(&p11prof_own.backoff_s, 0);
    atomic_store(&p11prof_own.busy_backoff_s, 0);
    atomic_store(&p11prof_own.busy_retry_ns, 0);
    p11prof_own.said = false;
    if (result->call_count)
        p11prof_own.last_rows_ns = p11prof_monotonic_ns();
    if (result->clock_step_count > 0 &&
        atomic_exchange(&p11prof_recorder_clock, P11PROF_CLOCK_MONOTONIC) == P11PROF_CLOCK_TSC)
        p11prof_say(LOG_WARNING,
                    "the TSC does not run evenly here: using CLOCK_MONOTONIC from now on");
    p11prof_own_mode_set(atomic_load(&p11prof_own.state) != P11PROF_THREAD_NONE
                             ? P11PROF_DRAIN_THREAD
                             : P11PROF_DRAIN_EXIT);
}

/* The database's path leads elsewhere after a chroot(): it is neither made nor looked for there. */
static bool root_changed(void)
{
    if (p11prof_own.external || p11prof_root_is_same())
        return p11prof_own.external;
    p11prof_own.external = true;
    p11prof_own_mode_set(P11PROF_DRAIN_EXTERNAL);
    if (p11prof_own.store)
        p11prof_drain_leave();
    p11prof_say(LOG_WARNING,
                "the root folder was changed; calls stay in %s until `p11prof collect`",
                p11prof_spool.path);
    return true;
}

bool p11prof_drain_step(unsigned flags, uint64_t deadline_ns, bool *more)
{
    struct p11prof_drain_result result = {0};
    struct p11prof_error error = {0};
    *more = p11prof_own.busy = false;
    atomic_store(&p11prof_own.made_way, 0);
    if (root_changed() || p11prof_monotonic_ns() < p11prof_own.retry_ns)
        return false;
    if (!gate_enter()) {
        atomic_store(&p11prof_own.made_way, 1);
        *more = !atomic_load(&p11prof_gate_leave);
        return false;
    }
    uint32_t fork_count = atomic_load(&p11prof_spool.header->fork_count);
    enum p11prof_status status = ready(&error);
    if (status == P11PROF_OK)
        status = p11prof_drain_run(p11prof_own.drain, p11prof_own.store, flags, deadline_ns,
                                   WRITER_WAIT_MS, &result, &error);
    p11prof_own.moved = p11prof_own.moved || result.call_count > 0;
    if (status == P11PROF_OK)
        succeeded(&result);
    else if (!root_changed()) /* just now, beside us */
        failed(status, fork_count, &error);
    bool leaving = atomic_load(&p11prof_gate_leave) != 0;
    if (status != P11PROF_OK || !p11prof_own.own_descriptors || leaving ||
        (flags & P11PROF_DRAIN_LAST))
        p11prof_drain_leave();
    *more = !leaving && (status == P11PROF_OK ? result.more : atomic_load(&p11prof_own.made_way));
    return status == P11PROF_OK && !result.more;
}

/* Whether a step that did not take everything is worth another one: a fork is over in a moment; at
 * the end, a database that others write is tried as long as there is time for it. */
static bool again(bool last, uint64_t deadline_ns)
{
    const struct timespec moment = {.tv_nsec = 1000000};
    uint64_t wait_ns = WRITER_WAIT_MS * UINT64_C(1000000);
    if (atomic_load(&p11prof_own.made_way)) {
        wait_ns = 0;
        nanosleep(&moment, NULL);
    } else if (!last || !p11prof_own.busy) {
        return false;
    }
    return p11prof_monotonic_ns() + wait_ns < deadline_ns;
}

bool p11prof_drain_steps(unsigned flags, uint64_t end_ns)
{
    uint64_t deadline_ns = end_ns - TRIM_MS * UINT64_C(1000000);
    bool complete, more;
    p11prof_own.moved = false;
    do
        complete = p11prof_drain_step(flags, deadline_ns, &more);
    while (!complete && again((flags & P11PROF_DRAIN_LAST) != 0, end_ns));
    return complete;
}

/* Beside the application's first calls, none of which is old enough to be taken yet: what opening
 * costs, its end does not have to wait for. */
void p11prof_drain_open_early(void)
{
    struct p11prof_error error = {0};
    if (!p11prof_own.own_descriptors || root_changed() || !gate_enter())
        return;
    uint32_t fork_count = atomic_load(&p11prof_spool.header->fork_count);
    enum p11prof_status status = ready(&error);
    p11prof_own.last_rows_ns = p11prof_monotonic_ns(); /* open for a while, however long it took */
    if (status != P11PROF_OK && !root_changed())
        failed(status, fork_count, &error);
    if (status != P11PROF_OK || atomic_load(&p11prof_gate_leave))
        p11prof_drain_leave();
}
