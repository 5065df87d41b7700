/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The source of a merge, attached to be read only. */
#include "merge_parts.h"
#include "report/allocate.h"
#include "report/query.h"
#include "whole.h"

#include <ctype.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool same_file(const char *a, const char *b)
{
    struct stat first, second;
    return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

/* Looks at it as every command looks at a database. *full_path: with the links of its folder
 * resolved; the caller frees it. */
static enum p11prof_status check_source(struct p11prof_store *store, const char *path,
                                        char **full_path, uint64_t id[2],
                                        struct p11prof_error *error)
{
    struct p11prof_store *source;
    if (p11prof_store_open(&source, path, P11PROF_STORE_READ_ONLY, error) != P11PROF_OK)
        return error->status;
    *full_path = p11prof_copy(sqlite3_db_filename(p11prof_store_sqlite(source), "main"));
    p11prof_store_id(source, id);
    p11prof_store_close(source);
    if (same_file(*full_path, sqlite3_db_filename(p11prof_store_sqlite(store), "main")))
        return p11prof_error_set(error, P11PROF_REFUSED,
                                 "%.300s: this is the database that is merged into", path);
    return P11PROF_OK;
}

/* "file:/path%20with%20blanks?mode=ro" */
static char *read_only_uri(const char *path)
{
    char *uri;
    size_t bytes;
    FILE *stream = p11prof_text_open(&uri, &bytes);
    fputs("file:", stream);
    for (const unsigned char *at = (const unsigned char *)path; *at; at++) {
        if (isalnum(*at) || strchr("/._-", *at))
            putc(*at, stream);
        else
            fprintf(stream, "%%%02X", *at);
    }
    fputs("?mode=ro", stream);
    fclose(stream);
    return uri;
}

static enum p11prof_status attach(struct sqlite3 *db, const char *path, struct p11prof_error *error)
{
    sqlite3_stmt *statement;
    if (p11prof_query_prepare(db, "ATTACH ?1 AS source", 0, &statement, error) != P11PROF_OK)
        return error->status;
    char *uri = read_only_uri(path);
    sqlite3_bind_text(statement, 1, uri, -1, SQLITE_STATIC);
    int result = sqlite3_step(statement);
    sqlite3_finalize(statement);
    free(uri);
    if (result == SQLITE_DONE)
        return P11PROF_OK;
    return p11prof_error_set(error, P11PROF_FAILED, "%.300s: %.100s", path, sqlite3_errmsg(db));
}

static enum p11prof_status make_maps(struct sqlite3 *db, struct p11prof_error *error)
{
    static const char sql[] =
        "CREATE TEMP TABLE IF NOT EXISTS map_process (old INTEGER PRIMARY KEY, new INTEGER); "
        "CREATE TEMP TABLE IF NOT EXISTS map_spool (old INTEGER PRIMARY KEY, new INTEGER); "
        "CREATE TEMP TABLE IF NOT EXISTS map_group (old INTEGER PRIMARY KEY, new INTEGER)";
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK)
        return P11PROF_OK;
    return p11prof_error_set(error, P11PROF_FAILED, "no temporary table can be made: %.200s",
                             sqlite3_errmsg(db));
}

/* That it is the file that was looked at, and whole: a damaged one would leave half of its runs
 * here. */
static enum p11prof_status check_attached(struct sqlite3 *db, const char *path,
                                          const uint64_t id[2], struct p11prof_error *error)
{
    struct p11prof_table meta = {.columns = NULL};
    char expected[33];
    for (size_t i = 0; i < 16; i++)
        snprintf(expected + 2 * i, 3, "%02X", ((const unsigned char *)id)[i]);
    enum p11prof_status status = p11prof_check_whole(db, "source", path, error);
    if (status == P11PROF_FAILED)
        status = error->status = P11PROF_REFUSED; /* it is an input here */
    if (status == P11PROF_OK)
        status = p11prof_query_table(db, "SELECT hex(id) AS id FROM source.meta", 0, &meta, error);
    if (status == P11PROF_OK && strcmp(p11prof_table_text(&meta, 0, "id", ""), expected) != 0)
        status = p11prof_error_set(error, P11PROF_BUSY,
                                   "%.300s: the database was replaced meanwhile; try again", path);
    p11prof_table_clear(&meta);
    return status;
}

enum p11prof_status p11prof_merge_attach(struct p11prof_store *store, const char *path,
                                         struct p11prof_error *error)
{
    struct sqlite3 *db = p11prof_store_sqlite(store);
    char *full_path = NULL;
    uint64_t id[2];
    enum p11prof_status status = check_source(store, path, &full_path, id, error);
    if (status == P11PROF_OK)
        status = make_maps(db, error);
    p11prof_store_attached(store, true);
    if (status == P11PROF_OK && attach(db, full_path, error) == P11PROF_OK) {
        status = check_attached(db, path, id, error);
        if (status != P11PROF_OK)
            p11prof_merge_detach(store);
    } else {
        status = status == P11PROF_OK ? error->status : status;
        p11prof_store_attached(store, false);
    }
    free(full_path);
    return status;
}

void p11prof_merge_detach(struct p11prof_store *store)
{
    sqlite3_exec(p11prof_store_sqlite(store), "DETACH source", NULL, NULL, NULL);
    p11prof_store_attached(store, false);
}
