/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "runs/list.h"
#include "message.h"
#include "report/allocate.h"
#include "report/nearest.h"
#include "report/query.h"
#include "report/run_report.h"

#include <cjson/cJSON.h>
#include <sqlite3.h>
#include <stdlib.h>

enum p11prof_status p11prof_runs_read(struct p11prof_table *out, struct sqlite3 *db,
                                      const struct p11prof_runs_filter *filter,
                                      struct p11prof_error *error)
{
    static const char sql[] =
        "SELECT * FROM runs WHERE run_id IN (SELECT run_id FROM runs "
        "WHERE (?2 IS NULL OR name GLOB ?2) AND (?3 IS NULL OR program GLOB ?3) "
        "AND (?4 IS NULL OR kind = ?4) ORDER BY start_wall_ns DESC, run_id DESC LIMIT ?1) "
        "ORDER BY start_wall_ns DESC, run_id DESC";
    const char *texts[] = {filter->name, filter->program, filter->kind};
    sqlite3_stmt *rows;
    int result;
    if (p11prof_query_prepare(db, sql, (int64_t)filter->limit, &rows, error) != P11PROF_OK)
        return error->status;
    for (int i = 0; i < 3; i++)
        sqlite3_bind_text(rows, i + 2, texts[i], -1, SQLITE_STATIC);
    p11prof_table_statement_columns(out, rows, false);
    while ((result = sqlite3_step(rows)) == SQLITE_ROW)
        p11prof_table_statement_row(out, rows);
    return p11prof_query_end(rows, result, error);
}

void p11prof_runs_say_none(struct sqlite3 *db, const struct p11prof_runs_filter *filter)
{
    struct p11prof_table names = {.columns = NULL};
    struct p11prof_error error;
    const char *nearest = NULL;
    const char *column = filter->name ? "name" : "program";
    const char *glob = filter->name ? filter->name : filter->program;
    char *sql = sqlite3_mprintf(
        "SELECT DISTINCT %s AS name FROM runs WHERE %s IS NOT NULL LIMIT 10000", column, column);
    if (glob && p11prof_query_table(db, sql, 0, &names, &error) == P11PROF_OK) {
        const char **list = p11prof_zalloc(names.row_count + 1, sizeof *list);
        for (size_t i = 0; i < names.row_count; i++)
            list[i] = p11prof_table_text(&names, i, "name", "");
        nearest = p11prof_nearest(glob, list, names.row_count);
        free(list);
    }
    if (nearest)
        p11prof_note("no run fits; did you mean --%s '%s'?", column, nearest);
    else
        p11prof_note("no run fits");
    sqlite3_free(sql);
    p11prof_table_clear(&names);
}

static void print_json(const struct p11prof_table *table, const char *name)
{
    struct cJSON *document = p11prof_document_new();
    p11prof_document_rows(document, name, table);
    p11prof_document_print(stdout, document);
    cJSON_Delete(document);
}

void p11prof_runs_print(const struct p11prof_table *table, enum p11prof_format format,
                        const char *name, const char *columns)
{
    struct p11prof_table shown = {.columns = NULL};
    switch (format) {
    case P11PROF_FORMAT_JSON:
        print_json(table, name);
        return;
    case P11PROF_FORMAT_CSV:
        p11prof_write_table(stdout, table, format);
        return;
    case P11PROF_FORMAT_TEXT:
    case P11PROF_FORMAT_MARKDOWN:
        break;
    }
    p11prof_table_select(&shown, table, columns);
    if (format == P11PROF_FORMAT_TEXT)
        p11prof_write_text_table(stdout, &shown, NULL);
    else
        p11prof_write_table(stdout, &shown, format);
    p11prof_table_clear(&shown);
}
