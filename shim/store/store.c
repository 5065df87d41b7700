/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* A store from open to close, and its transactions. */
#include "store/internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { EXCLUSIVE_WAIT_MS = 100 };

/* Resolves the folder's links: SQLITE_OPEN_NOFOLLOW would refuse them, we only mind the file's. */
static enum p11prof_status set_path(struct p11prof_store *store, const char *path,
                                    struct p11prof_error *error)
{
    const char *slash = strrchr(path, '/');
    const char *file = slash ? slash + 1 : path;
    char *folder = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
    char *resolved = folder ? realpath(folder, NULL) : NULL;
    enum p11prof_status status = P11PROF_OK;
    if (!resolved) {
        status = p11prof_error_set(error, errno == ENOENT ? P11PROF_MISSING : P11PROF_FAILED,
                                   "%s: cannot find the folder of the database: %m", path);
    } else if (!*file ||
               asprintf(&store->path, "%s/%s", strcmp(resolved, "/") ? resolved : "", file) < 0) {
        store->path = NULL;
        status = p11prof_error_set(error, P11PROF_REFUSED,
                                   "%s: this is a folder; give the path of a database", path);
    } else if (asprintf(&store->writer_path, "%s-writer", store->path) < 0) {
        store->writer_path = NULL;
        status = p11prof_error_set(error, P11PROF_FAILED, "%s: out of memory", path);
    }
    free(folder);
    free(resolved);
    return status;
}

/* What is at the path. */
static enum p11prof_status look(struct p11prof_store *store, struct p11prof_error *error)
{
    if (lstat(store->path, &store->file)) {
        return p11prof_error_set(error, errno == ENOENT ? P11PROF_MISSING : P11PROF_FAILED,
                                 "%s: cannot open the database: %m", store->path);
    }
    mode_t mode = store->file.st_mode;
    const char *problem = S_ISLNK(mode)              ? "is a symbolic link: give the real path"
                          : S_ISDIR(mode)            ? "is a folder: give the path of a database"
                          : !S_ISREG(mode)           ? "is not a regular file: choose another path"
                          : store->file.st_size == 0 ? "is empty, not a database: remove it"
                                                     : NULL;
    if (problem) {
        return p11prof_error_set(error, P11PROF_REFUSED, "%s: this %s", store->path, problem);
    }
    return P11PROF_OK;
}

static enum p11prof_status open_store(struct p11prof_store *store, const char *path,
                                      struct p11prof_error *error)
{
    bool create = store->flags & P11PROF_STORE_CREATE;
    enum p11prof_status status = create ? p11prof_store_make_folder(path, error) : P11PROF_OK;
    status = status ? status : set_path(store, path, error);
    status = status ? status : look(store, error);
    if (status == P11PROF_MISSING && create && store->writer_path) {
        status = p11prof_store_create(store, error);
        status = status ? status : look(store, error);
    }
    status = status ? status : p11prof_store_connect(store, error);
    if (!status && store->flags & P11PROF_STORE_EXCLUSIVE) {
        unsigned waited_ms = 0;
        status = p11prof_store_lock(store, EXCLUSIVE_WAIT_MS, &waited_ms, error);
    }
    return status;
}

enum p11prof_status p11prof_store_open(struct p11prof_store **out, const char *path, unsigned flags,
                                       struct p11prof_error *error)
{
    *out = NULL;
    struct p11prof_store *store = calloc(1, sizeof *store);
    if (!store) {
        return p11prof_error_set(error, P11PROF_FAILED, "%s: out of memory", path);
    }
    store->flags = flags;
    store->writer_fd = -1;
    enum p11prof_status status = open_store(store, path, error);
    if (status) {
        p11prof_store_close(store);
        return status;
    }
    *out = store;
    return P11PROF_OK;
}

void p11prof_store_close(struct p11prof_store *store)
{
    if (!store) {
        return;
    }
    p11prof_store_rollback(store);
    p11prof_store_finalize(store);
    sqlite3_close_v2(store->sqlite);
    p11prof_store_unlock(store);
    if (store->writer_fd >= 0) {
        close(store->writer_fd);
    }
    free(store->writer_path);
    free(store->path);
    free(store);
}

struct sqlite3 *p11prof_store_sqlite(struct p11prof_store *store)
{
    return store->sqlite;
}

void p11prof_store_id(struct p11prof_store *store, uint64_t id[2])
{
    memcpy(id, store->id, sizeof store->id);
}

void p11prof_store_stop_word(struct p11prof_store *store, const _Atomic(uint32_t) *stop)
{
    store->stop = stop;
}

static enum p11prof_status check_file(const struct p11prof_store *store,
                                      struct p11prof_error *error)
{
    struct stat now;
    if (lstat(store->path, &now) == 0 && now.st_dev == store->file.st_dev &&
        now.st_ino == store->file.st_ino) {
        return P11PROF_OK;
    }
    return p11prof_error_set(error, P11PROF_CHANGED,
                             "%s: the database was deleted or replaced while it was open",
                             store->path);
}

static void release(struct p11prof_store *store)
{
    store->in_transaction = false;
    if (!(store->flags & P11PROF_STORE_EXCLUSIVE)) {
        p11prof_store_unlock(store);
    }
}

enum p11prof_status p11prof_store_begin(struct p11prof_store *store, unsigned wait_ms,
                                        struct p11prof_error *error)
{
    unsigned waited_ms = 0;
    enum p11prof_status status = check_file(store, error);
    status = status ? status : p11prof_store_lock(store, wait_ms, &waited_ms, error);
    if (status) {
        return status;
    }
    /* Who writes without our lock (another SQLite client) is waited for too. */
    while ((status = p11prof_store_do(store, P11PROF_SQL_BEGIN, "BEGIN IMMEDIATE", NULL, 0,
                                      error)) == P11PROF_BUSY &&
           waited_ms++ < wait_ms && !p11prof_store_stopped(store)) {
        p11prof_store_sleep_ms(1);
    }
    store->in_transaction = status == P11PROF_OK;
    if (status) {
        release(store);
    }
    return status;
}

enum p11prof_status p11prof_store_commit(struct p11prof_store *store, struct p11prof_error *error)
{
    enum p11prof_status status =
        p11prof_store_do(store, P11PROF_SQL_COMMIT, "COMMIT", NULL, 0, error);
    if (status) {
        p11prof_store_rollback(store);
        return status;
    }
    release(store);
    return P11PROF_OK;
}

void p11prof_store_rollback(struct p11prof_store *store)
{
    if (!store->in_transaction) {
        return;
    }
    /* SQLite has rolled back already after some errors, a full disk for one. */
    if (!sqlite3_get_autocommit(store->sqlite)) {
        sqlite3_exec(store->sqlite, "ROLLBACK", NULL, NULL, NULL);
    }
    release(store);
}
