/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What a database may not do to who opens it: its file may come from anybody. */
#include "store/internal.h"

#include <stdio.h>
#include <stdlib.h>

/* Most of any text, blob or row: many rows may share the pages of one long text. */
enum { VALUE_BYTES_MOST = 16 << 20 };

void p11prof_store_defend(struct sqlite3 *sqlite)
{
    static const struct {
        int option, value;
    } settings[] = {
        {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
        {SQLITE_DBCONFIG_DEFENSIVE, 1},
        {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0}, /* ours has none */
        {SQLITE_DBCONFIG_ENABLE_VIEW, 0},    /* only those of p11prof_store_own_views() */
    };
    static const char *no_modules[] = {NULL};
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        sqlite3_db_config(sqlite, settings[i].option, settings[i].value, NULL);
    sqlite3_limit(sqlite, SQLITE_LIMIT_LENGTH, VALUE_BYTES_MOST);
    sqlite3_drop_modules(sqlite, no_modules); /* a table of ours could be a virtual one there */
}

static const char create_view[] = "\nCREATE VIEW ";

/* Whether it is one of the views of views.sql, to the letter. */
static bool is_own_view(const char *sql)
{
    const char *place = strstr(p11prof_views_sql, sql);
    return place && strncmp(sql, create_view + 1, sizeof create_view - 2) == 0 &&
           place[strlen(sql)] == ';';
}

/* SQLite goes by this text, whatever the other columns say. */
static bool is_plain(const char *sql)
{
    static const char *const starts[] = {"CREATE TABLE ", "CREATE INDEX ", "CREATE UNIQUE INDEX "};
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
        if (strncmp(sql, starts[i], strlen(starts[i])) == 0)
            return true;
    return false;
}

/* Whether the file has all views of views.sql and no other: it nearly always has, and they are
 * ready, where making them takes milliseconds. */
static bool file_has_own_views(struct sqlite3 *sqlite)
{
    sqlite3_stmt *rows = NULL;
    int wanted = 0, found = 0, other = 0, code;
    for (const char *at = p11prof_views_sql; (at = strstr(at, create_view)); at++)
        wanted++;
    code = sqlite3_prepare_v2(sqlite, "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL", -1,
                              &rows, NULL);
    while (code == SQLITE_OK || code == SQLITE_ROW) {
        code = sqlite3_step(rows);
        const char *sql = code == SQLITE_ROW ? (const char *)sqlite3_column_text(rows, 0) : NULL;
        bool own = sql && is_own_view(sql);
        found += own;
        other += sql && !own && !is_plain(sql);
    }
    sqlite3_finalize(rows);
    return code == SQLITE_DONE && found == wanted && other == 0;
}

/* The views of views.sql as temporary ones, which names mean first. The caller frees it. */
static char *make_sql(void)
{
    const char *at = p11prof_views_sql;
    char *sql = NULL;
    size_t bytes;
    FILE *stream = open_memstream(&sql, &bytes);
    if (!stream)
        return NULL;
    for (const char *next; (next = strstr(at, create_view)); at = next + sizeof create_view - 1)
        fprintf(stream, "%.*s\nCREATE TEMP VIEW ", (int)(next - at), at);
    fputs(at, stream);
    fclose(stream);
    return sql;
}

static enum p11prof_status make_views(struct p11prof_store *store, struct p11prof_error *error)
{
    char *sql = make_sql();
    enum p11prof_status status =
        sql ? p11prof_store_script(store, "BEGIN", "read", error)
            : p11prof_error_set(error, P11PROF_FAILED, "%s: out of memory", store->path);
    if (status == P11PROF_OK) {
        status = p11prof_store_script(store, sql, "read", error);
        sqlite3_exec(store->sqlite, status == P11PROF_OK ? "COMMIT" : "ROLLBACK", NULL, NULL, NULL);
    }
    free(sql);
    return status;
}

enum p11prof_status p11prof_store_own_views(struct p11prof_store *store,
                                            struct p11prof_error *error)
{
    store->uses_views_of_file = file_has_own_views(store->sqlite);
    if (!store->uses_views_of_file)
        return make_views(store, error);
    p11prof_store_attached(store, false);
    return P11PROF_OK;
}

void p11prof_store_attached(struct p11prof_store *store, bool attached)
{
    sqlite3_db_config(store->sqlite, SQLITE_DBCONFIG_ENABLE_VIEW,
                      store->uses_views_of_file && !attached, NULL);
}
