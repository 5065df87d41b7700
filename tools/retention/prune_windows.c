/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "change.h"
#include "prune.h"
#include "prune_runs.h"
#include "report/allocate.h"
#include "report/query.h"

#include <sqlite3.h>
#include <stdlib.h>

enum { BATCH_WINDOWS = 32 };

/* Into what old windows are merged; the longest first, so that nothing is merged twice. */
static const struct step {
    int64_t duration_ns;
    unsigned times; /* the age */
} steps[] = {
    {INT64_C(86400) * 1000000000, 10},
    {INT64_C(3600) * 1000000000, 1},
};

#define SUMS                                                                                       \
    "count, success_count, error_count, undisclosed_count, sum_ns, error_sum_ns, sum_squares, "    \
    "min_ns, max_ns, in_bytes, out_bytes"

/* What merges one window, in this order. ?1: the window, ?2: its group, ?3: start and ?4: duration
 * of what it becomes a part of. */
enum { ADD_SUMS, ADD_BUCKETS, DELETE_BUCKETS, DELETE_WINDOW, STATEMENTS };
static const char *const merge_sql[STATEMENTS] = {
    [ADD_SUMS] = "INSERT INTO group_window (call_group, start_ns, duration_ns, " SUMS ") "
                 "SELECT ?2, ?3, ?4, " SUMS " FROM group_window WHERE id = ?1 "
                 "ON CONFLICT (call_group, start_ns, duration_ns) DO UPDATE SET ",
    [ADD_BUCKETS] = "INSERT INTO window_bucket (group_window, low_ns, high_ns, count) "
                    "SELECT (SELECT id FROM group_window WHERE call_group = ?2 AND start_ns = ?3 "
                    "AND duration_ns = ?4), low_ns, high_ns, count "
                    "FROM window_bucket WHERE group_window = ?1 "
                    "ON CONFLICT (group_window, low_ns) DO UPDATE SET " P11PROF_CHANGE_ADD("count"),
    [DELETE_BUCKETS] = "DELETE FROM window_bucket WHERE group_window = ?1",
    [DELETE_WINDOW] = "DELETE FROM group_window WHERE id = ?1",
};

/* The work on one run and step. */
struct work {
    const struct p11prof_prune *prune;
    struct sqlite3 *db;
    sqlite3_stmt *statements[STATEMENTS];
    struct p11prof_turns turns;
    const struct step *step;
    struct p11prof_prune_run run;
    int64_t from_ns, before_ns; /* windows that start in between, since the run's start */
    int64_t last_group;         /* that was merged into last … */
    int64_t last_start_ns;
    struct p11prof_prune_result *result;
};

struct window {
    int64_t id, start_ns;
};

/* Only windows whose hour or day is all over by then: a new one does not get calls any more. */
static int64_t end_of_old(const struct work *work)
{
    int64_t age = p11prof_prune_before(work->prune, work->step->times) - work->run.start_wall_ns;
    return age < 0 ? 0 : age / work->step->duration_ns * work->step->duration_ns;
}

/* ?1: the group, ?2: from, ?3: before, ?4: the duration that they are to get. */
#define OLD_WINDOWS                                                                                \
    "FROM group_window AS w WHERE w.call_group = ?1 AND w.start_ns >= ?2 AND w.start_ns < ?3 "     \
    "AND w.duration_ns BETWEEN 1 AND ?4 - 1"

/* The next windows of a group, if it is still that run's and no baseline wants the run kept. */
static enum p11prof_status next_windows(const struct work *work, int64_t group,
                                        struct window *windows, size_t *count,
                                        struct p11prof_error *error)
{
    static const char sql[] =
        "SELECT w.id, w.start_ns " OLD_WINDOWS
        " AND EXISTS (SELECT 1 FROM call_group AS g WHERE g.id = ?1 AND g.run = ?5) "
        "AND NOT EXISTS (SELECT 1 FROM baseline_run AS b WHERE b.run = ?5) "
        "ORDER BY w.start_ns LIMIT ?6";
    const int64_t values[] = {work->from_ns, work->before_ns, work->step->duration_ns,
                              work->run.run_id, BATCH_WINDOWS};
    sqlite3_stmt *rows;
    int result;
    *count = 0;
    if (p11prof_query_prepare(work->db, sql, group, &rows, error) != P11PROF_OK)
        return error->status;
    for (int i = 0; i < 5; i++)
        sqlite3_bind_int64(rows, i + 2, values[i]);
    while ((result = sqlite3_step(rows)) == SQLITE_ROW)
        windows[(*count)++] =
            (struct window){sqlite3_column_int64(rows, 0), sqlite3_column_int64(rows, 1)};
    return p11prof_query_end(rows, result, error);
}

static void count_merged(struct work *work, int64_t group, int64_t start_ns)
{
    work->result->window_count++;
    if (work->last_group != group || work->last_start_ns != start_ns)
        work->result->into_window_count++;
    work->last_group = group;
    work->last_start_ns = start_ns;
}

static enum p11prof_status merge_window(struct work *work, int64_t group, struct window window,
                                        struct p11prof_error *error)
{
    int64_t duration_ns = work->step->duration_ns;
    const int64_t values[] = {window.id, group, window.start_ns / duration_ns * duration_ns,
                              duration_ns};
    for (size_t i = 0; i < STATEMENTS; i++) {
        size_t count = (size_t)sqlite3_bind_parameter_count(work->statements[i]);
        if (p11prof_change_again(work->statements[i], values, count, error) != P11PROF_OK)
            return error->status;
    }
    count_merged(work, group, values[2]);
    return P11PROF_OK;
}

static enum p11prof_status merge_group(struct work *work, int64_t group,
                                       struct p11prof_error *error)
{
    struct window windows[BATCH_WINDOWS];
    size_t count = BATCH_WINDOWS;
    while (count == BATCH_WINDOWS) {
        enum p11prof_status status = p11prof_turns_next(&work->turns, error);
        if (status == P11PROF_OK)
            status = next_windows(work, group, windows, &count, error);
        for (size_t i = 0; i < count && status == P11PROF_OK; i++)
            status = merge_window(work, group, windows[i], error);
        if (status != P11PROF_OK)
            return status;
    }
    return P11PROF_OK;
}

static enum p11prof_status count_group(const struct work *work, int64_t group,
                                       struct p11prof_error *error)
{
    static const char sql[] = "SELECT count(*), count(DISTINCT w.start_ns / ?4) " OLD_WINDOWS;
    int64_t counts[2];
    bool found;
    enum p11prof_status status = p11prof_look(
        work->db, sql,
        P11PROF_NUMBERS(group, work->from_ns, work->before_ns, work->step->duration_ns), counts, 2,
        &found, error);
    work->result->window_count += (uint64_t)counts[0];
    work->result->into_window_count += (uint64_t)counts[1];
    return status;
}

/* Loads have slices instead of windows; calls of a profile are of no load. */
static enum p11prof_status read_groups(const struct work *work, int64_t **groups, size_t *count,
                                       struct p11prof_error *error)
{
    sqlite3_stmt *rows;
    size_t capacity = 0;
    int result;
    if (p11prof_query_prepare(work->db,
                              "SELECT id FROM call_group WHERE run = ?1 AND part = 0 ORDER BY id",
                              work->run.run_id, &rows, error) != P11PROF_OK)
        return error->status;
    while ((result = sqlite3_step(rows)) == SQLITE_ROW) {
        *groups = p11prof_grow(*groups, &capacity, *count + 1, sizeof **groups);
        (*groups)[(*count)++] = sqlite3_column_int64(rows, 0);
    }
    return p11prof_query_end(rows, result, error);
}

/* Looks first: a transaction for each group that has nothing to merge would be a long wait. */
static enum p11prof_status has_old(const struct work *work, int64_t group, bool *out,
                                   struct p11prof_error *error)
{
    int64_t one;
    return p11prof_look(
        work->db, "SELECT 1 " OLD_WINDOWS " LIMIT 1",
        P11PROF_NUMBERS(group, work->from_ns, work->before_ns, work->step->duration_ns), &one, 1,
        out, error);
}

static enum p11prof_status merge_run(struct work *work, struct p11prof_error *error)
{
    int64_t *groups = NULL;
    size_t count = 0;
    enum p11prof_status status =
        work->before_ns > work->from_ns ? read_groups(work, &groups, &count, error) : P11PROF_OK;
    for (size_t i = 0; i < count && status == P11PROF_OK; i++) {
        bool old;
        status = has_old(work, groups[i], &old, error);
        if (status == P11PROF_OK && old)
            status = work->prune->dry_run ? count_group(work, groups[i], error)
                                          : merge_group(work, groups[i], error);
    }
    free(groups);
    return p11prof_turns_end(&work->turns, status, error);
}

static enum p11prof_status prepare_all(struct work *work, struct p11prof_error *error)
{
    enum p11prof_status status = P11PROF_OK;
    for (size_t i = 0; i < STATEMENTS && status == P11PROF_OK; i++) {
        char *sql = sqlite3_mprintf("%s%s", merge_sql[i], i == ADD_SUMS ? p11prof_change_sums : "");
        status = p11prof_query_prepare(work->db, sql, 0, &work->statements[i], error);
        sqlite3_free(sql);
    }
    return status;
}

static enum p11prof_status merge_all(struct work *work, const struct p11prof_prune_runs *runs,
                                     struct p11prof_error *error)
{
    enum p11prof_status status = P11PROF_OK;
    for (size_t i = 0; i < runs->count && status == P11PROF_OK; i++) {
        work->run = runs->all[i];
        work->before_ns = 0;
        for (size_t k = 0; k < sizeof steps / sizeof steps[0] && status == P11PROF_OK; k++) {
            work->step = &steps[k];
            work->from_ns = work->before_ns;
            work->before_ns = end_of_old(work);
            status = merge_run(work, error);
        }
    }
    return status;
}

enum p11prof_status p11prof_prune_windows(const struct p11prof_prune *prune,
                                          struct p11prof_prune_result *result,
                                          struct p11prof_error *error)
{
    struct work work = {.prune = prune,
                        .db = p11prof_store_sqlite(prune->store),
                        .turns.store = prune->store,
                        .result = result};
    struct p11prof_prune_runs runs = {.all = NULL};
    enum p11prof_status status =
        p11prof_prune_runs_read(&runs, prune, " AND r.kind = 'profile'", error);
    if (status == P11PROF_OK)
        status = prepare_all(&work, error);
    if (status == P11PROF_OK)
        status = merge_all(&work, &runs, error);
    for (size_t i = 0; i < STATEMENTS; i++)
        sqlite3_finalize(work.statements[i]);
    free(runs.all);
    return status;
}
