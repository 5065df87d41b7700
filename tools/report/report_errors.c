/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "p11prof/calls.h"
#include "query.h"
#include "report_parts.h"
#include "rv_meaning.h"
#include "stats_table.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

/* The number of a result that the views show as `name`: one without a name is its number. */
static enum p11prof_status find_code(struct sqlite3 *db, const char *name, int64_t *code,
                                     struct p11prof_error *error)
{
    sqlite3_stmt *statement;
    if (p11prof_query_prepare(db, "SELECT code FROM rv_name WHERE name = ?1", 0, &statement,
                              error) != P11PROF_OK)
        return error->status;
    sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
    int result = sqlite3_step(statement);
    *code = result == SQLITE_ROW ? sqlite3_column_int64(statement, 0)
                                 : (int64_t)strtoull(name, NULL, 16);
    return p11prof_query_end(statement, result, error);
}

static enum p11prof_status set_codes(const struct p11prof_table *errors, struct sqlite3 *db,
                                     struct p11prof_error *error)
{
    for (size_t i = 0; i < errors->row_count; i++) {
        int64_t code = 0;
        if (find_code(db, p11prof_table_text(errors, i, "rv", ""), &code, error) != P11PROF_OK)
            return error->status;
        p11prof_table_set_integer(errors, p11prof_table_row(errors, i), "rv_code", code);
    }
    return P11PROF_OK;
}

enum p11prof_status p11prof_report_errors_select(struct p11prof_run_report *report,
                                                 struct sqlite3 *db,
                                                 const struct p11prof_run_set *runs,
                                                 const struct p11prof_report_options *options,
                                                 struct p11prof_error *error)
{
    static const struct p11prof_grouping by_result = {{P11PROF_BY_FUNCTION, P11PROF_BY_RV}, 2};
    struct p11prof_selection selection = options->selection;
    struct p11prof_scan scan = {.selection = &selection, .calls.grouping = by_result};
    struct p11prof_table found = {.columns = NULL}, none = {.columns = NULL};
    p11prof_table_clear(&report->errors);
    p11prof_table_add_columns(&report->errors, P11PROF_ERROR_COLUMNS);
    if (!report->exact || !p11prof_selection_add(&selection, P11PROF_BY_RV, "failed"))
        return P11PROF_OK;
    enum p11prof_status status =
        p11prof_scan_runs(&scan, db, runs->run_ids, runs->run_count, error);
    if (status == P11PROF_OK)
        status = p11prof_stats_tables(&scan, runs->run_count == 1 ? runs->run_ids[0] : -1, db,
                                      &found, &none, error);
    for (size_t i = 0; i < found.row_count && status == P11PROF_OK; i++)
        p11prof_table_copy_row(&report->errors, p11prof_table_add_row(&report->errors), &found, i);
    if (status == P11PROF_OK)
        status = set_codes(&report->errors, db, error);
    p11prof_table_clear(&found);
    p11prof_table_clear(&none);
    p11prof_scan_clear(&scan);
    return status;
}

void p11prof_report_errors_explain(struct p11prof_run_report *report)
{
    const struct p11prof_table *errors = &report->errors;
    for (size_t i = 0; i < errors->row_count; i++) {
        unsigned function = p11prof_function_named(p11prof_table_text(errors, i, "function", ""));
        uint64_t rv = (uint64_t)p11prof_table_integer(errors, i, "rv_code", 0);
        p11prof_table_set_text(errors, p11prof_table_row(errors, i), "meaning",
                               p11prof_rv_meaning(function, rv).sentence);
    }
}
