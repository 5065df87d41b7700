/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* p11prof sql: a query, or the sqlite3 shell on the database. Both only read. */
#include "commands.h"
#include "common_options.h"
#include "message.h"
#include "report/nearest.h"
#include "report/query.h"
#include "report/writer.h"

#include <errno.h>
#include <sqlite3.h>
#include <string.h>
#include <unistd.h>

/* Rows that text takes its widths from, and that are in memory at once. */
enum { ROWS_AT_ONCE = 1000 };

static const struct p11prof_option options[] = {
    P11PROF_OPTION_FORMAT,
    P11PROF_OPTION_DB,
    P11PROF_OPTION_NO_COLLECT,
    {.name = NULL},
};

static const struct p11prof_usage usage = {
    .command = "sql",
    .arguments = "[QUERY]",
    .summary = "Answers a query of SQL; without one it starts the sqlite3 shell.",
    .options = options,
    .notes =
        "The database is only read. Its views are runs, processes, calls, operations, windows,\n"
        "histogram, run_histogram, function_stats, operation_stats, errors, sessions, losses and\n"
        "in_flight; all durations are in ns.\n\n"
        "  p11prof sql \"SELECT function, count, p99_ns FROM function_stats WHERE run_id = 1\"\n"
        "  p11prof sql --format csv \"SELECT * FROM calls WHERE run_id = 1\" > calls.csv",
};

static bool take_option(void *payload, int id, const char *value)
{
    return p11prof_common_option(payload, id, value);
}

/* "no such table: run_s" is most often a view's name gone wrong. */
static const char *nearest_view(sqlite3 *db, struct p11prof_table *views, const char *problem)
{
    static const char prefix[] = "no such table: ";
    struct p11prof_error error;
    const char *names[64];
    size_t count = 0;
    if (strncmp(problem, prefix, sizeof prefix - 1) != 0 ||
        p11prof_query_table(db, "SELECT name FROM sqlite_schema WHERE type = 'view'", 0, views,
                            &error) != P11PROF_OK)
        return NULL;
    for (; count < views->row_count && count < sizeof names / sizeof names[0]; count++)
        names[count] = p11prof_table_text(views, count, "name", "");
    return p11prof_nearest(problem + sizeof prefix - 1, names, count);
}

static int complain_sql(sqlite3 *db)
{
    struct p11prof_table views = {.columns = NULL};
    char problem[512];
    bool wrong_query = sqlite3_errcode(db) == SQLITE_ERROR;
    snprintf(problem, sizeof problem, "%s", sqlite3_errmsg(db));
    const char *view = nearest_view(db, &views, problem);
    if (view)
        p11prof_complain(0, "%s: did you mean the view '%s'?", problem, view);
    else
        p11prof_complain(0, "%s", problem);
    p11prof_table_clear(&views);
    return wrong_query ? P11PROF_EXIT_USAGE : P11PROF_EXIT_FAILED;
}

static int write_rows(sqlite3 *db, sqlite3_stmt *statement, enum p11prof_format format)
{
    struct p11prof_writer writer = {
        .stream = stdout, .format = format, .width_limit = p11prof_terminal_width(stdout)};
    struct p11prof_table rows = {.columns = NULL};
    int result;
    p11prof_table_statement_columns(&rows, statement, true);
    while ((result = sqlite3_step(statement)) == SQLITE_ROW) {
        p11prof_table_statement_row(&rows, statement);
        if (rows.row_count == ROWS_AT_ONCE) {
            p11prof_writer_rows(&writer, &rows);
            p11prof_table_clear_rows(&rows);
        }
    }
    p11prof_writer_rows(&writer, &rows);
    p11prof_writer_end(&writer, &rows);
    p11prof_table_clear(&rows);
    return result == SQLITE_DONE ? P11PROF_EXIT_DONE : complain_sql(db);
}

/* Whether something but blanks and comments follows the statement. */
static bool has_more(sqlite3 *db, const char *tail)
{
    sqlite3_stmt *next = NULL;
    bool more = sqlite3_prepare_v2(db, tail, -1, &next, NULL) != SQLITE_OK || next;
    sqlite3_finalize(next);
    return more;
}

static int answer(sqlite3 *db, const char *query, enum p11prof_format format)
{
    sqlite3_stmt *statement;
    const char *tail;
    int code;
    if (sqlite3_prepare_v2(db, query, -1, &statement, &tail) != SQLITE_OK)
        return complain_sql(db);
    if (!statement)
        code = p11prof_complain(P11PROF_EXIT_USAGE, "the query is empty");
    else if (has_more(db, tail))
        code = p11prof_complain(P11PROF_EXIT_USAGE, "more than one statement: sql takes one");
    else if (!sqlite3_stmt_readonly(statement))
        code = p11prof_complain(P11PROF_EXIT_USAGE,
                                "sql only reads, and this statement writes: use the sqlite3 shell "
                                "on a copy of the database");
    else
        code = write_rows(db, statement, format);
    sqlite3_finalize(statement);
    return code;
}

static int start_shell(const struct p11prof_database *database)
{
    char path[P11PROF_PATH_BYTES + 2];
    snprintf(path, sizeof path, "%s%s", database->path[0] == '-' ? "./" : "", database->path);
    execlp("sqlite3", "sqlite3", "-readonly", "-header", "-column", path, (char *)NULL);
    if (errno == ENOENT)
        return p11prof_complain(P11PROF_EXIT_FAILED,
                                "the sqlite3 shell is not installed: 'apt install sqlite3', or "
                                "give a query");
    return p11prof_complain(P11PROF_EXIT_FAILED, "sqlite3 cannot be started: %s", strerror(errno));
}

int p11prof_command_sql(int argc, char **argv)
{
    struct p11prof_common_options settings = {.format = P11PROF_FORMAT_TEXT};
    struct p11prof_database database;
    int first, code;
    if (!p11prof_options_read(&usage, argc, argv, take_option, &settings, &first, &code))
        return code;
    if (argc - first > 1) {
        p11prof_complain(0, "sql takes one query: put it in quotes");
        return p11prof_usage_hint(&usage);
    }
    code = p11prof_database_open(&database, &settings.database);
    if (code != P11PROF_EXIT_DONE)
        return code;
    if (first < argc)
        code = answer(p11prof_store_sqlite(database.store), argv[first], settings.format);
    p11prof_database_close(&database);
    return first < argc ? code : start_shell(&database);
}
