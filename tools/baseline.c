/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* p11prof baseline: runs that later ones are held against. */
#include "commands.h"
#include "common_options.h"
#include "message.h"
#include "report/nearest.h"
#include "report/query.h"
#include "report/writer.h"
#include "run_select.h"

#include <sqlite3.h>
#include <string.h>
#include <time.h>

enum { WAIT_MS = 5000, NAME_MAX_BYTES = 100, OPTION_REPLACE = 'r' };

static const struct p11prof_option options[] = {
    {"replace", OPTION_REPLACE, NULL, "save: in place of the baseline of that name"},
    P11PROF_OPTION_FORMAT,
    P11PROF_OPTION_DB,
    P11PROF_OPTION_NO_COLLECT,
    {.name = NULL},
};

static const struct p11prof_usage usage = {
    .command = "baseline",
    .arguments = "save NAME RUN[,RUN...] | list | show NAME | remove NAME",
    .summary = "Saves runs under a name, to be compared with later ones.",
    .options = options,
    .notes = "  p11prof baseline save release-1.4 12,13,14,15,16\n"
             "  p11prof baseline show release-1.4\n"
             "  p11prof report @release-1.4",
    .kind = P11PROF_VALUE_RUN,
    .words = "save list show remove",
};

struct settings {
    struct p11prof_common_options common;
    bool replace;
};

static bool take_option(void *payload, int id, const char *value)
{
    struct settings *settings = payload;
    if (id != OPTION_REPLACE)
        return p11prof_common_option(&settings->common, id, value);
    settings->replace = true;
    return true;
}

/* A statement about a baseline, with its name, a number and a run. */
static enum p11prof_status change(struct sqlite3 *db, const char *sql, const char *name,
                                  int64_t number, struct p11prof_error *error)
{
    sqlite3_stmt *statement;
    if (p11prof_query_prepare(db, sql, number, &statement, error) != P11PROF_OK)
        return error->status;
    sqlite3_bind_text(statement, 2, name, -1, SQLITE_STATIC);
    return p11prof_query_end(statement, sqlite3_step(statement), error);
}

static enum p11prof_status find(struct sqlite3 *db, const char *name, bool *found,
                                struct p11prof_error *error)
{
    sqlite3_stmt *statement;
    if (p11prof_query_prepare(db, "SELECT ?1 FROM baseline WHERE name = ?2", 0, &statement,
                              error) != P11PROF_OK)
        return error->status;
    sqlite3_bind_text(statement, 2, name, -1, SQLITE_STATIC);
    int result = sqlite3_step(statement);
    *found = result == SQLITE_ROW;
    return p11prof_query_end(statement, result, error);
}

static enum p11prof_status complain_unknown(struct sqlite3 *db, const char *name,
                                            struct p11prof_error *error)
{
    struct p11prof_table names = {.columns = NULL};
    const char *list[256];
    size_t count = 0;
    if (p11prof_query_table(db, "SELECT name FROM baseline LIMIT 256", 0, &names, error) !=
        P11PROF_OK) {
        p11prof_table_clear(&names);
        return error->status;
    }
    for (; count < names.row_count; count++)
        list[count] = p11prof_table_text(&names, count, "name", "");
    const char *nearest = p11prof_nearest(name, list, count);
    p11prof_error_set(error, P11PROF_BAD_INPUT, "there is no baseline '%.100s'%s%.100s%s", name,
                      nearest ? ": did you mean '" : ": 'p11prof baseline list' lists them",
                      nearest ? nearest : "", nearest ? "'?" : "");
    p11prof_table_clear(&names);
    return P11PROF_BAD_INPUT;
}

static enum p11prof_status remove_rows(struct sqlite3 *db, const char *name,
                                       struct p11prof_error *error)
{
    if (change(db, "DELETE FROM baseline_run WHERE baseline = ?2 AND ?1 = 0", name, 0, error) !=
        P11PROF_OK)
        return error->status;
    return change(db, "DELETE FROM baseline WHERE name = ?2 AND ?1 = 0", name, 0, error);
}

static enum p11prof_status add_rows(struct sqlite3 *db, const char *name,
                                    const struct p11prof_run_set *runs, struct p11prof_error *error)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    enum p11prof_status status =
        change(db, "INSERT INTO baseline (created_wall_ns, name) VALUES (?1, ?2)", name,
               now.tv_sec * INT64_C(1000000000) + now.tv_nsec, error);
    for (size_t i = 0; i < runs->run_count && status == P11PROF_OK; i++)
        status = change(db, "INSERT INTO baseline_run (run, baseline) VALUES (?1, ?2)", name,
                        runs->run_ids[i], error);
    return status;
}

/* All or nothing. */
static enum p11prof_status replace_rows(struct p11prof_store *store, const char *name,
                                        const struct p11prof_run_set *runs,
                                        struct p11prof_error *error)
{
    struct sqlite3 *db = p11prof_store_sqlite(store);
    if (p11prof_store_begin(store, WAIT_MS, error) != P11PROF_OK)
        return error->status;
    enum p11prof_status status = remove_rows(db, name, error);
    if (status == P11PROF_OK && runs)
        status = add_rows(db, name, runs, error);
    if (status == P11PROF_OK)
        return p11prof_store_commit(store, error);
    p11prof_store_rollback(store);
    return status;
}

static bool is_name(const char *name)
{
    return name[0] && name[0] != '@' && strlen(name) <= NAME_MAX_BYTES && !strpbrk(name, ",:/");
}

static int save(struct p11prof_database *database, const struct settings *settings, char **words,
                int count)
{
    struct sqlite3 *db = p11prof_store_sqlite(database->store);
    struct p11prof_run_set runs = {.run_ids = NULL};
    struct p11prof_error error;
    bool found = false;
    if (count != 2)
        return p11prof_complain(P11PROF_EXIT_USAGE, "save wants a name and runs: p11prof baseline "
                                                    "save NAME RUN[,RUN...]");
    if (!is_name(words[0]))
        return p11prof_complain(P11PROF_EXIT_USAGE,
                                "'%s' is no name of a baseline: 1 to %d bytes without '@' before, "
                                "or ',', ':' and '/' in it",
                                words[0], NAME_MAX_BYTES);
    enum p11prof_status status = p11prof_run_set_select(db, words[1], &runs, &error);
    if (status == P11PROF_OK)
        status = find(db, words[0], &found, &error);
    if (status == P11PROF_OK && found && !settings->replace)
        status = p11prof_error_set(&error, P11PROF_BAD_INPUT,
                                   "there is a baseline '%.100s' already: --replace saves in its "
                                   "place",
                                   words[0]);
    if (status == P11PROF_OK)
        status = replace_rows(database->store, words[0], &runs, &error);
    if (status == P11PROF_OK)
        p11prof_note("baseline '%s' is saved: %zu run%s", words[0], runs.run_count,
                     runs.run_count == 1 ? "" : "s");
    p11prof_run_set_clear(&runs);
    return status == P11PROF_OK ? P11PROF_EXIT_DONE : p11prof_complain_of(&error);
}

static enum p11prof_status print(struct sqlite3 *db, const struct settings *settings,
                                 const char *sql, const char *name, struct p11prof_error *error)
{
    struct p11prof_table rows = {.columns = NULL};
    sqlite3_stmt *statement;
    int result;
    if (p11prof_query_prepare(db, sql, 0, &statement, error) != P11PROF_OK)
        return error->status;
    if (name)
        sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
    p11prof_table_statement_columns(&rows, statement, false);
    while ((result = sqlite3_step(statement)) == SQLITE_ROW)
        p11prof_table_statement_row(&rows, statement);
    p11prof_write_table(stdout, &rows, settings->common.format);
    p11prof_table_clear(&rows);
    return p11prof_query_end(statement, result, error);
}

static int list(struct p11prof_database *database, const struct settings *settings, char **words,
                int count)
{
    static const char sql[] = "SELECT name, created_at, count(*) AS count FROM baselines "
                              "GROUP BY name ORDER BY name";
    struct p11prof_error error;
    if (count > 0)
        return p11prof_complain(P11PROF_EXIT_USAGE, "list takes no words, not '%s'", words[0]);
    return print(p11prof_store_sqlite(database->store), settings, sql, NULL, &error) == P11PROF_OK
               ? P11PROF_EXIT_DONE
               : p11prof_complain_of(&error);
}

static int show(struct p11prof_database *database, const struct settings *settings, char **words,
                int count)
{
    static const char sql[] =
        "SELECT r.run_id, r.started_at, r.kind, r.name, r.program, r.host, r.token_label, "
        "r.token_firmware, r.call_count FROM baselines AS b JOIN runs AS r ON r.run_id = b.run_id "
        "WHERE b.name = ?1 ORDER BY r.start_wall_ns";
    struct sqlite3 *db = p11prof_store_sqlite(database->store);
    struct p11prof_error error;
    bool found;
    if (count != 1)
        return p11prof_complain(P11PROF_EXIT_USAGE, "show wants one name: p11prof baseline show "
                                                    "NAME");
    const char *name = words[0] + (words[0][0] == '@');
    enum p11prof_status status = find(db, name, &found, &error);
    if (status == P11PROF_OK)
        status =
            found ? print(db, settings, sql, name, &error) : complain_unknown(db, name, &error);
    return status == P11PROF_OK ? P11PROF_EXIT_DONE : p11prof_complain_of(&error);
}

static int remove_one(struct p11prof_database *database, const struct settings *settings,
                      char **words, int count)
{
    struct sqlite3 *db = p11prof_store_sqlite(database->store);
    struct p11prof_error error;
    bool found;
    (void)settings;
    if (count != 1)
        return p11prof_complain(P11PROF_EXIT_USAGE, "remove wants one name: p11prof baseline "
                                                    "remove NAME");
    const char *name = words[0] + (words[0][0] == '@');
    enum p11prof_status status = find(db, name, &found, &error);
    if (status == P11PROF_OK)
        status = found ? replace_rows(database->store, name, NULL, &error)
                       : complain_unknown(db, name, &error);
    if (status == P11PROF_OK)
        p11prof_note("baseline '%s' is removed; its runs stay", name);
    return status == P11PROF_OK ? P11PROF_EXIT_DONE : p11prof_complain_of(&error);
}

static const struct action {
    const char *name;
    int (*run)(struct p11prof_database *database, const struct settings *settings, char **words,
               int count);
    bool changes;
} actions[] = {{"save", save, true},
               {"list", list, false},
               {"show", show, false},
               {"remove", remove_one, true}};
enum { ACTIONS = sizeof actions / sizeof *actions };

static const struct action *find_action(const char *word)
{
    const char *names[ACTIONS];
    for (size_t i = 0; i < ACTIONS; i++) {
        names[i] = actions[i].name;
        if (strcmp(word, actions[i].name) == 0)
            return &actions[i];
    }
    const char *nearest = p11prof_nearest(word, names, ACTIONS);
    p11prof_complain(0, "baseline has no '%s'%s%s%s", word, nearest ? ": did you mean '" : "",
                     nearest ? nearest : "", nearest ? "'?" : "");
    return NULL;
}

int p11prof_command_baseline(int argc, char **argv)
{
    struct settings settings = {.common = {.format = P11PROF_FORMAT_TEXT}};
    struct p11prof_database database;
    int first, code;
    if (!p11prof_options_read(&usage, argc, argv, take_option, &settings, &first, &code))
        return code;
    const struct action *action = find_action(first < argc ? argv[first] : "list");
    if (!action)
        return p11prof_usage_hint(&usage);
    code = (action->changes ? p11prof_database_open_to_change
                            : p11prof_database_open)(&database, &settings.common.database);
    if (code != P11PROF_EXIT_DONE)
        return code;
    code = action->run(&database, &settings, argv + first + 1,
                       argc > first + 1 ? argc - first - 1 : 0);
    p11prof_database_close(&database);
    return code;
}
