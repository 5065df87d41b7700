/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "run_select.h"
#include "message.h"
#include "report/allocate.h"
#include "report/hint_database.h"
#include "report/nearest.h"
#include "report/query.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Digits only, and no more than fit. */
static bool read_number(const char *text, int64_t *out)
{
    char *end;
    errno = 0;
    *out = strtoll(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0;
}

/* "last" is 0, "last~3" is 3. */
static bool read_last(const char *text, int64_t *back)
{
    *back = 0;
    return strcmp(text, "last") == 0 ||
           (strncmp(text, "last~", 5) == 0 && read_number(text + 5, back));
}

static enum p11prof_status find_id(struct sqlite3 *db, int64_t id, int64_t *run_id,
                                   struct p11prof_error *error)
{
    if (p11prof_query_integer(db, "SELECT run_id FROM runs WHERE run_id = ?1", id, -1, run_id,
                              error) != P11PROF_OK)
        return error->status;
    if (*run_id >= 0)
        return P11PROF_OK;
    return p11prof_error_set(error, P11PROF_BAD_INPUT,
                             "there is no run %lld: 'p11prof runs' lists them", (long long)id);
}

static enum p11prof_status find_last(struct sqlite3 *db, int64_t back, int64_t *run_id,
                                     struct p11prof_error *error)
{
    static const char sql[] = "SELECT run_id FROM runs ORDER BY start_wall_ns DESC, run_id DESC "
                              "LIMIT 1 OFFSET ?1";
    int64_t runs;
    if (p11prof_query_integer(db, sql, back, -1, run_id, error) != P11PROF_OK)
        return error->status;
    if (*run_id >= 0)
        return P11PROF_OK;
    if (p11prof_query_integer(db, "SELECT count(*) FROM runs", 0, 0, &runs, error) != P11PROF_OK)
        return error->status;
    return p11prof_error_set(error, P11PROF_BAD_INPUT,
                             "last~%lld is too far back: there are %lld runs", (long long)back,
                             (long long)runs);
}

static enum p11prof_status complain_name(struct sqlite3 *db, const char *text,
                                         struct p11prof_error *error)
{
    struct p11prof_table names = {.columns = NULL};
    static const char sql[] = "SELECT name FROM runs WHERE name IS NOT NULL UNION "
                              "SELECT '@' || name FROM baselines UNION SELECT 'last' LIMIT 10000";
    if (p11prof_query_table(db, sql, 0, &names, error) == P11PROF_OK) {
        const char **list = p11prof_zalloc(names.row_count, sizeof *list);
        for (size_t i = 0; i < names.row_count; i++)
            list[i] = p11prof_table_text(&names, i, "name", "");
        const char *nearest = p11prof_nearest(text, list, names.row_count);
        if (nearest)
            p11prof_error_set(error, P11PROF_BAD_INPUT,
                              "there is no run named '%.100s': did you mean '%.100s'?", text,
                              nearest);
        else
            p11prof_error_set(error, P11PROF_BAD_INPUT,
                              "there is no run named '%.100s': 'p11prof runs' lists them", text);
        free(list);
    }
    p11prof_table_clear(&names);
    return error->status;
}

static enum p11prof_status find_name(struct sqlite3 *db, const char *text, int64_t *run_id,
                                     struct p11prof_error *error)
{
    static const char sql[] = "SELECT run_id FROM runs WHERE name = ?1 "
                              "ORDER BY start_wall_ns DESC, run_id DESC LIMIT 1";
    sqlite3_stmt *statement;
    if (p11prof_query_prepare(db, sql, 0, &statement, error) != P11PROF_OK)
        return error->status;
    sqlite3_bind_text(statement, 1, text, -1, SQLITE_STATIC);
    int result = sqlite3_step(statement);
    bool found = result == SQLITE_ROW;
    if (found)
        *run_id = sqlite3_column_int64(statement, 0);
    if (p11prof_query_end(statement, result, error) != P11PROF_OK)
        return error->status;
    return found ? P11PROF_OK : complain_name(db, text, error);
}

enum p11prof_status p11prof_run_select(struct sqlite3 *db, const char *text, int64_t *run_id,
                                       struct p11prof_error *error)
{
    int64_t number;
    if (read_number(text, &number))
        return find_id(db, number, run_id, error);
    if (read_last(text, &number))
        return find_last(db, number, run_id, error);
    if (text[0] == '@' || strchr(text, '/'))
        return p11prof_error_set(error, P11PROF_BAD_INPUT,
                                 "'%.100s' is no run of this database: a run is its number, "
                                 "last, last~N or its name",
                                 text);
    return find_name(db, text, run_id, error);
}

static bool is_name(const char *word)
{
    int64_t number;
    return !read_number(word, &number) && !read_last(word, &number);
}

void p11prof_note_newest(struct sqlite3 *db, const char *word, int64_t run_id)
{
    static const char sql[] =
        "SELECT count(*) AS count, (SELECT run_id FROM runs WHERE name = r.name AND run_id != "
        "r.run_id ORDER BY start_wall_ns DESC, run_id DESC LIMIT 1) AS before FROM runs AS r "
        "JOIN runs AS o ON o.name = r.name WHERE r.run_id = ?1";
    struct p11prof_table same = {.columns = NULL};
    struct p11prof_error error;
    if (is_name(word) && p11prof_query_table(db, sql, run_id, &same, &error) == P11PROF_OK &&
        p11prof_table_integer(&same, 0, "count", 0) > 1)
        p11prof_note("%lld runs are named '%.100s': run %lld is the newest, run %lld the one "
                     "before; 'p11prof runs%s' lists them, a number chooses",
                     (long long)p11prof_table_integer(&same, 0, "count", 0), word,
                     (long long)run_id, (long long)p11prof_table_integer(&same, 0, "before", 0),
                     p11prof_hint_database());
    p11prof_table_clear(&same);
}

static void add_run(struct p11prof_run_set *set, int64_t run_id)
{
    int64_t *run_ids = (int64_t *)set->run_ids;
    size_t capacity = set->run_count;
    for (size_t i = 0; i < set->run_count; i++)
        if (run_ids[i] == run_id)
            return;
    run_ids = p11prof_grow(run_ids, &capacity, set->run_count + 1, sizeof *run_ids);
    run_ids[set->run_count++] = run_id;
    set->run_ids = run_ids;
}

static enum p11prof_status complain_baseline(struct sqlite3 *db, const char *name,
                                             struct p11prof_error *error)
{
    struct p11prof_table names = {.columns = NULL};
    static const char sql[] = "SELECT DISTINCT name FROM baselines LIMIT 10000";
    if (p11prof_query_table(db, sql, 0, &names, error) == P11PROF_OK) {
        const char **list = p11prof_zalloc(names.row_count, sizeof *list);
        for (size_t i = 0; i < names.row_count; i++)
            list[i] = p11prof_table_text(&names, i, "name", "");
        const char *nearest = p11prof_nearest(name, list, names.row_count);
        if (nearest)
            p11prof_error_set(error, P11PROF_BAD_INPUT,
                              "there is no baseline '@%.100s': did you mean '@%.100s'?", name,
                              nearest);
        else
            p11prof_error_set(error, P11PROF_BAD_INPUT, "there is no baseline '@%.100s'", name);
        free(list);
    }
    p11prof_table_clear(&names);
    return error->status;
}

/* All runs of a baseline. */
static enum p11prof_status add_baseline(struct sqlite3 *db, const char *name,
                                        struct p11prof_run_set *set, struct p11prof_error *error)
{
    static const char sql[] = "SELECT run_id FROM baselines WHERE name = ?1 ORDER BY run_id";
    sqlite3_stmt *statement;
    int result;
    size_t found = 0;
    if (p11prof_query_prepare(db, sql, 0, &statement, error) != P11PROF_OK)
        return error->status;
    sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
    for (; (result = sqlite3_step(statement)) == SQLITE_ROW; found++)
        add_run(set, sqlite3_column_int64(statement, 0));
    if (p11prof_query_end(statement, result, error) != P11PROF_OK)
        return error->status;
    return found > 0 ? P11PROF_OK : complain_baseline(db, name, error);
}

enum p11prof_status p11prof_run_set_add(struct sqlite3 *db, const char *word,
                                        struct p11prof_run_set *set, struct p11prof_error *error)
{
    int64_t run_id;
    if (word[0] == '@')
        return add_baseline(db, word + 1, set, error);
    enum p11prof_status status = p11prof_run_select(db, word, &run_id, error);
    if (status != P11PROF_OK)
        return status;
    p11prof_note_newest(db, word, run_id);
    add_run(set, run_id);
    return P11PROF_OK;
}

enum p11prof_status p11prof_run_set_select(struct sqlite3 *db, const char *text,
                                           struct p11prof_run_set *out, struct p11prof_error *error)
{
    enum p11prof_status status = P11PROF_OK;
    char *copy = p11prof_copy(text), *rest = copy;
    *out = (struct p11prof_run_set){.run_ids = NULL};
    for (char *word; status == P11PROF_OK && (word = strsep(&rest, ","));)
        status = p11prof_run_set_add(db, word, out, error);
    free(copy);
    return status;
}

void p11prof_run_set_clear(struct p11prof_run_set *set)
{
    free((int64_t *)set->run_ids);
    *set = (struct p11prof_run_set){.run_ids = NULL};
}
