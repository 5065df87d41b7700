/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "prune.h"
#include "change.h"
#include "prune_runs.h"
#include "report/allocate.h"
#include "report/query.h"
#include "rows.h"

#include <sqlite3.h>
#include <stdlib.h>

int64_t p11prof_prune_before(const struct p11prof_prune *prune, unsigned times)
{
    __int128 before_ns = (__int128)prune->now_ns - (__int128)prune->age_ns * times;
    return before_ns < 0 ? 0 : (int64_t)before_ns;
}

enum p11prof_status p11prof_prune_runs_read(struct p11prof_prune_runs *out,
                                            const struct p11prof_prune *prune, const char *where,
                                            struct p11prof_error *error)
{
    static const char format[] =
        "SELECT r.id, r.start_wall_ns FROM run AS r WHERE ?1 IN (0, r.id) AND r.start_wall_ns < "
        "%lld "
        "AND NOT EXISTS (SELECT 1 FROM baseline_run AS b WHERE b.run = r.id)%s ORDER BY r.id";
    struct sqlite3 *db = p11prof_store_sqlite(prune->store);
    char *sql = sqlite3_mprintf(format, (long long)p11prof_prune_before(prune, 1), where);
    sqlite3_stmt *runs;
    int result;
    enum p11prof_status status = p11prof_query_prepare(db, sql, prune->run_id, &runs, error);
    sqlite3_free(sql);
    if (status != P11PROF_OK)
        return status;
    while ((result = sqlite3_step(runs)) == SQLITE_ROW) {
        out->all = p11prof_grow(out->all, &out->capacity, out->count + 1, sizeof *out->all);
        out->all[out->count++] = (struct p11prof_prune_run){sqlite3_column_int64(runs, 0),
                                                            sqlite3_column_int64(runs, 1)};
    }
    return p11prof_query_end(runs, result, error);
}

enum p11prof_status p11prof_prune_calls(const struct p11prof_prune *prune,
                                        struct p11prof_prune_result *result,
                                        struct p11prof_error *error)
{
    struct p11prof_prune_runs runs = {.all = NULL};
    enum p11prof_status status = p11prof_prune_runs_read(&runs, prune, "", error);
    for (size_t i = 0; i < runs.count && status == P11PROF_OK; i++) {
        uint64_t before = result->call_count;
        struct p11prof_row_removal removal = {.store = prune->store,
                                              .run_id = runs.all[i].run_id,
                                              .before_ns = p11prof_prune_before(prune, 1) -
                                                           runs.all[i].start_wall_ns,
                                              .dry_run = prune->dry_run};
        status = p11prof_rows_remove(&removal, &result->call_count, error);
        result->call_run_count += result->call_count > before;
    }
    free(runs.all);
    return status;
}

enum p11prof_status p11prof_baseline_of(struct p11prof_store *store, int64_t run_id, char **name,
                                        struct p11prof_error *error)
{
    sqlite3_stmt *baselines;
    *name = NULL;
    if (p11prof_query_prepare(p11prof_store_sqlite(store),
                              "SELECT min(baseline) FROM baseline_run WHERE run = ?1", run_id,
                              &baselines, error) != P11PROF_OK)
        return error->status;
    int result = sqlite3_step(baselines);
    const char *text =
        result == SQLITE_ROW ? (const char *)sqlite3_column_text(baselines, 0) : NULL;
    *name = text ? p11prof_copy(text) : NULL;
    return p11prof_query_end(baselines, result, error);
}
