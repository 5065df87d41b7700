/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Copying one run. All columns that a table has are copied; those that mean a number of another
 * table get its new one. */
#include "change.h"
#include "delete.h"
#include "merge_parts.h"
#include "report/allocate.h"
#include "report/query.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

/* In all SQL, ?1 is the run in the source, ?2 the run here, ?3 what is added to its times. */

/* Where rows of a run are found in the source, and which column means a row of another table. */
struct way {
    const char *from;   /* o is a row of the table, %s its name */
    const char *column; /* that gets another value … */
    const char *value;  /* … this one */
};
static const struct way of_run = {"source.%s AS o WHERE o.run = ?1", "run", "?2"};
static const struct way of_run_in_order = {"source.%s AS o WHERE o.run = ?1 ORDER BY o.id", "run",
                                           "?2"};
static const struct way of_process = {
    "temp.map_process AS m CROSS JOIN source.%s AS o ON o.process = m.old WHERE true", "process",
    "m.new"};
static const struct way of_spool = {
    "temp.map_spool AS m CROSS JOIN source.%s AS o ON o.spool = m.old WHERE true", "spool",
    "m.new"};
static const struct way of_group = {
    "temp.map_group AS m CROSS JOIN source.%s AS o ON o.call_group = m.old WHERE true",
    "call_group", "m.new"};
static const struct way of_window = {
    "temp.map_group AS m CROSS JOIN source.group_window AS w ON w.call_group = m.old "
    "CROSS JOIN main.group_window AS n ON n.call_group = m.new AND n.start_ns = w.start_ns + ?3 "
    "AND n.duration_ns = w.duration_ns CROSS JOIN source.%s AS o ON o.group_window = w.id "
    "WHERE true",
    "group_window", "n.id"};

/* Times since the run's start, in any table. */
static const char *const times[] = {"start_ns",           "end_ns",           "opened_ns",
                                    "closed_ns",          "first_ns",         "last_ns",
                                    "operation_start_ns", "intended_start_ns"};

#define GROUP_KEY "run, is_operation, code, kind, mechanism, key_type, key_bits, part"

/* In this order: what is referred to comes first. */
static const struct step {
    const char *table;
    const struct way *way;
    const char *key; /* of rows that may be here already; NULL: there are none */
    const char *add; /* how those grow; NULL: as sums do */
    const char *sql; /* done afterwards, NULL: nothing */
} steps[] = {
    {"process", &of_run_in_order, NULL, NULL,
     "INSERT INTO temp.map_process SELECT o.id, n.id FROM source.process AS o "
     "JOIN main.process AS n ON n.uuid = o.uuid WHERE o.run = ?1"},
    {"spool", &of_process, NULL, NULL,
     "INSERT INTO temp.map_spool SELECT o.id, n.id FROM temp.map_process AS m "
     "CROSS JOIN source.spool AS o ON o.process = m.old "
     "CROSS JOIN main.spool AS n ON n.spool_id = o.spool_id"},
    {"position", &of_spool, NULL, NULL, NULL},
    {"loss", &of_spool, NULL, NULL, NULL},
    {"open_call", &of_spool, NULL, NULL, NULL},
    {"session", &of_process, NULL, NULL, NULL},
    {"thread", &of_process, NULL, NULL, NULL},
    {"caller", &of_process, NULL, NULL, NULL},
    {"token", &of_process, NULL, NULL, NULL},
    {"state", &of_process, NULL, NULL, NULL},
    {"bench_load", &of_run, NULL, NULL, NULL},
    {"bench_slice", &of_run, NULL, NULL, NULL},
    {"bench_thread", &of_run, NULL, NULL, NULL},
    {"bench_figure", &of_run, NULL, NULL, NULL},
    {"bench_interval", &of_run, NULL, NULL, NULL},
    {"bench_skip", &of_run, NULL, NULL, NULL},
    {"error_count", &of_run, "run, function, rv",
     P11PROF_CHANGE_ADD("count") ", " P11PROF_CHANGE_ADD(
         "sum_ns") ", min_ns = min(min_ns, excluded.min_ns), max_ns = max(max_ns, excluded.max_ns)",
     NULL},
    {"call_group", &of_run_in_order, GROUP_KEY, NULL,
     "INSERT INTO temp.map_group SELECT o.id, n.id FROM source.call_group AS o "
     "JOIN main.call_group AS n USING (is_operation, code, kind, mechanism, key_type, key_bits, "
     "part) WHERE o.run = ?1 AND n.run = ?2"},
    {"group_bucket", &of_group, "call_group, low_ns", P11PROF_CHANGE_ADD("count"), NULL},
    {"group_window", &of_group, "call_group, start_ns, duration_ns", NULL, NULL},
    {"window_bucket", &of_window, "group_window, low_ns", P11PROF_CHANGE_ADD("count"), NULL},
};

/* SQL that lists columns: into, and from where. */
struct columns {
    char *into, *from;
};

static bool is_time(const char *column)
{
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++)
        if (strcmp(times[i], column) == 0)
            return true;
    return false;
}

static void write_value(FILE *stream, const char *column, const struct way *way)
{
    if (way && strcmp(column, way->column) == 0)
        fputs(way->value, stream);
    else
        fprintf(stream, "o.%s%s", column, is_time(column) ? " + ?3" : "");
}

/* All columns but the number of a row, which is made anew, and one more. way: NULL for none. */
static enum p11prof_status read_columns(struct columns *out, struct sqlite3 *db, const char *table,
                                        const struct way *way, const char *but,
                                        struct p11prof_error *error)
{
    size_t into_bytes, from_bytes;
    const char *comma = "";
    int result;
    sqlite3_stmt *names;
    if (p11prof_query_prepare(db, "SELECT name FROM pragma_table_info(?1, 'main')", 0, &names,
                              error) != P11PROF_OK)
        return error->status;
    sqlite3_bind_text(names, 1, table, -1, SQLITE_STATIC);
    FILE *into = p11prof_text_open(&out->into, &into_bytes);
    FILE *from = p11prof_text_open(&out->from, &from_bytes);
    while ((result = sqlite3_step(names)) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(names, 0);
        if (strcmp(name, "id") == 0 || strcmp(name, but) == 0)
            continue;
        fprintf(into, "%s%s", comma, name);
        fputs(comma, from);
        write_value(from, name, way);
        comma = ", ";
    }
    fclose(into);
    fclose(from);
    return p11prof_query_end(names, result, error);
}

static void free_columns(struct columns *columns)
{
    free(columns->into);
    free(columns->from);
}

static enum p11prof_status run_sql(struct sqlite3 *db, const struct p11prof_merge_run *run,
                                   const char *sql, struct p11prof_error *error)
{
    return p11prof_change(db, sql, P11PROF_NUMBERS(run->source_id, run->id, run->shift_ns), NULL,
                          error);
}

static char *step_sql(const struct step *step, const struct columns *columns)
{
    char *sql;
    size_t bytes;
    FILE *stream = p11prof_text_open(&sql, &bytes);
    char *from = sqlite3_mprintf(step->way->from, step->table);
    fprintf(stream, "INSERT INTO main.%s (%s) SELECT %s FROM %s", step->table, columns->into,
            columns->from, from);
    if (step->key)
        fprintf(stream, " ON CONFLICT (%s) DO UPDATE SET %s", step->key,
                step->add ? step->add : p11prof_change_sums);
    fclose(stream);
    sqlite3_free(from);
    return sql;
}

static enum p11prof_status copy_table(struct sqlite3 *db, const struct p11prof_merge_run *run,
                                      const struct step *step, struct p11prof_error *error)
{
    struct columns columns = {NULL, NULL};
    enum p11prof_status status = read_columns(&columns, db, step->table, step->way, "", error);
    if (status == P11PROF_OK) {
        char *sql = step_sql(step, &columns);
        status = run_sql(db, run, sql, error);
        free(sql);
    }
    free_columns(&columns);
    if (status == P11PROF_OK && step->sql)
        status = run_sql(db, run, step->sql, error);
    return status;
}

/* One segment: its rows get the next numbers. */
static enum p11prof_status copy_rows(struct sqlite3 *db, const struct p11prof_merge_run *run,
                                     const char *sql, const int64_t segment[3],
                                     struct p11prof_error *error)
{
    uint64_t count;
    if (p11prof_change(db, sql, P11PROF_NUMBERS(segment[0], segment[1], run->shift_ns), &count,
                       error) != P11PROF_OK)
        return error->status;
    int64_t last = sqlite3_last_insert_rowid(db);
    if (count == 0)
        return P11PROF_OK;
    return p11prof_change(
        db,
        "INSERT INTO main.segment (first_call, last_call, run, process) VALUES (?1, ?2, ?3, ?4)",
        P11PROF_NUMBERS(last - (int64_t)count + 1, last, run->id, segment[2]), NULL, error);
}

static enum p11prof_status copy_segments(struct sqlite3 *db, const struct p11prof_merge_run *run,
                                         const char *sql, struct p11prof_error *error)
{
    sqlite3_stmt *segments;
    enum p11prof_status status = P11PROF_OK;
    int result = SQLITE_DONE;
    if (p11prof_query_prepare(db,
                              "SELECT s.first_call, s.last_call, m.new FROM source.segment AS s "
                              "JOIN temp.map_process AS m ON m.old = s.process WHERE s.run = ?1 "
                              "ORDER BY s.first_call",
                              run->source_id, &segments, error) != P11PROF_OK)
        return error->status;
    while (status == P11PROF_OK && (result = sqlite3_step(segments)) == SQLITE_ROW) {
        const int64_t segment[] = {sqlite3_column_int64(segments, 0),
                                   sqlite3_column_int64(segments, 1),
                                   sqlite3_column_int64(segments, 2)};
        status = copy_rows(db, run, sql, segment, error);
    }
    if (status == P11PROF_OK)
        return p11prof_query_end(segments, result, error);
    sqlite3_finalize(segments);
    return status;
}

static enum p11prof_status copy_calls(struct sqlite3 *db, const struct p11prof_merge_run *run,
                                      struct p11prof_error *error)
{
    struct columns columns = {NULL, NULL};
    enum p11prof_status status = read_columns(&columns, db, "call", NULL, "", error);
    if (status == P11PROF_OK) {
        char *sql = sqlite3_mprintf("INSERT INTO main.call (id, %s) SELECT NULL, %s FROM "
                                    "source.call AS o WHERE o.id BETWEEN ?1 AND ?2 ORDER BY o.id",
                                    columns.into, columns.from);
        status = copy_segments(db, run, sql, error);
        sqlite3_free(sql);
    }
    free_columns(&columns);
    return status;
}

static enum p11prof_status insert_run(struct sqlite3 *db, struct p11prof_merge_run *run,
                                      const struct columns *columns, struct p11prof_error *error)
{
    char *sql = sqlite3_mprintf("INSERT INTO main.run (name, %s) SELECT o.name, %s "
                                "FROM source.run AS o WHERE o.id = ?1",
                                columns->into, columns->from);
    enum p11prof_status status = run_sql(db, run, sql, error);
    sqlite3_free(sql);
    run->id = sqlite3_last_insert_rowid(db);
    return status;
}

/* The name that it got here stays. */
static enum p11prof_status replace_run(struct sqlite3 *db, const struct p11prof_merge_run *run,
                                       const struct columns *columns, struct p11prof_error *error)
{
    char *sql = sqlite3_mprintf("UPDATE main.run SET (name, %s) = (SELECT coalesce(main.run.name, "
                                "o.name), %s FROM source.run AS o WHERE o.id = ?1) WHERE id = ?2",
                                columns->into, columns->from);
    enum p11prof_status status = run_sql(db, run, sql, error);
    sqlite3_free(sql);
    return status;
}

/* What one part knows and the other does not. */
static const char add_run_sql[] =
    "UPDATE main.run AS n SET (state, name, program, library, cryptoki_version, clock, "
    "duration_ns) "
    "= (SELECT coalesce(n.state, o.state), coalesce(n.name, o.name), "
    "coalesce(n.program, o.program), coalesce(n.library, o.library), "
    "coalesce(n.cryptoki_version, o.cryptoki_version), coalesce(n.clock, o.clock), "
    "max(coalesce(n.duration_ns, o.duration_ns + ?3), "
    "coalesce(o.duration_ns + ?3, n.duration_ns)) "
    "FROM source.run AS o WHERE o.id = ?1) WHERE n.id = ?2";

static enum p11prof_status copy_run(struct p11prof_store *store, struct p11prof_merge_run *run,
                                    enum p11prof_merge_outcome outcome, struct p11prof_error *error)
{
    struct sqlite3 *db = p11prof_store_sqlite(store);
    struct columns columns = {NULL, NULL};
    if (outcome == P11PROF_MERGE_ADDED)
        return run_sql(db, run, add_run_sql, error);
    run->shift_ns = 0;
    enum p11prof_status status = read_columns(&columns, db, "run", NULL, "name", error);
    if (status == P11PROF_OK && outcome == P11PROF_MERGE_COPIED)
        status = insert_run(db, run, &columns, error);
    else if (status == P11PROF_OK)
        status = p11prof_run_empty(store, run->id, error);
    if (status == P11PROF_OK && outcome == P11PROF_MERGE_REPLACED)
        status = replace_run(db, run, &columns, error);
    free_columns(&columns);
    return status;
}

static enum p11prof_status copy_all(struct p11prof_store *store, struct p11prof_merge_run *run,
                                    enum p11prof_merge_outcome outcome, struct p11prof_error *error)
{
    static const char clear[] = "DELETE FROM temp.map_process; DELETE FROM temp.map_spool; "
                                "DELETE FROM temp.map_group";
    struct sqlite3 *db = p11prof_store_sqlite(store);
    sqlite3_exec(db, clear, NULL, NULL, NULL);
    enum p11prof_status status = copy_run(store, run, outcome, error);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0] && status == P11PROF_OK; i++)
        status = copy_table(db, run, &steps[i], error);
    return status == P11PROF_OK ? copy_calls(db, run, error) : status;
}

enum p11prof_status p11prof_merge_copy(struct p11prof_store *store, struct p11prof_merge_run *run,
                                       enum p11prof_merge_outcome outcome,
                                       struct p11prof_error *error)
{
    enum p11prof_status status = copy_all(store, run, outcome, error);
    int code = sqlite3_errcode(p11prof_store_sqlite(store)) & 0xff;
    if (status == P11PROF_FAILED && code == SQLITE_CONSTRAINT)
        status = p11prof_error_set(error, P11PROF_BAD_INPUT,
                                   "a process of it is here already, in another part of this run "
                                   "or in another run");
    return status;
}
