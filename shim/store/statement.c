/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Prepared statements, and what SQLite says when it fails. */
#include "store/internal.h"

#include <errno.h>

static bool disk_is_full(sqlite3 *sqlite, int code)
{
    int system = sqlite3_system_errno(sqlite);
    return code == SQLITE_FULL || sqlite3_extended_errcode(sqlite) == SQLITE_IOERR_SHMSIZE ||
           (code == SQLITE_IOERR && (system == ENOSPC || system == EDQUOT));
}

static const char *advice(int code)
{
    switch (code) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return "; another program is using it: try again";
    case SQLITE_CORRUPT:
        return "; the file is damaged: move it away, or save what is left with sqlite3's .recover";
    case SQLITE_NOTADB:
        return "; it is not p11prof's: choose another path";
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
        return "; check the permissions of the file and its folder";
    default:
        return "";
    }
}

static enum p11prof_status status_of(int code)
{
    switch (code) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_INTERRUPT:
        return P11PROF_BUSY;
    case SQLITE_NOTADB:
        return P11PROF_REFUSED;
    default:
        return P11PROF_FAILED;
    }
}

enum p11prof_status p11prof_store_failed(const struct p11prof_store *store, const char *what,
                                         struct p11prof_error *error)
{
    int code = sqlite3_errcode(store->sqlite) & 0xff;
    if (disk_is_full(store->sqlite, code)) {
        return p11prof_error_set(error, P11PROF_FAILED,
                                 "%s: cannot %s: the disk is full; make room and try again",
                                 store->path, what);
    }
    if (code == SQLITE_OK || code == SQLITE_ROW || code == SQLITE_DONE) {
        return p11prof_error_set(error, P11PROF_FAILED,
                                 "%s: cannot %s: the database is incomplete; move it away",
                                 store->path, what);
    }
    return p11prof_error_set(error, status_of(code), "%s: cannot %s: %s%s", store->path, what,
                             sqlite3_errmsg(store->sqlite), advice(code));
}

static int bind_value(sqlite3_stmt *statement, int index, const struct p11prof_value *value)
{
    switch (value->type) {
    case SQLITE_INTEGER:
        return sqlite3_bind_int64(statement, index, value->integer);
    case SQLITE_FLOAT:
        return sqlite3_bind_double(statement, index, value->real);
    case SQLITE_TEXT:
        return sqlite3_bind_text64(statement, index, value->data, value->data_bytes, SQLITE_STATIC,
                                   SQLITE_UTF8);
    case SQLITE_BLOB:
        return sqlite3_bind_blob64(statement, index, value->data, value->data_bytes, SQLITE_STATIC);
    default:
        return sqlite3_bind_null(statement, index);
    }
}

sqlite3_stmt *p11prof_store_bind(struct p11prof_store *store, enum p11prof_statement statement,
                                 const char *sql, const struct p11prof_value *values,
                                 size_t value_count)
{
    sqlite3_stmt **prepared = &store->statements[statement];
    if (!*prepared &&
        sqlite3_prepare_v3(store->sqlite, sql, -1, SQLITE_PREPARE_PERSISTENT, prepared, NULL)) {
        return NULL;
    }
    for (size_t index = 0; index < value_count; index++) {
        if (bind_value(*prepared, (int)index + 1, &values[index])) {
            return NULL;
        }
    }
    return *prepared;
}

enum p11prof_status p11prof_store_do(struct p11prof_store *store, enum p11prof_statement statement,
                                     const char *sql, const struct p11prof_value *values,
                                     size_t value_count, struct p11prof_error *error)
{
    return p11prof_store_get(store, statement, sql, values, value_count, NULL, 0, NULL, error);
}

enum p11prof_status p11prof_store_get(struct p11prof_store *store, enum p11prof_statement statement,
                                      const char *sql, const struct p11prof_value *values,
                                      size_t value_count, int64_t *columns, int column_count,
                                      bool *found, struct p11prof_error *error)
{
    sqlite3_stmt *prepared = p11prof_store_bind(store, statement, sql, values, value_count);
    int code = prepared ? sqlite3_step(prepared) : SQLITE_ERROR;
    if (code == SQLITE_ROW) {
        for (int column = 0; column < column_count; column++) {
            columns[column] = sqlite3_column_int64(prepared, column);
        }
    }
    if (found) {
        *found = code == SQLITE_ROW;
    }
    if (code == SQLITE_ROW || code == SQLITE_DONE) {
        sqlite3_reset(prepared);
        return P11PROF_OK;
    }
    enum p11prof_status status = p11prof_store_failed(store, "write", error);
    sqlite3_reset(prepared);
    return status;
}

enum p11prof_status p11prof_store_script(struct p11prof_store *store, const char *sql,
                                         const char *what, struct p11prof_error *error)
{
    if (sqlite3_exec(store->sqlite, sql, NULL, NULL, NULL)) {
        return p11prof_store_failed(store, what, error);
    }
    return P11PROF_OK;
}

enum p11prof_status p11prof_store_number(struct p11prof_store *store, const char *sql,
                                         int64_t *number, struct p11prof_error *error)
{
    sqlite3_stmt *statement = NULL;
    enum p11prof_status status = P11PROF_OK;
    if (sqlite3_prepare_v2(store->sqlite, sql, -1, &statement, NULL) ||
        sqlite3_step(statement) != SQLITE_ROW) {
        status = p11prof_store_failed(store, "read", error);
    } else {
        *number = sqlite3_column_int64(statement, 0);
    }
    sqlite3_finalize(statement);
    return status;
}

void p11prof_store_finalize(struct p11prof_store *store)
{
    for (int statement = 0; statement < P11PROF_STATEMENTS; statement++) {
        sqlite3_finalize(store->statements[statement]);
        store->statements[statement] = NULL;
    }
}
