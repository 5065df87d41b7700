/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Rows of calls: one INSERT … SELECT from a virtual table over the batch, twice as fast as a loop
 * of bind, step and reset. */
#include "store/internal.h"

enum { STOP_CHECK_ROWS = 256 };

/* The columns of table `call` but its id, which the database gives. */
#define COLUMNS                                                                                    \
    "start_ns, duration_ns, function, operation, operation_duration_ns, kind, "                    \
    "flags, thread_id, rv, session, mechanism, key_type, key_bits, key_id, "                       \
    "in_bytes, out_bytes, caller, slot_id, operation_call_count, "                                 \
    "operation_start_ns, operation_in_bytes, operation_out_bytes, part, intended_start_ns, "       \
    "item_count, detail"

enum column {
    START_NS,
    DURATION_NS,
    FUNCTION,
    OPERATION,
    OPERATION_DURATION_NS,
    KIND,
    FLAGS,
    THREAD_ID,
    RV,
    SESSION,
    MECHANISM,
    KEY_TYPE,
    KEY_BITS,
    KEY_ID,
    IN_BYTES,
    OUT_BYTES,
    CALLER,
    SLOT_ID,
    OPERATION_CALL_COUNT,
    OPERATION_START_NS,
    OPERATION_IN_BYTES,
    OPERATION_OUT_BYTES,
    PART,
    INTENDED_START_NS,
    ITEM_COUNT,
    DETAIL,
};

struct table {
    sqlite3_vtab base;
    struct p11prof_store *store;
};

struct cursor {
    sqlite3_vtab_cursor base;
    const struct p11prof_row *row, *end;
    const struct p11prof_store *store;
    unsigned until_check;
};

static int connect(sqlite3 *sqlite, void *store, int argc, const char *const *argv,
                   sqlite3_vtab **out, char **message)
{
    (void)argc, (void)argv, (void)message;
    struct table *table = sqlite3_malloc(sizeof *table);
    if (!table) {
        return SQLITE_NOMEM;
    }
    *table = (struct table){.store = store};
    *out = &table->base;
    sqlite3_vtab_config(sqlite, SQLITE_VTAB_DIRECTONLY);
    return sqlite3_declare_vtab(sqlite, "CREATE TABLE p11prof_rows (" COLUMNS ")");
}

static int disconnect(sqlite3_vtab *table)
{
    sqlite3_free(table);
    return SQLITE_OK;
}

static int best_index(sqlite3_vtab *table, sqlite3_index_info *info)
{
    (void)table;
    info->estimatedCost = 1;
    return SQLITE_OK;
}

static int open_cursor(sqlite3_vtab *table, sqlite3_vtab_cursor **out)
{
    struct cursor *cursor = sqlite3_malloc(sizeof *cursor);
    if (!cursor) {
        return SQLITE_NOMEM;
    }
    *cursor = (struct cursor){.store = ((struct table *)table)->store};
    *out = &cursor->base;
    return SQLITE_OK;
}

static int close_cursor(sqlite3_vtab_cursor *cursor)
{
    sqlite3_free(cursor);
    return SQLITE_OK;
}

static int filter(sqlite3_vtab_cursor *base, int index, const char *text, int argc,
                  sqlite3_value **argv)
{
    (void)index, (void)text, (void)argc, (void)argv;
    struct cursor *cursor = (struct cursor *)base;
    cursor->row = cursor->store->rows;
    cursor->end = cursor->row + cursor->store->row_count;
    cursor->until_check = STOP_CHECK_ROWS;
    return p11prof_store_stopped(cursor->store) ? SQLITE_INTERRUPT : SQLITE_OK;
}

static int next(sqlite3_vtab_cursor *base)
{
    struct cursor *cursor = (struct cursor *)base;
    cursor->row++;
    if (--cursor->until_check == 0) {
        cursor->until_check = STOP_CHECK_ROWS;
        return p11prof_store_stopped(cursor->store) ? SQLITE_INTERRUPT : SQLITE_OK;
    }
    return SQLITE_OK;
}

static int eof(sqlite3_vtab_cursor *base)
{
    const struct cursor *cursor = (const struct cursor *)base;
    return cursor->row == cursor->end;
}

static int rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *out)
{
    const struct cursor *cursor = (const struct cursor *)base;
    *out = cursor->row - cursor->store->rows;
    return SQLITE_OK;
}

/* A result that is not set is NULL. */
static void give(sqlite3_context *result, bool known, uint64_t value)
{
    if (known) {
        sqlite3_result_int64(result, (sqlite3_int64)value);
    }
}

/* A time past the signed range saturates. */
static void give_time(sqlite3_context *result, uint64_t ns)
{
    give(result, true, ns > INT64_MAX ? INT64_MAX : ns);
}

static void give_bytes(sqlite3_context *result, bool known, uint64_t value)
{
    give(result, known && value != UINT64_MAX, value);
}

static bool has(const struct p11prof_row *row, uint32_t column)
{
    return row->known & column;
}

/* Whether the row's operation is more than its call: else its columns say the same, and stay
 * NULL. */
static bool has_parts(const struct p11prof_row *row)
{
    return has(row, P11PROF_ROW_OPERATION) &&
           (row->operation_call_count > 1 ||
            has(row, P11PROF_ROW_OPERATION_IN) != has(row, P11PROF_ROW_IN_BYTES) ||
            has(row, P11PROF_ROW_OPERATION_OUT) != has(row, P11PROF_ROW_OUT_BYTES));
}

static void operation_column(sqlite3_context *result, const struct p11prof_row *row, int column)
{
    if (!has_parts(row)) {
        return;
    }
    switch (column) {
    case OPERATION_CALL_COUNT:
        return give(result, true, row->operation_call_count);
    case OPERATION_START_NS:
        return give_time(result, row->operation_start_ns);
    case OPERATION_DURATION_NS:
        return has(row, P11PROF_ROW_UNTIMED) ? (void)0
                                             : give_time(result, row->operation_duration_ns);
    case OPERATION_IN_BYTES:
        return give_bytes(result, has(row, P11PROF_ROW_OPERATION_IN), row->operation_in_bytes);
    case OPERATION_OUT_BYTES:
        return give_bytes(result, has(row, P11PROF_ROW_OPERATION_OUT), row->operation_out_bytes);
    }
}

static void call_column(sqlite3_context *result, const struct p11prof_row *row, int column)
{
    switch (column) {
    case START_NS:
        return give_time(result, row->start_ns);
    case DURATION_NS:
        return has(row, P11PROF_ROW_UNTIMED) ? sqlite3_result_int64(result, -1)
                                             : give_time(result, row->duration_ns);
    case FUNCTION:
        return give(result, true, row->function);
    case KIND:
        return give(result, true, row->kind);
    case FLAGS:
        return give(result, true, row->flags);
    case THREAD_ID:
        return give(result, true, row->thread_id);
    case RV:
        return give(result, has(row, P11PROF_ROW_RV), row->rv);
    case SESSION:
        return give(result, has(row, P11PROF_ROW_SESSION), row->session);
    case MECHANISM:
        return give(result, has(row, P11PROF_ROW_MECHANISM), row->mechanism);
    case KEY_TYPE:
        return give(result, has(row, P11PROF_ROW_KEY_TYPE), row->key_type);
    case KEY_BITS:
        return give(result, has(row, P11PROF_ROW_KEY_BITS), row->key_bits);
    case KEY_ID:
        return give(result, has(row, P11PROF_ROW_KEY), row->key_id);
    case IN_BYTES:
        return give_bytes(result, has(row, P11PROF_ROW_IN_BYTES), row->in_bytes);
    case OUT_BYTES:
        return give_bytes(result, has(row, P11PROF_ROW_OUT_BYTES), row->out_bytes);
    case CALLER:
        return give(result, has(row, P11PROF_ROW_CALLER), row->caller_id);
    case SLOT_ID:
        return give(result, has(row, P11PROF_ROW_SLOT), row->slot_id);
    case OPERATION:
        return give(result, has(row, P11PROF_ROW_OPERATION), row->operation);
    }
}

/* What few rows have. */
static void rare_column(sqlite3_context *result, const struct p11prof_row *row, int column)
{
    switch (column) {
    case PART:
        return give(result, row->part != 0, row->part);
    case INTENDED_START_NS:
        return has(row, P11PROF_ROW_INTENDED) ? give_time(result, row->intended_start_ns) : (void)0;
    case ITEM_COUNT:
        return give_bytes(result, has(row, P11PROF_ROW_ITEM_COUNT), row->item_count);
    case DETAIL:
        return give(result, has(row, P11PROF_ROW_DETAIL), row->detail);
    }
}

static int column(sqlite3_vtab_cursor *base, sqlite3_context *result, int number)
{
    const struct p11prof_row *row = ((const struct cursor *)base)->row;
    if (number >= PART) {
        rare_column(result, row, number);
    } else if (number == OPERATION_DURATION_NS || number > SLOT_ID) {
        operation_column(result, row, number);
    } else {
        call_column(result, row, number);
    }
    return SQLITE_OK;
}

enum p11prof_status p11prof_store_rows_module(struct p11prof_store *store,
                                              struct p11prof_error *error)
{
    static const sqlite3_module module = {
        .xConnect = connect, /* no xCreate: the table exists by itself and nowhere on disk */
        .xBestIndex = best_index,
        .xDisconnect = disconnect,
        .xOpen = open_cursor,
        .xClose = close_cursor,
        .xFilter = filter,
        .xNext = next,
        .xEof = eof,
        .xColumn = column,
        .xRowid = rowid,
    };
    if (sqlite3_create_module(store->sqlite, "p11prof_rows", &module, store)) {
        return p11prof_store_failed(store, "open", error);
    }
    return P11PROF_OK;
}

/* Says whose the rows are; goes on with the last segment where nobody wrote in between. */
static enum p11prof_status write_segment(struct p11prof_store *store,
                                         const struct p11prof_process_rows *process, int64_t first,
                                         int64_t last, struct p11prof_error *error)
{
    enum p11prof_status status = p11prof_store_do(
        store, P11PROF_SQL_SEGMENT_EXTEND,
        "UPDATE segment SET last_call = ?2 WHERE first_call = (SELECT max(first_call) FROM segment)"
        " AND process = ?3 AND last_call = ?1 - 1",
        P11PROF_VALUES(p11prof_integer(first), p11prof_integer(last),
                       p11prof_integer(process->process_id)),
        error);
    if (status || sqlite3_changes(store->sqlite)) {
        return status;
    }
    return p11prof_store_do(
        store, P11PROF_SQL_SEGMENT_ADD,
        "INSERT INTO segment (first_call, last_call, run, process) VALUES (?1, ?2, ?3, ?4)",
        P11PROF_VALUES(p11prof_integer(first), p11prof_integer(last),
                       p11prof_integer(process->run_id), p11prof_integer(process->process_id)),
        error);
}

enum p11prof_status p11prof_store_write_rows(struct p11prof_store *store,
                                             const struct p11prof_process_rows *process,
                                             const struct p11prof_batch *batch,
                                             struct p11prof_error *error)
{
    if (batch->row_count == 0) {
        return P11PROF_OK;
    }
    store->rows = batch->rows;
    store->row_count = batch->row_count;
    /* All columns in the table's order: SQLite then builds each row where the SELECT puts it. */
    enum p11prof_status status = p11prof_store_do(store, P11PROF_SQL_ROWS,
                                                  "INSERT INTO call (id, " COLUMNS
                                                  ") SELECT NULL, " COLUMNS " FROM p11prof_rows",
                                                  NULL, 0, error);
    store->row_count = 0;
    if (status) {
        return status;
    }
    int64_t last = sqlite3_last_insert_rowid(store->sqlite);
    return write_segment(store, process, last - (int64_t)batch->row_count + 1, last, error);
}
