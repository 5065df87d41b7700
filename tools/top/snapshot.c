/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "snapshot.h"
#include "p11prof/batch.h"
#include "p11prof/drain.h"
#include "report/allocate.h"
#include "report/query.h"
#include "waiting.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What is read on the way. */
struct taking {
    struct top_snapshot *out;
    struct sqlite3 *db;
    const struct p11prof_database *database;
    const char *folder; /* of the spools */
    const int64_t *wanted;
    size_t wanted_count;
};

static int64_t clock_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void top_snapshot_clear(struct top_snapshot *snapshot)
{
    for (size_t i = 0; i < snapshot->group_count; i++)
        free(snapshot->groups[i].buckets);
    free(snapshot->groups);
    free(snapshot->runs);
    free(snapshot->processes);
    free(snapshot->calls);
    *snapshot = (struct top_snapshot){.runs = NULL};
}

/* --- runs --- */

static bool is_wanted(const struct taking *taking, int64_t run_id)
{
    bool wanted = taking->wanted_count == 0;
    for (size_t i = 0; i < taking->wanted_count && !wanted; i++)
        wanted = taking->wanted[i] == run_id;
    return wanted;
}

static void run_add(struct top_snapshot *out, int64_t run_id, int64_t start_wall_ns, bool live)
{
    for (size_t i = 0; i < out->run_count; i++)
        if (out->runs[i].run_id == run_id)
            return;
    out->runs = p11prof_grow(out->runs, &out->run_capacity, out->run_count + 1, sizeof *out->runs);
    out->runs[out->run_count++] = (struct top_run){run_id, start_wall_ns, live};
}

/* The number of a run, -1 if the database does not have it. */
static int64_t run_find(const struct taking *taking, const uint8_t uuid[16], int64_t *start_wall_ns)
{
    static const char sql[] = "SELECT id, start_wall_ns FROM run WHERE uuid = ?1";
    sqlite3_stmt *statement;
    int64_t run_id = -1;
    if (sqlite3_prepare_v2(taking->db, sql, -1, &statement, NULL) != SQLITE_OK)
        return -1;
    sqlite3_bind_blob(statement, 1, uuid, 16, SQLITE_STATIC);
    if (sqlite3_step(statement) == SQLITE_ROW) {
        run_id = sqlite3_column_int64(statement, 0);
        *start_wall_ns = sqlite3_column_int64(statement, 1);
    }
    sqlite3_finalize(statement);
    return run_id;
}

/* Programs that live for less than a refresh are seen too. */
static enum p11prof_status young_runs_add(struct taking *taking, struct p11prof_error *error)
{
    const int64_t YOUNG_NS = INT64_C(60000000000);
    sqlite3_stmt *rows;
    int result;
    if (p11prof_query_prepare(taking->db,
                              "SELECT id, start_wall_ns FROM run WHERE start_wall_ns >= ?1",
                              taking->out->wall_ns - YOUNG_NS, &rows, error) != P11PROF_OK)
        return error->status;
    while ((result = sqlite3_step(rows)) == SQLITE_ROW)
        if (is_wanted(taking, sqlite3_column_int64(rows, 0)))
            run_add(taking->out, sqlite3_column_int64(rows, 0), sqlite3_column_int64(rows, 1),
                    false);
    return p11prof_query_end(rows, result, error);
}

/* --- processes and what they are in, from their spools --- */

static bool take_spool(void *payload, const struct p11prof_found_spool *spool)
{
    struct taking *taking = payload;
    struct top_snapshot *out = taking->out;
    int64_t start_wall_ns = 0;
    if (spool->gone || spool->problem.status != P11PROF_OK ||
        !p11prof_spool_belongs(spool, taking->database, taking->database->store, taking->folder))
        return true;
    int64_t run_id = run_find(taking, spool->run_id, &start_wall_ns);
    if ((run_id < 0 && taking->wanted_count > 0) || (run_id >= 0 && !is_wanted(taking, run_id)))
        return true;
    if (run_id >= 0)
        run_add(out, run_id, start_wall_ns, true);
    out->processes = p11prof_grow(out->processes, &out->process_capacity, out->process_count + 1,
                                  sizeof *out->processes);
    struct top_process *process = &out->processes[out->process_count++];
    *process = (struct top_process){.run_id = run_id,
                                    .pid = spool->pid,
                                    .keeps_calls = spool->drain_mode == P11PROF_DRAIN_EXIT};
    memcpy(process->program, spool->program, sizeof process->program);
    return true;
}

static void take_call(void *payload, const struct p11prof_live_call *call)
{
    struct taking *taking = payload;
    struct top_snapshot *out = taking->out;
    bool known = false;
    for (size_t i = 0; i < out->process_count && !known; i++)
        known = out->processes[i].pid == call->pid;
    if (!known || call->function == 0 || call->function > P11PROF_CALLS)
        return;
    out->calls =
        p11prof_grow(out->calls, &out->call_capacity, out->call_count + 1, sizeof *out->calls);
    out->calls[out->call_count++] = (struct top_call){call->pid, call->function, call->age_ns};
}

static void take_spools(struct taking *taking, const struct p11prof_database *database)
{
    const char *folders[] = {NULL, database->spool_folder};
    for (size_t i = 0; i < 2; i++) {
        if (folders[i] && !folders[i][0])
            continue;
        taking->folder = folders[i];
        p11prof_spools_visit(folders[i], take_spool, taking);
        p11prof_in_flight_visit(folders[i], take_call, taking);
    }
}

/* --- what the database counted --- */

static const char groups_sql[] =
    "SELECT g.id, g.run, g.code, g.kind, g.count, g.error_count, g.sum_ns + g.error_sum_ns "
    "FROM call_group AS g WHERE g.run = ?1 AND NOT g.is_operation ORDER BY g.id";
static const char buckets_sql[] = "SELECT low_ns, count FROM group_bucket WHERE call_group = ?1 "
                                  "ORDER BY low_ns";
/* Of a pid that the kernel gave out again the last process is meant. */
static const char process_sql[] =
    "SELECT p.call_count, p.start_wall_ns, (SELECT total(l.count) FROM spool AS s "
    "JOIN loss AS l ON l.spool = s.id WHERE s.process = p.id) FROM process AS p "
    "WHERE p.run = ?1 AND p.pid = ?2 ORDER BY p.id DESC LIMIT 1";

static struct top_group *group_add(struct top_snapshot *out)
{
    out->groups =
        p11prof_grow(out->groups, &out->group_capacity, out->group_count + 1, sizeof *out->groups);
    struct top_group *group = &out->groups[out->group_count++];
    *group = (struct top_group){.buckets = NULL};
    return group;
}

static enum p11prof_status groups_read(struct taking *taking, int64_t run_id,
                                       struct p11prof_error *error)
{
    sqlite3_stmt *rows;
    int result;
    if (p11prof_query_prepare(taking->db, groups_sql, run_id, &rows, error) != P11PROF_OK)
        return error->status;
    while ((result = sqlite3_step(rows)) == SQLITE_ROW) {
        struct top_group *group = group_add(taking->out);
        group->group_id = sqlite3_column_int64(rows, 0);
        group->run_id = sqlite3_column_int64(rows, 1);
        group->function = (unsigned)sqlite3_column_int64(rows, 2);
        group->is_call = sqlite3_column_int64(rows, 3) == P11PROF_KIND_CALL;
        group->count = (uint64_t)sqlite3_column_int64(rows, 4);
        group->error_count = (uint64_t)sqlite3_column_int64(rows, 5);
        group->total_ns = (uint64_t)sqlite3_column_int64(rows, 6);
    }
    return p11prof_query_end(rows, result, error);
}

static enum p11prof_status buckets_read(struct taking *taking, struct top_group *group,
                                        struct p11prof_error *error)
{
    sqlite3_stmt *rows;
    int result;
    if (p11prof_query_prepare(taking->db, buckets_sql, group->group_id, &rows, error) != P11PROF_OK)
        return error->status;
    while ((result = sqlite3_step(rows)) == SQLITE_ROW) {
        group->buckets = p11prof_grow(group->buckets, &group->bucket_capacity,
                                      group->bucket_count + 1, sizeof *group->buckets);
        group->buckets[group->bucket_count++] = (struct top_bucket){
            (uint64_t)sqlite3_column_int64(rows, 0), (uint64_t)sqlite3_column_int64(rows, 1)};
    }
    return p11prof_query_end(rows, result, error);
}

static enum p11prof_status process_read(struct taking *taking, struct top_process *process,
                                        struct p11prof_error *error)
{
    sqlite3_stmt *rows;
    int result;
    if (p11prof_query_prepare(taking->db, process_sql, process->run_id, &rows, error) != P11PROF_OK)
        return error->status;
    sqlite3_bind_int64(rows, 2, process->pid);
    while ((result = sqlite3_step(rows)) == SQLITE_ROW) {
        process->call_count = (uint64_t)sqlite3_column_int64(rows, 0);
        process->first_wall_ns = sqlite3_column_int64(rows, 1);
        process->lost_count = (uint64_t)sqlite3_column_int64(rows, 2);
    }
    return p11prof_query_end(rows, result, error);
}

static enum p11prof_status take_counts(struct taking *taking, struct p11prof_error *error)
{
    struct top_snapshot *out = taking->out;
    enum p11prof_status status = P11PROF_OK;
    for (size_t i = 0; i < out->run_count && status == P11PROF_OK; i++)
        status = groups_read(taking, out->runs[i].run_id, error);
    for (size_t i = 0; i < out->group_count && status == P11PROF_OK; i++)
        if (out->groups[i].is_call)
            status = buckets_read(taking, &out->groups[i], error);
    for (size_t i = 0; i < out->process_count && status == P11PROF_OK; i++)
        if (out->processes[i].run_id >= 0)
            status = process_read(taking, &out->processes[i], error);
    return status;
}

static int by_id(const void *a, const void *b)
{
    const struct top_group *first = a, *second = b;
    return (first->group_id > second->group_id) - (first->group_id < second->group_id);
}

enum p11prof_status top_snapshot_take(struct top_snapshot *out,
                                      const struct p11prof_database *database,
                                      const struct top_snapshot *before, const int64_t *run_ids,
                                      size_t run_count, struct p11prof_error *error)
{
    struct taking taking = {.out = out,
                            .db = p11prof_store_sqlite(database->store),
                            .database = database,
                            .wanted = run_ids,
                            .wanted_count = run_count};
    out->wall_ns = clock_ns(CLOCK_REALTIME);
    out->monotonic_ns = clock_ns(CLOCK_MONOTONIC);
    take_spools(&taking, database);
    for (size_t i = 0; before && i < before->run_count; i++)
        if (before->runs[i].live)
            run_add(out, before->runs[i].run_id, before->runs[i].start_wall_ns, false);
    sqlite3_exec(taking.db, "BEGIN", NULL, NULL, NULL);
    enum p11prof_status status = young_runs_add(&taking, error);
    if (status == P11PROF_OK)
        status = take_counts(&taking, error);
    sqlite3_exec(taking.db, "ROLLBACK", NULL, NULL, NULL);
    if (out->group_count > 1)
        qsort(out->groups, out->group_count, sizeof *out->groups, by_id);
    return status;
}
