/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* p11prof sql: a query, one of the ready ones, or the sqlite3 shell on the database. All only read.
 */
#include "commands.h"
#include "common_options.h"
#include "message.h"
#include "report/allocate.h"
#include "report/nearest.h"
#include "report/query.h"
#include "report/writer.h"
#include "run_select.h"
#include "sql/functions.h"
#include "sql/ready.h"
#include "sql/shell.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

/* Rows that text takes its widths from, and that are in memory at once. */
enum { ROWS_AT_ONCE = 1000 };

enum { OPTION_RUN = 'r', OPTION_LIST = 'l' };

static const struct p11prof_option options[] = {
    {"run", OPTION_RUN, "RUN", "the run that a query calls :run (default: last)",
     P11PROF_VALUE_RUN},
    {"list", OPTION_LIST, NULL, "list the ready queries"},
    P11PROF_OPTION_FORMAT,
    P11PROF_OPTION_DB,
    P11PROF_OPTION_NO_COLLECT,
    {.name = NULL},
};

static const struct p11prof_usage usage = {
    .command = "sql",
    .arguments = "[QUERY | @NAME]",
    .summary = "Answers a query of SQL, your own or a ready one; without one it starts the sqlite3 "
               "shell.",
    .options = options,
    .notes = "  p11prof sql \"SELECT function, count, p99_ns FROM function_stats\"\n"
             "  p11prof sql \"SELECT duration(percentile(duration_ns, 99.9)) FROM calls\n"
             "    WHERE run_id = :run AND function = 'C_Sign'\" --run last\n"
             "  p11prof sql --format csv \"SELECT * FROM calls WHERE run_id = 1\" > calls.csv\n"
             "  p11prof sql @slowest-calls --run last~1",
    .kind = P11PROF_VALUE_QUERY,
};

struct settings {
    struct p11prof_common_options common;
    const char *run; /* NULL: not given */
    bool list;
    const char *query; /* NULL: the shell */
    bool ready;        /* query is one of ours: text shows quantities as reports do */
};

static bool take_option(void *payload, int id, const char *value)
{
    struct settings *settings = payload;
    if (id == OPTION_RUN)
        settings->run = value;
    else if (id == OPTION_LIST)
        settings->list = true;
    else
        return p11prof_common_option(&settings->common, id, value);
    return true;
}

/* What SQLite does not find is most often a name gone wrong. */
static const struct nameless {
    const char *problem, *names, *what;
} nameless[] = {
    {"no such table: ", "SELECT name FROM sqlite_schema WHERE type = 'view'", "view"},
    {"no such column: ",
     "SELECT DISTINCT c.name FROM sqlite_schema AS v, pragma_table_info(v.name) AS c "
     "WHERE v.type = 'view'",
     "column"},
    {"no such function: ", "SELECT DISTINCT name FROM pragma_function_list", "function"},
};

static const struct nameless *find_nameless(const char *problem)
{
    for (size_t i = 0; i < sizeof nameless / sizeof nameless[0]; i++)
        if (strncmp(problem, nameless[i].problem, strlen(nameless[i].problem)) == 0)
            return &nameless[i];
    return NULL;
}

/* NULL: none is near. Of *names. */
static const char *nearest_of(sqlite3 *db, const struct nameless *missing, const char *problem,
                              struct p11prof_table *names)
{
    struct p11prof_error error;
    const char *word = problem + strlen(missing->problem), *dot = strrchr(word, '.');
    if (p11prof_query_table(db, missing->names, 0, names, &error) != P11PROF_OK)
        return NULL;
    const char **list = p11prof_zalloc(names->row_count, sizeof *list);
    for (size_t i = 0; i < names->row_count; i++)
        list[i] = p11prof_table_text(names, i, "name", "");
    const char *nearest = p11prof_nearest(dot ? dot + 1 : word, list, names->row_count);
    free(list);
    return nearest;
}

static int complain_sql(sqlite3 *db)
{
    struct p11prof_table names = {.columns = NULL};
    char problem[512];
    bool wrong_query = sqlite3_errcode(db) == SQLITE_ERROR;
    snprintf(problem, sizeof problem, "%s", sqlite3_errmsg(db));
    const struct nameless *missing = find_nameless(problem);
    const char *meant = missing ? nearest_of(db, missing, problem, &names) : NULL;
    if (meant)
        p11prof_complain(0, "%s: did you mean the %s '%s'?", problem, missing->what, meant);
    else
        p11prof_complain(0, "%s", problem);
    p11prof_table_clear(&names);
    return wrong_query ? P11PROF_EXIT_USAGE : P11PROF_EXIT_FAILED;
}

static int write_rows(sqlite3 *db, sqlite3_stmt *statement, const struct settings *settings)
{
    struct p11prof_writer writer = {.stream = stdout,
                                    .format = settings->common.format,
                                    .width_limit = p11prof_terminal_width(stdout)};
    struct p11prof_table rows = {.columns = NULL};
    int result = sqlite3_step(statement);
    if (result != SQLITE_ROW && result != SQLITE_DONE)
        return complain_sql(db);
    p11prof_table_statement_columns(&rows, statement, !settings->ready);
    for (; result == SQLITE_ROW; result = sqlite3_step(statement)) {
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

/* Number of the run of --run, or of the newest. Returns an exit code, after it said what is wrong.
 */
static int find_run(sqlite3 *db, const struct settings *settings, int64_t *run_id)
{
    struct p11prof_error error;
    const char *run = settings->run ? settings->run : "last";
    if (p11prof_run_select(db, run, run_id, &error) != P11PROF_OK)
        return p11prof_complain_of(&error);
    p11prof_note_newest(db, run, *run_id);
    return P11PROF_EXIT_DONE;
}

static int bind_run(sqlite3_stmt *statement, const struct settings *settings, int64_t run_id)
{
    int place = sqlite3_bind_parameter_index(statement, ":run");
    if (settings->run && !place)
        return p11prof_complain(P11PROF_EXIT_USAGE, "--run is given, but the query has no :run");
    if (place)
        sqlite3_bind_int64(statement, place, run_id);
    return P11PROF_EXIT_DONE;
}

static int answer(sqlite3 *db, const struct settings *settings, int64_t run_id)
{
    sqlite3_stmt *statement;
    const char *tail;
    int code;
    if (p11prof_functions_register(db) != SQLITE_OK ||
        sqlite3_prepare_v2(db, settings->query, -1, &statement, &tail) != SQLITE_OK)
        return complain_sql(db);
    if (!statement)
        code = p11prof_complain(P11PROF_EXIT_USAGE,
                                "the query is empty: 'p11prof help sql' has examples, "
                                "'p11prof sql --list' lists ready ones");
    else if (has_more(db, tail))
        code = p11prof_complain(P11PROF_EXIT_USAGE, "more than one statement: sql takes one");
    else if (!sqlite3_stmt_readonly(statement))
        code = p11prof_complain(P11PROF_EXIT_USAGE,
                                "sql only reads, and this statement writes: use the sqlite3 shell "
                                "on a copy of the database");
    else
        code = bind_run(statement, settings, run_id);
    if (code == P11PROF_EXIT_DONE)
        code = write_rows(db, statement, settings);
    sqlite3_finalize(statement);
    return code;
}

static int list_ready(enum p11prof_format format)
{
    struct p11prof_table list = {.columns = NULL};
    struct p11prof_error error;
    int code = P11PROF_EXIT_DONE;
    if (p11prof_ready_list(&list, &error) == P11PROF_OK)
        p11prof_write_table(stdout, &list, format);
    else
        code = p11prof_complain_of(&error);
    p11prof_table_clear(&list);
    return code;
}

/* Answers the query, or becomes the shell. */
static int use_database(const struct settings *settings)
{
    struct p11prof_database database;
    int64_t run_id;
    int code = p11prof_database_open(&database, &settings->common.database);
    if (code != P11PROF_EXIT_DONE)
        return code;
    sqlite3 *db = p11prof_store_sqlite(database.store);
    code = find_run(db, settings, &run_id);
    if (code == P11PROF_EXIT_DONE && settings->query)
        code = answer(db, settings, run_id);
    p11prof_database_close(&database);
    if (code == P11PROF_EXIT_DONE && !settings->query)
        code = p11prof_sql_shell(database.path, settings->run ? run_id : 0);
    return code;
}

static int use_ready(struct settings *settings, const char *name)
{
    struct p11prof_error error;
    char *sql;
    if (p11prof_ready_read(name, &sql, &error) != P11PROF_OK)
        return p11prof_complain_of(&error);
    settings->query = sql;
    settings->ready = true;
    int code = use_database(settings);
    free(sql);
    return code;
}

int p11prof_command_sql(int argc, char **argv)
{
    struct settings settings = {.common.format = P11PROF_FORMAT_TEXT};
    int first, code;
    if (!p11prof_options_read(&usage, argc, argv, take_option, &settings, &first, &code))
        return code;
    if (argc - first > (settings.list ? 0 : 1)) {
        p11prof_complain(0, settings.list ? "--list takes no query"
                                          : "sql takes one query: put it in quotes");
        return p11prof_usage_hint(&usage);
    }
    if (settings.list)
        return list_ready(settings.common.format);
    settings.query = first < argc ? argv[first] : NULL;
    if (settings.query && settings.query[0] == '@')
        return use_ready(&settings, settings.query + 1);
    return use_database(&settings);
}
