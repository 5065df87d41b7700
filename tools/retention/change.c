/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "change.h"
#include "report/query.h"

#include <sqlite3.h>
#include <time.h>

enum { WAIT_MS = 5000, TURN_MS = 100, PAUSE_MS = 5 };

#define ADD(column) P11PROF_CHANGE_ADD(column) ", "
#define END(f, column)                                                                             \
    column " = " f "(coalesce(" column ", excluded." column "), coalesce(excluded." column         \
           ", " column ")), "

const char p11prof_change_sums[] =
    ADD("count") ADD("success_count") ADD("error_count") ADD("undisclosed_count") ADD("sum_ns")
        ADD("error_sum_ns") ADD("in_bytes") ADD("out_bytes") END("min", "min_ns")
            END("max", "max_ns") "sum_squares = sum_squares + excluded.sum_squares";

static void bind(sqlite3_stmt *statement, const int64_t *values, size_t value_count)
{
    for (size_t i = 0; i < value_count; i++)
        sqlite3_bind_int64(statement, (int)i + 1, values[i]);
}

static enum p11prof_status prepare(struct sqlite3 *db, const char *sql, const int64_t *values,
                                   size_t value_count, sqlite3_stmt **out,
                                   struct p11prof_error *error)
{
    if (p11prof_query_prepare(db, sql, 0, out, error) != P11PROF_OK)
        return error->status;
    bind(*out, values, value_count);
    return P11PROF_OK;
}

enum p11prof_status p11prof_change(struct sqlite3 *db, const char *sql, const int64_t *values,
                                   size_t value_count, uint64_t *changes,
                                   struct p11prof_error *error)
{
    sqlite3_stmt *statement;
    if (prepare(db, sql, values, value_count, &statement, error) != P11PROF_OK)
        return error->status;
    int result = sqlite3_step(statement);
    if (changes)
        *changes = (uint64_t)sqlite3_changes64(db);
    return p11prof_query_end(statement, result, error);
}

enum p11prof_status p11prof_change_again(struct sqlite3_stmt *statement, const int64_t *values,
                                         size_t value_count, struct p11prof_error *error)
{
    bind(statement, values, value_count);
    int result = sqlite3_step(statement);
    sqlite3_reset(statement);
    if (result == SQLITE_DONE)
        return P11PROF_OK;
    return p11prof_error_set(error, P11PROF_FAILED, "the database cannot be changed: %s",
                             sqlite3_errmsg(sqlite3_db_handle(statement)));
}

enum p11prof_status p11prof_look(struct sqlite3 *db, const char *sql, const int64_t *values,
                                 size_t value_count, int64_t *columns, int column_count,
                                 bool *found, struct p11prof_error *error)
{
    sqlite3_stmt *statement;
    if (prepare(db, sql, values, value_count, &statement, error) != P11PROF_OK)
        return error->status;
    int result = sqlite3_step(statement);
    *found = result == SQLITE_ROW;
    for (int i = 0; i < column_count; i++)
        columns[i] = *found ? sqlite3_column_int64(statement, i) : 0;
    return p11prof_query_end(statement, result, error);
}

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

enum p11prof_status p11prof_turns_next(struct p11prof_turns *turns, struct p11prof_error *error)
{
    if (turns->open && now_ns() - turns->start_ns < (uint64_t)TURN_MS * 1000000)
        return P11PROF_OK;
    if (turns->open) {
        if (p11prof_turns_end(turns, P11PROF_OK, error) != P11PROF_OK)
            return error->status;
        nanosleep(&(struct timespec){.tv_nsec = PAUSE_MS * 1000000}, NULL);
    }
    enum p11prof_status status = p11prof_store_begin(turns->store, WAIT_MS, error);
    turns->open = status == P11PROF_OK;
    turns->start_ns = now_ns();
    return status;
}

enum p11prof_status p11prof_turns_end(struct p11prof_turns *turns, enum p11prof_status status,
                                      struct p11prof_error *error)
{
    bool open = turns->open;
    turns->open = false;
    if (!open)
        return status;
    if (status == P11PROF_OK)
        return p11prof_store_commit(turns->store, error);
    p11prof_store_rollback(turns->store);
    return status;
}
