/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "run_row.h"
#include "report/allocate.h"
#include "report/nearest.h"
#include "report/query.h"
#include "run_select.h"
#include "run_side.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

static const char row_names[] =
    "SELECT test AS name FROM loads WHERE run_id = ?1 UNION SELECT operation FROM group_names "
    "WHERE run_id = ?1 AND operation IS NOT NULL UNION SELECT function FROM group_names "
    "WHERE run_id = ?1 AND function IS NOT NULL";

/* What a name is in a run: 1 test, 2 operation, 3 function, 0 nothing. */
static const char row_kind[] =
    "SELECT CASE WHEN EXISTS (SELECT 1 FROM loads WHERE run_id = ?1 AND test = ?2) THEN 1 "
    "WHEN EXISTS (SELECT 1 FROM group_names WHERE run_id = ?1 AND operation = ?2) THEN 2 "
    "WHEN EXISTS (SELECT 1 FROM group_names WHERE run_id = ?1 AND function = ?2) THEN 3 "
    "ELSE 0 END";

static enum p11prof_status describe_missing(struct sqlite3 *db, int64_t run_id, const char *name,
                                            struct p11prof_error *error)
{
    struct p11prof_table table = {.row_count = 0};
    if (p11prof_query_table(db, row_names, run_id, &table, error) != P11PROF_OK) {
        p11prof_table_clear(&table);
        return error->status;
    }
    const char **names = p11prof_zalloc(table.row_count + 1, sizeof *names);
    for (size_t i = 0; i < table.row_count; i++)
        names[i] = p11prof_table_text(&table, i, "name", "");
    const char *nearest = p11prof_nearest(name, names, table.row_count);
    enum p11prof_status status = p11prof_error_set(
        error, P11PROF_BAD_INPUT,
        "run %" PRId64 " has no test, operation or function '%.100s'%s%.100s%s", run_id, name,
        nearest ? ": did you mean '" : ": 'p11prof report' lists them", nearest ? nearest : "",
        nearest ? "'?" : "");
    free(names);
    p11prof_table_clear(&table);
    return status;
}

static enum p11prof_status find_kind(struct sqlite3 *db, int64_t run_id,
                                     struct p11prof_run_row *row, struct p11prof_error *error)
{
    static const enum p11prof_dimension_id ids[] = {P11PROF_BY_TEST, P11PROF_BY_OPERATION,
                                                    P11PROF_BY_FUNCTION};
    sqlite3_stmt *statement;
    int kind = 0;
    if (p11prof_query_prepare(db, row_kind, run_id, &statement, error) != P11PROF_OK)
        return error->status;
    sqlite3_bind_text(statement, 2, row->name, -1, SQLITE_STATIC);
    int result = sqlite3_step(statement);
    if (result == SQLITE_ROW)
        kind = sqlite3_column_int(statement, 0);
    if (p11prof_query_end(statement, result == SQLITE_ROW ? SQLITE_DONE : result, error) !=
        P11PROF_OK)
        return error->status;
    if (kind == 0)
        return describe_missing(db, run_id, row->name, error);
    row->id = ids[kind - 1];
    return P11PROF_OK;
}

static bool same_row(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static enum p11prof_status check_sources(const struct p11prof_run_side *side,
                                         struct p11prof_error *error)
{
    for (size_t i = 0; i < side->source_count; i++) {
        if (side->sources[i].path)
            return p11prof_error_set(
                error, P11PROF_BAD_INPUT,
                "%.200s is a file: 'p11prof compare' reads those, this command "
                "runs of the database",
                side->sources[i].path);
        if (!same_row(side->sources[i].row, side->sources[0].row))
            return p11prof_error_set(error, P11PROF_BAD_INPUT,
                                     "'%.200s' has several rows: this command takes one for all "
                                     "runs; --test, --operation and --function take more",
                                     side->text);
    }
    return P11PROF_OK;
}

static enum p11prof_status take_sources(struct sqlite3 *db, const struct p11prof_run_side *side,
                                        struct p11prof_run_set *runs, struct p11prof_run_row *row,
                                        struct p11prof_error *error)
{
    enum p11prof_status status = check_sources(side, error);
    char word[24];
    if (status == P11PROF_OK && side->source_count > 0 && side->sources[0].row)
        row->name = p11prof_copy(side->sources[0].row);
    for (size_t i = 0; i < side->source_count && status == P11PROF_OK; i++) {
        snprintf(word, sizeof word, "%" PRId64, side->sources[i].run_id);
        status = p11prof_run_set_add(db, word, runs, error);
        if (status == P11PROF_OK && row->name)
            status = find_kind(db, side->sources[i].run_id, row, error);
    }
    return status;
}

enum p11prof_status p11prof_run_row_select(struct sqlite3 *db, const char *text,
                                           struct p11prof_run_set *runs,
                                           struct p11prof_run_row *row, struct p11prof_error *error)
{
    struct p11prof_run_side side;
    enum p11prof_status status = p11prof_run_side_select(db, text, &side, error);
    *runs = (struct p11prof_run_set){.run_ids = NULL};
    *row = (struct p11prof_run_row){.name = NULL};
    if (status == P11PROF_OK)
        status = take_sources(db, &side, runs, row, error);
    p11prof_run_side_clear(&side);
    return status;
}

enum p11prof_status p11prof_run_row_filter(const struct p11prof_run_row *row,
                                           struct p11prof_selection *selection,
                                           struct p11prof_error *error)
{
    if (row->name && !p11prof_selection_add(selection, row->id, row->name))
        return p11prof_error_set(error, P11PROF_BAD_INPUT, "too many filters");
    return P11PROF_OK;
}

enum p11prof_status p11prof_run_row_select_one(struct sqlite3 *db, const char *text,
                                               int64_t *run_id, struct p11prof_run_row *row,
                                               struct p11prof_selection *selection,
                                               struct p11prof_error *error)
{
    struct p11prof_run_set runs;
    enum p11prof_status status = p11prof_run_row_select(db, text, &runs, row, error);
    if (status == P11PROF_OK && runs.run_count != 1)
        status =
            p11prof_error_set(error, P11PROF_BAD_INPUT,
                              "'%.200s' is %zu runs: this command takes one", text, runs.run_count);
    if (status == P11PROF_OK)
        status = p11prof_run_row_filter(row, selection, error);
    if (status == P11PROF_OK)
        *run_id = runs.run_ids[0];
    p11prof_run_set_clear(&runs);
    return status;
}

void p11prof_run_row_clear(struct p11prof_run_row *row)
{
    free(row->name);
    *row = (struct p11prof_run_row){.name = NULL};
}
