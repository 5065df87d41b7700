/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "startup.h"
#include "p11prof/batch.h"
#include "p11prof/calls.h"
#include "query.h"

#include <sqlite3.h>

/* The rows of prunes and of summaries are gone, and with them the start. */
static const char processes_sql[] =
    "SELECT p.id AS process_id, p.program FROM process AS p WHERE p.run = ?1 AND p.call_count > 0 "
    "AND p.call_count = (SELECT sum(s.last_call - s.first_call + 1) FROM segment AS s "
    "WHERE s.run = p.run AND s.process = p.id) ORDER BY p.id";

static const char calls_sql[] =
    "SELECT c.function, c.kind, c.flags & 1, c.start_ns, c.duration_ns FROM segment AS s "
    "CROSS JOIN call AS c ON c.id BETWEEN s.first_call AND s.last_call "
    "WHERE s.run = ?1 AND s.process = ?2 ORDER BY s.first_call, c.id LIMIT ?3";

struct startup {
    int64_t call_count, total_ns, first_ns, last_ns;
    bool untimed;
    unsigned function; /* that ended it; P11PROF_NO_FUNCTION: none did */
    int64_t function_ns[P11PROF_CALLS + 1];
};

static bool ends_startup(unsigned function)
{
    switch (p11prof_calls[function].operation) {
    case P11PROF_OPERATION_NONE:
    case P11PROF_OPERATION_FIND:
    case P11PROF_OPERATION_SEED_RANDOM:
    case P11PROF_OPERATION_GENERATE_RANDOM:
        return false;
    default:
        return true;
    }
}

/* Whether the start-up goes on behind that call. */
static bool take_call(struct startup *startup, struct sqlite3_stmt *row)
{
    int64_t function = sqlite3_column_int64(row, 0), start_ns = sqlite3_column_int64(row, 3);
    bool known = function > 0 && function <= P11PROF_CALLS;
    if (startup->first_ns < 0 || start_ns < startup->first_ns)
        startup->first_ns = start_ns;
    startup->untimed |= sqlite3_column_int64(row, 4) < 0;
    if (known && ends_startup((unsigned)function)) {
        startup->function = (unsigned)function;
        startup->last_ns = start_ns;
        return false;
    }
    startup->call_count++;
    if (!startup->untimed && sqlite3_column_int(row, 1) != P11PROF_KIND_BLOCKING &&
        !sqlite3_column_int(row, 2)) {
        startup->total_ns += sqlite3_column_int64(row, 4);
        startup->function_ns[known ? function : 0] += sqlite3_column_int64(row, 4);
    }
    return true;
}

static enum p11prof_status walk(struct startup *startup, struct sqlite3 *db, int64_t run_id,
                                int64_t process_id, int64_t *rows_left, struct p11prof_error *error)
{
    struct sqlite3_stmt *calls;
    int result;
    if (p11prof_query_prepare(db, calls_sql, run_id, &calls, error) != P11PROF_OK)
        return error->status;
    sqlite3_bind_int64(calls, 2, process_id);
    sqlite3_bind_int64(calls, 3, P11PROF_STARTUP_ROWS_MAX);
    while ((result = sqlite3_step(calls)) == SQLITE_ROW && take_call(startup, calls))
        --*rows_left;
    return p11prof_query_end(calls, result, error);
}

static unsigned costliest(const struct startup *startup)
{
    unsigned found = P11PROF_NO_FUNCTION;
    for (unsigned i = 1; i <= P11PROF_CALLS; i++)
        if (startup->function_ns[i] > startup->function_ns[found])
            found = i;
    return found;
}

static void add_row(struct p11prof_table *out, const struct startup *startup, int64_t run_id,
                    int64_t process_id, const char *program)
{
    struct p11prof_cell *row = p11prof_table_add_row(out);
    unsigned function = costliest(startup);
    p11prof_table_set_integer(out, row, "run_id", run_id);
    p11prof_table_set_integer(out, row, "process_id", process_id);
    p11prof_table_set_text(out, row, "program", program);
    p11prof_table_set_integer(out, row, "elapsed_ns", startup->last_ns - startup->first_ns);
    p11prof_table_set_integer(out, row, "call_count", startup->call_count);
    p11prof_table_set_text(out, row, "function", p11prof_calls[startup->function].name);
    if (startup->untimed)
        return;
    p11prof_table_set_integer(out, row, "total_ns", startup->total_ns);
    if (function == P11PROF_NO_FUNCTION)
        return;
    p11prof_table_set_text(out, row, "costliest", p11prof_calls[function].name);
    p11prof_table_set_integer(out, row, "costliest_ns", startup->function_ns[function]);
}

enum p11prof_status p11prof_startup_load(struct p11prof_table *out, struct sqlite3 *db,
                                         int64_t run_id, struct p11prof_error *error)
{
    struct p11prof_table processes = {.columns = NULL};
    int64_t rows_left = P11PROF_STARTUP_ROWS_MAX_RUN;
    if (out->column_count == 0)
        p11prof_table_add_columns(out, P11PROF_STARTUP_COLUMNS);
    enum p11prof_status status = p11prof_query_table(db, processes_sql, run_id, &processes, error);
    for (size_t i = 0; i < processes.row_count && rows_left > 0 && status == P11PROF_OK; i++) {
        struct startup startup = {.first_ns = -1};
        int64_t process_id = p11prof_table_integer(&processes, i, "process_id", 0);
        status = walk(&startup, db, run_id, process_id, &rows_left, error);
        if (status == P11PROF_OK && startup.function != P11PROF_NO_FUNCTION)
            add_row(out, &startup, run_id, process_id,
                    p11prof_table_text(&processes, i, "program", NULL));
    }
    p11prof_table_clear(&processes);
    return status;
}
