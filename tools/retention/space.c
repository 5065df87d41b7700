/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "space.h"
#include "report/progress.h"
#include "report/query.h"
#include "report/units.h"
#include "whole.h"

#include <sqlite3.h>
#include <sys/stat.h>

enum { TRIES = 50 }; /* opening waits 100 ms for the lock */

static uint64_t pragma(struct p11prof_store *store, const char *sql)
{
    struct p11prof_error error;
    int64_t value;
    enum p11prof_status status =
        p11prof_query_integer(p11prof_store_sqlite(store), sql, 0, 0, &value, &error);
    return status == P11PROF_OK && value > 0 ? (uint64_t)value : 0;
}

uint64_t p11prof_free_bytes(struct p11prof_store *store)
{
    return pragma(store, "PRAGMA freelist_count") * pragma(store, "PRAGMA page_size");
}

static uint64_t size_of(const char *path)
{
    struct stat file;
    return stat(path, &file) == 0 ? (uint64_t)file.st_size : 0;
}

/* With the lock of writers until the close. */
static enum p11prof_status open_alone(struct p11prof_store **out, const char *path,
                                      struct p11prof_error *error)
{
    enum p11prof_status status = P11PROF_BUSY;
    for (int i = 0; i < TRIES && status == P11PROF_BUSY; i++)
        status =
            p11prof_store_open(out, path, P11PROF_STORE_MIGRATE | P11PROF_STORE_EXCLUSIVE, error);
    return status;
}

/* Its copy goes to a file, whatever the connection does with small temporary tables. */
static enum p11prof_status rewrite(struct p11prof_store *store, const char *path,
                                   struct p11prof_error *error)
{
    struct sqlite3 *db = p11prof_store_sqlite(store);
    struct p11prof_progress progress;
    char needed[P11PROF_UNIT_TEXT_BYTES];
    p11prof_progress_begin(&progress, db, "writing the database anew");
    int result = sqlite3_exec(db, "PRAGMA temp_store = FILE; VACUUM", NULL, NULL, NULL);
    p11prof_progress_end(&progress);
    if (result == SQLITE_OK)
        result = sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    if (result == SQLITE_OK)
        return P11PROF_OK;
    p11prof_format_bytes(needed, size_of(path));
    return p11prof_error_set(error, P11PROF_FAILED,
                             "%.200s: the free bytes cannot be given back: %.100s; it needs %s in "
                             "the database's folder and in the one for temporary files "
                             "(SQLITE_TMPDIR), and no long reader",
                             path, sqlite3_errmsg(db), needed);
}

enum p11prof_status p11prof_vacuum(const char *path, uint64_t *freed_bytes,
                                   struct p11prof_error *error)
{
    struct p11prof_store *store;
    uint64_t before_bytes = size_of(path);
    *freed_bytes = 0;
    enum p11prof_status status = open_alone(&store, path, error);
    if (status != P11PROF_OK)
        return status;
    status = p11prof_check_whole(p11prof_store_sqlite(store), "main", path, error);
    if (status == P11PROF_OK)
        status = rewrite(store, path, error);
    p11prof_store_close(store);
    uint64_t after_bytes = size_of(path);
    *freed_bytes = before_bytes > after_bytes ? before_bytes - after_bytes : 0;
    return status;
}
