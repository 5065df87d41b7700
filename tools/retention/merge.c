/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "merge.h"
#include "merge_parts.h"
#include "report/allocate.h"
#include "report/progress.h"
#include "report/query.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

enum { WAIT_MS = 5000 };

struct runs {
    int64_t *ids;
    size_t count, capacity;
};

static enum p11prof_status read_runs(struct sqlite3 *db, struct runs *out,
                                     struct p11prof_error *error)
{
    sqlite3_stmt *rows;
    int result;
    if (p11prof_query_prepare(db, "SELECT id FROM source.run ORDER BY id", 0, &rows, error) !=
        P11PROF_OK)
        return error->status;
    while ((result = sqlite3_step(rows)) == SQLITE_ROW) {
        out->ids = p11prof_grow(out->ids, &out->capacity, out->count + 1, sizeof *out->ids);
        out->ids[out->count++] = sqlite3_column_int64(rows, 0);
    }
    return p11prof_query_end(rows, result, error);
}

/* Whoever writes the source may lock it for a moment; other writers here are waited for by the
 * store. */
static enum p11prof_status begin(const struct p11prof_merge *merge, struct p11prof_error *error)
{
    enum p11prof_status status = p11prof_store_begin(merge->store, WAIT_MS, error);
    if (status == P11PROF_OK)
        sqlite3_busy_timeout(p11prof_store_sqlite(merge->store), WAIT_MS);
    return status;
}

static enum p11prof_status end(const struct p11prof_merge *merge, enum p11prof_status status,
                               struct p11prof_error *error)
{
    if (status == P11PROF_OK)
        status = p11prof_store_commit(merge->store, error);
    else
        p11prof_store_rollback(merge->store);
    sqlite3_busy_timeout(p11prof_store_sqlite(merge->store), 0);
    return status;
}

static void say_refused(const struct p11prof_merge *merge, int64_t source_id, const char *why)
{
    struct p11prof_table run = {.columns = NULL};
    struct p11prof_error error;
    char text[1024];
    p11prof_query_table(p11prof_store_sqlite(merge->store),
                        "SELECT name, strftime('%Y-%m-%dT%H:%M:%SZ', start_wall_ns / 1000000000, "
                        "'unixepoch') AS started_at, lower(hex(uuid)) AS uuid "
                        "FROM source.run WHERE id = ?1",
                        source_id, &run, &error);
    const char *name = p11prof_table_text(&run, 0, "name", NULL);
    snprintf(text, sizeof text, "run %lld%s%.200s of %.200s (%s, uuid %s) is left out: %.200s",
             (long long)source_id, name ? " " : "", name ? name : "", merge->source,
             p11prof_table_text(&run, 0, "started_at", ""), p11prof_table_text(&run, 0, "uuid", ""),
             why);
    merge->say(merge->payload, text);
    p11prof_table_clear(&run);
}

static enum p11prof_status merge_run(const struct p11prof_merge *merge, int64_t source_id,
                                     struct p11prof_merge_result *result,
                                     struct p11prof_error *error)
{
    struct p11prof_merge_run run = {.source_id = source_id};
    enum p11prof_merge_outcome outcome = P11PROF_MERGE_REFUSED;
    struct sqlite3 *db = p11prof_store_sqlite(merge->store);
    if (begin(merge, error) != P11PROF_OK)
        return error->status;
    enum p11prof_status status = p11prof_merge_compare(db, &run, &outcome, error);
    if (status == P11PROF_OK && outcome <= P11PROF_MERGE_ADDED)
        status = p11prof_merge_copy(merge->store, &run, outcome, error);
    if (status == P11PROF_BAD_INPUT)
        outcome = P11PROF_MERGE_REFUSED;
    struct p11prof_error refused = *error;
    status = end(merge, status, error);
    if (status == P11PROF_BAD_INPUT)
        status = P11PROF_OK;
    if (status != P11PROF_OK)
        return status;
    result->run_counts[outcome]++;
    if (outcome == P11PROF_MERGE_REFUSED)
        say_refused(merge, source_id, refused.text);
    return P11PROF_OK;
}

static enum p11prof_status merge_names(const struct p11prof_merge *merge,
                                       struct p11prof_error *error)
{
    if (begin(merge, error) != P11PROF_OK)
        return error->status;
    return end(merge, p11prof_merge_names(p11prof_store_sqlite(merge->store), error), error);
}

static enum p11prof_status merge_baselines(const struct p11prof_merge *merge, uint64_t *count,
                                           struct p11prof_error *error)
{
    if (begin(merge, error) != P11PROF_OK)
        return error->status;
    return end(merge, p11prof_merge_baselines(merge, count, error), error);
}

static enum p11prof_status merge_all(const struct p11prof_merge *merge,
                                     struct p11prof_merge_result *result,
                                     struct p11prof_error *error)
{
    struct runs runs = {.ids = NULL};
    enum p11prof_status status = merge_names(merge, error);
    if (status == P11PROF_OK)
        status = read_runs(p11prof_store_sqlite(merge->store), &runs, error);
    for (size_t i = 0; i < runs.count && status == P11PROF_OK; i++)
        status = merge_run(merge, runs.ids[i], result, error);
    if (status == P11PROF_OK)
        status = merge_baselines(merge, &result->baseline_count, error);
    free(runs.ids);
    return status;
}

enum p11prof_status p11prof_merge(const struct p11prof_merge *merge,
                                  struct p11prof_merge_result *result, struct p11prof_error *error)
{
    struct p11prof_progress progress;
    p11prof_progress_begin(&progress, p11prof_store_sqlite(merge->store), "merging");
    enum p11prof_status status = p11prof_merge_attach(merge->store, merge->source, error);
    if (status == P11PROF_OK) {
        status = merge_all(merge, result, error);
        p11prof_merge_detach(merge->store);
    }
    p11prof_progress_end(&progress);
    return status;
}
