/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What a merge copies besides runs: names of codes, and baselines. */
#include "change.h"
#include "merge_parts.h"
#include "report/query.h"

#include <sqlite3.h>
#include <stdio.h>

static const char *const name_tables[] = {"function_name", "mechanism_name", "rv_name",
                                          "key_type_name", "operation_name", "kind_name",
                                          "cause_name",    "phase_name",     "state_name"};

enum p11prof_status p11prof_merge_names(struct sqlite3 *db, struct p11prof_error *error)
{
    enum p11prof_status status = P11PROF_OK;
    for (size_t i = 0; i < sizeof name_tables / sizeof name_tables[0] && status == P11PROF_OK;
         i++) {
        char sql[160];
        snprintf(sql, sizeof sql,
                 "INSERT OR IGNORE INTO main.%s (code, name) SELECT code, name FROM source.%s",
                 name_tables[i], name_tables[i]);
        status = p11prof_change(db, sql, NULL, 0, NULL, error);
    }
    return status;
}

/* Each baseline of the source: how many runs it has, how many of those are here, how many the one
 * of that name here has, and how many are in both; -1: there is none of that name. */
static const char baselines_sql[] =
    "WITH there AS (SELECT r.baseline, n.id AS run FROM source.baseline_run AS r "
    "JOIN source.run AS o ON o.id = r.run LEFT JOIN main.run AS n ON n.uuid = o.uuid) "
    "SELECT b.name, b.created_wall_ns, (SELECT count(*) FROM there WHERE baseline = b.name) AS "
    "runs, "
    "(SELECT count(run) FROM there WHERE baseline = b.name) AS runs_here, "
    "iif(EXISTS (SELECT 1 FROM main.baseline WHERE name = b.name), "
    "(SELECT count(*) FROM main.baseline_run WHERE baseline = b.name), -1) AS runs_of_name, "
    "(SELECT count(*) FROM there JOIN main.baseline_run AS m USING (baseline, run) "
    "WHERE baseline = b.name) AS runs_in_both FROM source.baseline AS b ORDER BY b.name";

static enum p11prof_status copy_baseline(struct sqlite3 *db, const char *name,
                                         int64_t created_wall_ns, struct p11prof_error *error)
{
    static const char *const sql[] = {
        "INSERT INTO main.baseline (name, created_wall_ns) VALUES (?1, ?2)",
        "INSERT INTO main.baseline_run (baseline, run) SELECT ?1, n.id "
        "FROM source.baseline_run AS r JOIN source.run AS o ON o.id = r.run "
        "JOIN main.run AS n ON n.uuid = o.uuid WHERE r.baseline = ?1",
    };
    enum p11prof_status status = P11PROF_OK;
    for (size_t i = 0; i < sizeof sql / sizeof sql[0] && status == P11PROF_OK; i++) {
        sqlite3_stmt *statement;
        if (p11prof_query_prepare(db, sql[i], 0, &statement, error) != P11PROF_OK)
            return error->status;
        sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
        sqlite3_bind_int64(statement, 2, created_wall_ns);
        status = p11prof_query_end(statement, sqlite3_step(statement), error);
    }
    return status;
}

static enum p11prof_status merge_baseline(const struct p11prof_merge *merge,
                                          const struct p11prof_table *baselines, size_t row,
                                          uint64_t *count, struct p11prof_error *error)
{
    const char *name = p11prof_table_text(baselines, row, "name", "");
    int64_t runs = p11prof_table_integer(baselines, row, "runs", 0);
    int64_t of_name = p11prof_table_integer(baselines, row, "runs_of_name", -1);
    char text[512];
    if (of_name == runs && p11prof_table_integer(baselines, row, "runs_in_both", 0) == runs)
        return P11PROF_OK;
    if (of_name < 0 && p11prof_table_integer(baselines, row, "runs_here", 0) == runs) {
        ++*count;
        return copy_baseline(p11prof_store_sqlite(merge->store), name,
                             p11prof_table_integer(baselines, row, "created_wall_ns", 0), error);
    }
    snprintf(text, sizeof text, "baseline '%.200s' of %.200s is left out: %s", name, merge->source,
             of_name < 0 ? "not all of its runs are here"
                         : "there is another one of that name here");
    merge->say(merge->payload, text);
    return P11PROF_OK;
}

enum p11prof_status p11prof_merge_baselines(const struct p11prof_merge *merge, uint64_t *count,
                                            struct p11prof_error *error)
{
    struct p11prof_table baselines = {.columns = NULL};
    enum p11prof_status status = p11prof_query_table(p11prof_store_sqlite(merge->store),
                                                     baselines_sql, 0, &baselines, error);
    for (size_t i = 0; i < baselines.row_count && status == P11PROF_OK; i++)
        status = merge_baseline(merge, &baselines, i, count, error);
    p11prof_table_clear(&baselines);
    return status;
}
