/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "delete.h"
#include "change.h"
#include "prune.h"
#include "rows.h"

#include <stdlib.h>

#define OF_RUN(table) "DELETE FROM " table " WHERE run = ?1"
#define OF_PROCESS(table)                                                                          \
    "DELETE FROM " table " WHERE process IN (SELECT id FROM process WHERE run = ?1)"
#define OF_SPOOL(table)                                                                            \
    "DELETE FROM " table " WHERE spool IN (SELECT s.id FROM process AS p "                         \
    "JOIN spool AS s ON s.process = p.id WHERE p.run = ?1)"
#define OF_GROUP(table)                                                                            \
    "DELETE FROM " table " WHERE call_group IN (SELECT id FROM call_group WHERE run = ?1)"

/* What may be long goes part by part, until nothing is left: windows of ?2, a group that has some,
 * and sessions. */
#define FIRST_WINDOWS                                                                              \
    "(SELECT id FROM group_window WHERE call_group = ?2 ORDER BY start_ns, duration_ns LIMIT 256)"
static const char find_group[] =
    "SELECT g.id FROM call_group AS g WHERE g.run = ?1 AND EXISTS "
    "(SELECT 1 FROM group_window AS w WHERE w.call_group = g.id) LIMIT 1";
static const char *const parts[] = {
    "DELETE FROM window_bucket WHERE group_window IN " FIRST_WINDOWS,
    "DELETE FROM group_window WHERE id IN " FIRST_WINDOWS,
    "DELETE FROM session WHERE id IN (SELECT s.id FROM process AS p "
    "JOIN session AS s ON s.process = p.id WHERE p.run = ?1 LIMIT 4096)",
};

/* The rest; what is referred to comes last. */
static const char *const rest[] = {
    "DELETE FROM call WHERE id IN (SELECT c.id FROM segment AS s CROSS JOIN call AS c "
    "ON c.id BETWEEN s.first_call AND s.last_call WHERE s.run = ?1)",
    OF_RUN("segment"),
    "DELETE FROM window_bucket WHERE group_window IN (SELECT w.id FROM call_group AS g "
    "JOIN group_window AS w ON w.call_group = g.id WHERE g.run = ?1)",
    OF_GROUP("group_window"),
    OF_GROUP("group_bucket"),
    OF_RUN("call_group"),
    OF_RUN("error_count"),
    OF_RUN("bench_load"),
    OF_RUN("bench_slice"),
    OF_RUN("bench_thread"),
    OF_RUN("bench_figure"),
    OF_RUN("bench_interval"),
    OF_RUN("bench_skip"),
    OF_SPOOL("position"),
    OF_SPOOL("loss"),
    OF_SPOOL("open_call"),
    OF_PROCESS("spool"),
    OF_PROCESS("session"),
    OF_PROCESS("thread"),
    OF_PROCESS("caller"),
    OF_PROCESS("token"),
    OF_PROCESS("state"),
    OF_RUN("process"),
};

enum p11prof_status p11prof_run_empty(struct p11prof_store *store, int64_t run_id,
                                      struct p11prof_error *error)
{
    enum p11prof_status status = P11PROF_OK;
    for (size_t i = 0; i < sizeof rest / sizeof rest[0] && status == P11PROF_OK; i++)
        status = p11prof_change(p11prof_store_sqlite(store), rest[i], P11PROF_NUMBERS(run_id), NULL,
                                error);
    return status;
}

enum p11prof_status p11prof_run_check_baselines(struct p11prof_store *store, int64_t run_id,
                                                struct p11prof_error *error)
{
    char *baseline;
    if (p11prof_baseline_of(store, run_id, &baseline, error) != P11PROF_OK)
        return error->status;
    if (baseline)
        p11prof_error_set(error, P11PROF_BAD_INPUT,
                          "run %lld is in the baseline '%.100s': 'p11prof baseline remove %.100s' "
                          "comes first",
                          (long long)run_id, baseline, baseline);
    free(baseline);
    return baseline ? P11PROF_BAD_INPUT : P11PROF_OK;
}

/* *left: there was something. */
static enum p11prof_status delete_part(struct p11prof_turns *turns, int64_t run_id, bool *left,
                                       struct p11prof_error *error)
{
    struct sqlite3 *db = p11prof_store_sqlite(turns->store);
    int64_t group;
    uint64_t removed = 0;
    bool found;
    if (p11prof_turns_next(turns, error) != P11PROF_OK ||
        p11prof_run_check_baselines(turns->store, run_id, error) != P11PROF_OK ||
        p11prof_look(db, find_group, P11PROF_NUMBERS(run_id), &group, 1, &found, error) !=
            P11PROF_OK)
        return error->status;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        uint64_t changes;
        if (p11prof_change(db, parts[i], P11PROF_NUMBERS(run_id, group), &changes, error) !=
            P11PROF_OK)
            return error->status;
        removed += changes;
    }
    *left = removed > 0;
    if (found && !*left)
        return p11prof_error_set(error, P11PROF_FAILED,
                                 "run %lld has windows that cannot be removed: the database is "
                                 "damaged; save what is left of it with sqlite3's .recover",
                                 (long long)run_id);
    return P11PROF_OK;
}

static enum p11prof_status delete_rest(struct p11prof_turns *turns, int64_t run_id,
                                       struct p11prof_error *error)
{
    if (p11prof_turns_next(turns, error) != P11PROF_OK ||
        p11prof_run_check_baselines(turns->store, run_id, error) != P11PROF_OK ||
        p11prof_run_empty(turns->store, run_id, error) != P11PROF_OK)
        return error->status;
    return p11prof_change(p11prof_store_sqlite(turns->store), "DELETE FROM run WHERE id = ?1",
                          P11PROF_NUMBERS(run_id), NULL, error);
}

enum p11prof_status p11prof_run_delete(struct p11prof_store *store, int64_t run_id,
                                       uint64_t *call_count, struct p11prof_error *error)
{
    struct p11prof_row_removal removal = {.store = store, .run_id = run_id, .before_ns = INT64_MAX};
    struct p11prof_turns turns = {.store = store};
    enum p11prof_status status = p11prof_run_check_baselines(store, run_id, error);
    if (status == P11PROF_OK)
        status = p11prof_rows_remove(&removal, call_count, error);
    for (bool left = true; left && status == P11PROF_OK;)
        status = delete_part(&turns, run_id, &left, error);
    if (status == P11PROF_OK)
        status = delete_rest(&turns, run_id, error);
    return p11prof_turns_end(&turns, status, error);
}
