/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "query.h"

#include <sqlite3.h>

static enum p11prof_status failed(struct sqlite3 *db, struct p11prof_error *error)
{
    const char *path = sqlite3_db_filename(db, "main");
    return p11prof_error_set(error, P11PROF_FAILED, "%.256s: %.200s", path ? path : "",
                             sqlite3_errmsg(db));
}

enum p11prof_status p11prof_query_prepare(struct sqlite3 *db, const char *sql, int64_t run_id,
                                          struct sqlite3_stmt **out, struct p11prof_error *error)
{
    if (sqlite3_prepare_v2(db, sql, -1, out, NULL) != SQLITE_OK)
        return failed(db, error);
    if (sqlite3_bind_parameter_count(*out) > 0)
        sqlite3_bind_int64(*out, 1, run_id);
    return P11PROF_OK;
}

enum p11prof_status p11prof_query_end(struct sqlite3_stmt *statement, int result,
                                      struct p11prof_error *error)
{
    enum p11prof_status status = P11PROF_OK;
    if (result != SQLITE_DONE && result != SQLITE_ROW)
        status = failed(sqlite3_db_handle(statement), error);
    sqlite3_finalize(statement);
    return status;
}

enum p11prof_status p11prof_query_table(struct sqlite3 *db, const char *sql, int64_t run_id,
                                        struct p11prof_table *out, struct p11prof_error *error)
{
    struct sqlite3_stmt *statement;
    int result;
    if (p11prof_query_prepare(db, sql, run_id, &statement, error) != P11PROF_OK)
        return error->status;
    if (out->column_count == 0)
        p11prof_table_statement_columns(out, statement, false);
    while ((result = sqlite3_step(statement)) == SQLITE_ROW)
        p11prof_table_statement_row(out, statement);
    return p11prof_query_end(statement, result, error);
}

enum p11prof_status p11prof_query_integer(struct sqlite3 *db, const char *sql, int64_t run_id,
                                          int64_t otherwise, int64_t *out,
                                          struct p11prof_error *error)
{
    struct sqlite3_stmt *statement;
    *out = otherwise;
    if (p11prof_query_prepare(db, sql, run_id, &statement, error) != P11PROF_OK)
        return error->status;
    int result = sqlite3_step(statement);
    if (result == SQLITE_ROW && sqlite3_column_type(statement, 0) == SQLITE_INTEGER)
        *out = sqlite3_column_int64(statement, 0);
    return p11prof_query_end(statement, result, error);
}

const char *p11prof_query_text(struct sqlite3_stmt *row, int column)
{
    const char *text = (const char *)sqlite3_column_text(row, column);
    return text ? text : "";
}
