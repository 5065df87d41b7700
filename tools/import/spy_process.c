/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "import/spy_process.h"
#include "import/spy_text.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

static void uuid_make(uint8_t uuid[16])
{
    if (getrandom(uuid, 16, 0) != 16)
        memset(uuid, 0xff, 16);
}

void p11prof_spy_processes_init(struct p11prof_spy_processes *processes,
                                struct p11prof_store *store, const char *run_name)
{
    memset(processes, 0, sizeof *processes);
    processes->store = store;
    processes->run_name = run_name;
    uuid_make(processes->run_uuid);
}

void p11prof_spy_processes_clear(struct p11prof_spy_processes *processes)
{
    for (size_t i = 0; i < P11PROF_SPY_PROCESSES_MAX; i++) {
        p11prof_feed_close(processes->live[i].feed);
        processes->live[i].feed = NULL;
    }
}

void p11prof_spy_processes_time(struct p11prof_spy_processes *processes, uint64_t wall_ns)
{
    if (processes->first_ns == 0)
        processes->first_ns = wall_ns;
    processes->last_ns = wall_ns > processes->last_ns ? wall_ns : processes->last_ns;
}

uint32_t p11prof_spy_thread(struct p11prof_spy_processes *processes, int32_t pid, uint64_t thread)
{
    uint32_t number = 0, index = 0;
    for (; index < processes->thread_count; index++) {
        number += processes->threads[index].pid == pid;
        if (processes->threads[index].pid == pid && processes->threads[index].thread == thread)
            return number;
    }
    if (index == P11PROF_SPY_THREADS_MAX)
        return 0;
    processes->threads[index].pid = pid;
    processes->threads[index].thread = thread;
    processes->thread_count++;
    return number + 1;
}

void p11prof_spy_processes_module(struct p11prof_spy_processes *processes, const char *quoted)
{
    quoted += *quoted == '"';
    snprintf(processes->module_path, sizeof processes->module_path, "%.*s",
             (int)strcspn(quoted, "\""), quoted);
}

static enum p11prof_status process_end(struct p11prof_spy_processes *processes, size_t index,
                                       struct p11prof_error *error)
{
    struct p11prof_feed *feed = processes->live[index].feed;
    enum p11prof_status status = feed ? p11prof_feed_end(feed, error) : P11PROF_OK;
    p11prof_feed_close(feed);
    processes->live[index].feed = NULL;
    processes->live[index].used = 0;
    return status;
}

/* Memory is for the calls of all processes together. */
static enum p11prof_status processes_flush(struct p11prof_spy_processes *processes,
                                           struct p11prof_error *error)
{
    enum p11prof_status status = P11PROF_OK;
    processes->pending_count = 0;
    for (size_t i = 0; !status && i < P11PROF_SPY_PROCESSES_MAX; i++)
        if (processes->live[i].feed)
            status = p11prof_feed_flush(processes->live[i].feed, error);
    return status;
}

static enum p11prof_status process_start(struct p11prof_spy_processes *processes, size_t index,
                                         const struct p11prof_spy_call *call, uint64_t start_ns,
                                         struct p11prof_error *error)
{
    struct p11prof_feed_process process = {.pid = call->pid,
                                           .run_start_wall_ns = processes->first_ns,
                                           .start_ns = start_ns,
                                           .name = processes->run_name,
                                           .module_path = processes->module_path};
    memcpy(process.run_id, processes->run_uuid, sizeof process.run_id);
    uuid_make(process.process_id);
    processes->live[index].pid = call->pid;
    enum p11prof_status status =
        p11prof_feed_open(&processes->live[index].feed, processes->store, &process, error);
    if (status)
        return status;
    processes->process_count++;
    processes->run_id = p11prof_feed_run(processes->live[index].feed);
    return P11PROF_OK;
}

/* The process of a call, which it starts if need be. */
static enum p11prof_status process_find(struct p11prof_spy_processes *processes,
                                        const struct p11prof_spy_call *call, uint64_t start_ns,
                                        struct p11prof_feed **out, struct p11prof_error *error)
{
    enum p11prof_status status = P11PROF_OK;
    size_t index = 0, oldest = 0;
    for (; index < P11PROF_SPY_PROCESSES_MAX; index++) {
        if (processes->live[index].feed && processes->live[index].pid == call->pid)
            break;
        if (processes->live[index].used < processes->live[oldest].used)
            oldest = index;
    }
    if (index == P11PROF_SPY_PROCESSES_MAX) {
        index = oldest;
        status = process_end(processes, index, error);
        status = status ? status : process_start(processes, index, call, start_ns, error);
    }
    processes->live[index].used = ++processes->use_count;
    *out = processes->live[index].feed;
    return status;
}

static enum p11prof_status call_feed(struct p11prof_feed *feed, const struct p11prof_spy_call *call,
                                     uint64_t start_ns, bool clamped, uint64_t rv,
                                     struct p11prof_error *error)
{
    struct p11prof_record notes[P11PROF_SPY_NOTES_MAX];
    struct p11prof_spy_call bare;
    if (call->tangled) {
        p11prof_spy_call_start(&bare, call->function);
        bare.thread_id = call->thread_id;
        call = &bare;
    }
    struct p11prof_feed_call out = {.function = call->function,
                                    .flags = call->flags,
                                    .session = call->session,
                                    .rv = rv,
                                    .start_ns = start_ns,
                                    .thread_id = call->thread_id,
                                    .notes = notes};
    memcpy(out.fact, call->fact, sizeof out.fact);
    if (clamped)
        out.flags |= P11PROF_RECORD_CLAMPED;
    if (p11prof_spy_call_waits(call))
        out.flags |= P11PROF_RECORD_BLOCKING;
    if (call->asked_count > 0 && call->asked_count == call->asked_without_buffer_count)
        out.flags |= P11PROF_RECORD_NO_BUFFER;
    out.note_count = p11prof_spy_call_notes(call, rv, notes);
    if (rv == CKR_OK)
        p11prof_spy_texts_feed(call, feed);
    return p11prof_feed_call(feed, &out, error);
}

enum p11prof_status p11prof_spy_call_feed(struct p11prof_spy_processes *processes,
                                          const struct p11prof_spy_call *call, const uint64_t *rv,
                                          struct p11prof_error *error)
{
    struct p11prof_feed *feed;
    bool clamped = call->timed && call->wall_ns < processes->first_ns;
    uint64_t start_ns = call->timed && !clamped ? call->wall_ns - processes->first_ns : 0;
    enum p11prof_status status = process_find(processes, call, start_ns, &feed, error);
    if (status)
        return status;
    if (!rv || !call->timed) {
        processes->lost_count++;
        p11prof_feed_lost(feed, call->function);
        return P11PROF_OK;
    }
    processes->call_count++;
    status = call_feed(feed, call, start_ns, clamped, *rv, error);
    return !status && ++processes->pending_count == P11PROF_SPY_PENDING_MAX
               ? processes_flush(processes, error)
               : status;
}

enum p11prof_status p11prof_spy_processes_next(struct p11prof_spy_processes *processes,
                                               struct p11prof_error *error)
{
    for (size_t i = 0; i < P11PROF_SPY_PROCESSES_MAX; i++)
        if (processes->live[i].feed && processes->live[i].pid == 0)
            return process_end(processes, i, error);
    return P11PROF_OK;
}

enum p11prof_status p11prof_spy_processes_end(struct p11prof_spy_processes *processes,
                                              struct p11prof_error *error)
{
    enum p11prof_status status = P11PROF_OK;
    for (size_t i = 0; !status && i < P11PROF_SPY_PROCESSES_MAX; i++)
        status = process_end(processes, i, error);
    return status;
}
