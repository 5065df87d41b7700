/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The script of a recorded run. Each process is read twice: to learn what its objects are and when
 * they are used last, then call by call. */
#include "fold.h"
#include "objects.h"
#include "order.h"
#include "report/allocate.h"
#include "report/query.h"
#include "row_call.h"
#include "run_head.h"
#include "script.h"
#include "sessions.h"
#include "steps.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A thread while its calls are read. */
struct lane {
    struct like_steps steps;
    int64_t start_ns, end_ns; /* of its first call, its last one so far */
    uint64_t waited_ns;       /* think time that calls left out had before them */
};

struct maker {
    struct like_script *script;
    struct sqlite3 *db;
    int64_t run_id;
    struct p11prof_error *error;
    struct like_objects objects;
    struct like_shapes shapes;
    int64_t start_ns, end_ns; /* of all calls so far */
    size_t node_count, thread_count;
    /* Of the process in hand. */
    struct like_sessions sessions;
    struct like_order order;
    int64_t *process_starts; /* of each process, read yet or not: of its first call that returned */
    struct like_anchor *process_anchors; /* of each of these */
    int64_t *process_anchor_ends;        /* when the call returned that it begins after */
    size_t process_index, process_row_count;
    struct like_intern thread_ids;
    struct lane *lanes;
    size_t lane_capacity;
};

static enum p11prof_status refuse(const struct maker *maker, const char *what, const char *advice)
{
    return p11prof_error_set(maker->error, P11PROF_BAD_INPUT, "run %lld %s: %s",
                             (long long)maker->run_id, what, advice);
}

/* --- first look --- */

static bool learn(void *payload, const struct like_row *row)
{
    struct maker *maker = payload;
    enum like_reason reason = like_row_reason(row);
    if (reason == LIKE_REASONS)
        like_objects_learn(&maker->objects, row);
    if (reason != LIKE_NESTED)
        like_order_learn(&maker->order, row->thread_id, row->start_ns, like_row_end_ns(row),
                         reason == LIKE_REASONS);
    return true;
}

/* --- second look --- */

static uint32_t lane_of(struct maker *maker, const struct like_row *row)
{
    size_t known = maker->thread_ids.count;
    uint32_t index = like_intern_put(&maker->thread_ids, &row->thread_id);
    maker->lanes = p11prof_grow(maker->lanes, &maker->lane_capacity, maker->thread_ids.count,
                                sizeof *maker->lanes);
    if (maker->thread_ids.count > known)
        maker->lanes[index] = (struct lane){.start_ns = row->start_ns, .end_ns = row->start_ns};
    return index;
}

/* Where this call stands among those of other threads and processes. */
static void order_take(struct maker *maker, const struct like_row *row, const struct lane *lane,
                       struct like_call *call)
{
    int64_t end_ns = like_row_end_ns(row);
    uint64_t call_count;
    if (!like_order_join(&maker->order, row->thread_id, lane->end_ns, row->start_ns, call))
        call->join_thread = call->join_gap_ns = call->join_count = 0;
    uint32_t number = like_order_take(&maker->order, row->thread_id, end_ns, &call_count);
    for (size_t i = maker->process_index + 1; i < maker->process_row_count; i++) {
        if (end_ns > maker->process_starts[i] || end_ns <= maker->process_anchor_ends[i])
            continue;
        maker->process_anchor_ends[i] = end_ns;
        maker->process_anchors[i] =
            (struct like_anchor){.process = (uint32_t)maker->script->process_count + 1,
                                 .thread = number,
                                 .call_count = call_count,
                                 .gap_ns = (uint64_t)(maker->process_starts[i] - end_ns)};
    }
}

/* The time since the thread's call before it returned. */
static uint64_t think_before(struct lane *lane, const struct like_row *row)
{
    int64_t duration_ns = row->duration_ns < 0 ? 0 : row->duration_ns;
    uint64_t think_ns = row->start_ns > lane->end_ns ? (uint64_t)(row->start_ns - lane->end_ns) : 0;
    lane->end_ns = row->start_ns + duration_ns;
    return think_ns;
}

static void leave_out(struct maker *maker, const struct like_row *row, enum like_reason reason)
{
    maker->script->left_out[reason]++;
    maker->script->left_out_count++;
    if (reason == LIKE_NESTED)
        return;
    uint32_t thread = lane_of(maker, row);
    struct lane *lane = &maker->lanes[thread];
    lane->waited_ns += think_before(lane, row);
    if (reason == LIKE_WAITING && row->duration_ns > 0)
        lane->waited_ns += (uint64_t)row->duration_ns;
}

static bool take(void *payload, const struct like_row *row)
{
    struct maker *maker = payload;
    enum like_reason reason = like_row_reason(row);
    if (reason != LIKE_REASONS) {
        leave_out(maker, row, reason);
        return true;
    }
    struct like_call call = like_row_call(row);
    uint32_t thread = lane_of(maker, row);
    struct lane *lane = &maker->lanes[thread];
    bool first = lane->steps.count == 0;
    order_take(maker, row, lane, &call);
    call.think_ns = think_before(lane, row) + lane->waited_ns;
    if (first) {
        lane->start_ns = row->start_ns;
        call.think_ns = 0;
    }
    lane->waited_ns = 0;
    if (row->duration_ns < 0)
        maker->script->untimed = true,
        call.think_ns = call.join_thread = call.join_gap_ns = call.join_count = 0;
    call.session = like_sessions_take(&maker->sessions, row, thread);
    if (call.session > LIKE_PLACES_MOST) {
        refuse(maker, "leaves more than a million sessions open", "they cannot be played");
        return false;
    }
    if (!like_objects_take(&maker->objects, row, thread, &call)) {
        refuse(maker, "uses more than 65536 objects",
               "a shorter recording of the application has fewer");
        return false;
    }
    like_steps_add(&lane->steps, &maker->shapes, &call);
    maker->script->call_count++;
    return true;
}

/* --- processes --- */

static enum p11prof_status look(struct maker *maker, int64_t process_id,
                                bool (*each)(void *payload, const struct like_row *row))
{
    struct sqlite3_stmt *rows;
    enum p11prof_status status =
        like_rows_open(&rows, maker->db, maker->run_id, process_id, maker->error);
    return status == P11PROF_OK ? like_rows_each(rows, each, maker, maker->error) : status;
}

/* Start times are those of the run yet. */
static void process_add(struct maker *maker)
{
    struct like_script *script = maker->script;
    struct like_process process = {.start_ns = UINT64_MAX};
    process.threads = p11prof_zalloc(maker->thread_ids.count, sizeof *process.threads);
    for (size_t i = 0; i < maker->thread_ids.count; i++) {
        const struct lane *lane = &maker->lanes[i];
        if (lane->steps.count == 0)
            continue;
        struct like_thread *thread = &process.threads[process.thread_count++];
        thread->start_ns = (uint64_t)lane->start_ns;
        if (!script->untimed)
            thread->anchor = like_order_anchor(&maker->order, (uint32_t)process.thread_count,
                                               (uint32_t)script->process_count + 1);
        like_fold(thread, &lane->steps, &maker->shapes, &maker->node_count);
        if (thread->start_ns < process.start_ns)
            process.start_ns = thread->start_ns;
        if (lane->end_ns > maker->end_ns)
            maker->end_ns = lane->end_ns;
    }
    maker->thread_count += process.thread_count;
    if (!script->untimed)
        process.anchor = maker->process_anchors[maker->process_index];
    if (process.thread_count == 0)
        free(process.threads);
    else
        script->processes[script->process_count++] = process;
}

static void process_forget(struct maker *maker)
{
    for (size_t i = 0; i < maker->thread_ids.count; i++)
        like_steps_clear(&maker->lanes[i].steps);
    like_intern_clear(&maker->thread_ids);
    like_order_clear(&maker->order);
    like_sessions_clear(&maker->sessions);
    like_objects_end_process(&maker->objects);
}

static enum p11prof_status process_read(struct maker *maker, int64_t process_id)
{
    enum p11prof_status status = look(maker, process_id, learn);
    if (status == P11PROF_OK && !like_objects_number(&maker->objects))
        status = refuse(maker, "uses more than 65536 objects",
                        "a shorter recording of the application has fewer");
    like_order_number(&maker->order);
    if (status == P11PROF_OK)
        status = look(maker, process_id, take);
    if (status == P11PROF_OK)
        process_add(maker);
    process_forget(maker);
    if (status == P11PROF_OK && maker->thread_count > LIKE_THREADS_MOST)
        status = refuse(maker, "has more than 1024 threads", "they cannot be played");
    if (status == P11PROF_OK && maker->node_count > LIKE_NODES_MOST)
        status = refuse(maker, "does not fold into half a million lines",
                        "a shorter recording of the application does");
    return status;
}

static enum p11prof_status processes_read(struct maker *maker)
{
    static const char sql[] = "SELECT p.id, (SELECT c.start_ns FROM call AS c WHERE c.id = (SELECT "
                              "min(s.first_call) FROM segment AS s WHERE s.run = ?1 AND s.process "
                              "= p.id)) AS start_ns FROM process AS p WHERE p.run = ?1 AND EXISTS "
                              "(SELECT 1 FROM segment AS s WHERE s.run = ?1 AND s.process = p.id) "
                              "ORDER BY p.start_ns, p.id";
    struct p11prof_table processes = {.columns = NULL};
    enum p11prof_status status =
        p11prof_query_table(maker->db, sql, maker->run_id, &processes, maker->error);
    if (status == P11PROF_OK && processes.row_count > LIKE_PROCESSES_MOST)
        status = refuse(maker, "has more than 64 processes", "they cannot be played");
    maker->script->processes =
        p11prof_zalloc(processes.row_count, sizeof *maker->script->processes);
    maker->process_row_count = processes.row_count;
    maker->process_starts = p11prof_zalloc(processes.row_count, sizeof *maker->process_starts);
    maker->process_anchors = p11prof_zalloc(processes.row_count, sizeof *maker->process_anchors);
    maker->process_anchor_ends =
        p11prof_zalloc(processes.row_count, sizeof *maker->process_anchor_ends);
    for (size_t i = 0; i < processes.row_count; i++)
        maker->process_starts[i] = p11prof_table_integer(&processes, i, "start_ns", 0);
    for (size_t i = 0; status == P11PROF_OK && i < processes.row_count; i++) {
        maker->process_index = i;
        status = process_read(maker, p11prof_table_integer(&processes, i, "id", 0));
    }
    free(maker->process_starts);
    free(maker->process_anchors);
    free(maker->process_anchor_ends);
    p11prof_table_clear(&processes);
    return status;
}

/* --- the run --- */

/* Times since the run's first call, and since their process's. */
static void times_relate(struct maker *maker)
{
    struct like_script *script = maker->script;
    uint64_t start_ns = UINT64_MAX;
    for (size_t i = 0; i < script->process_count; i++)
        if (script->processes[i].start_ns < start_ns)
            start_ns = script->processes[i].start_ns;
    for (size_t i = 0; i < script->process_count; i++) {
        struct like_process *process = &script->processes[i];
        for (size_t j = 0; j < process->thread_count; j++)
            process->threads[j].start_ns -= process->start_ns;
        process->start_ns -= start_ns;
    }
    if (!script->untimed && maker->end_ns > (int64_t)start_ns)
        script->duration_ns = (uint64_t)maker->end_ns - start_ns;
}

static enum p11prof_status run_read(struct maker *maker)
{
    enum p11prof_status status =
        like_run_head_read(maker->script, maker->db, maker->run_id, maker->error);
    if (status == P11PROF_OK)
        status = processes_read(maker);
    if (status == P11PROF_OK && maker->script->process_count == 0)
        status = refuse(maker, "has no call that can be played",
                        "C_InitToken, C_InitPIN, C_SetPIN and logins that fail never are");
    like_objects_pair(&maker->objects);
    maker->script->objects = maker->objects.objects;
    maker->script->object_count = maker->objects.count;
    if (status == P11PROF_OK)
        times_relate(maker);
    return status;
}

enum p11prof_status like_script_from_run(struct like_script *script, struct sqlite3 *db,
                                         int64_t run_id, struct p11prof_error *error)
{
    struct maker maker = {.script = script,
                          .db = db,
                          .run_id = run_id,
                          .error = error,
                          .thread_ids.bytes = sizeof(int64_t)};
    *script = (struct like_script){.objects = NULL};
    like_objects_init(&maker.objects);
    like_shapes_init(&maker.shapes);
    like_sessions_init(&maker.sessions);
    like_order_init(&maker.order);
    enum p11prof_status status = run_read(&maker);
    free(maker.lanes);
    like_objects_clear(&maker.objects);
    like_shapes_clear(&maker.shapes);
    if (status != P11PROF_OK)
        like_script_clear(script);
    return status;
}
