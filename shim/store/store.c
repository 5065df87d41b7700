/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* A store from open to close, and its transactions. */
#include "store/internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { EXCLUSIVE_WAIT_MS = 100 };

static enum p11prof_status open_store(struct p11prof_store *store, const char *path,
                                      struct p11prof_error *error)
{
    bool create = store->flags & P11PROF_STORE_CREATE;
    enum p11prof_status status = p11prof_store_place(store, path, error);
    status = status ? status : p11prof_store_look(store, error);
    if (status == P11PROF_MISSING && create && store->writer_path) {
        status = p11prof_store_create(store, error);
        status = status ? status : p11prof_store_look(store, error);
    }
    status = status ? status : p11prof_store_connect(store, error);
    if (!status && store->flags & P11PROF_STORE_EXCLUSIVE) {
        status = p11prof_store_lock(store, p11prof_store_deadline_ns(EXCLUSIVE_WAIT_MS), error);
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
        p11prof_store_file_close(store->writer_fd);
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
    int problem = lstat(store->path, &now) ? errno : 0;
    if (!problem && now.st_dev == store->file.st_dev && now.st_ino == store->file.st_ino) {
        return P11PROF_OK;
    }
    if (problem && problem != ENOENT && problem != ENOTDIR) {
        return p11prof_error_set(error, P11PROF_FAILED,
                                 "%s: the database cannot be reached any more: %m; check the "
                                 "permissions of its folder",
                                 store->path);
    }
    return p11prof_error_set(error, P11PROF_CHANGED,
                             "%s: the database was deleted or replaced while it was open",
                             store->path);
}

/* The log and its index beside the database. Returns 0, or errno. */
enum { SIDE_LOG, SIDE_INDEX, SIDES };
static int side_file(const struct p11prof_store *store, unsigned side, struct stat *found)
{
    static const char *const suffixes[SIDES] = {"-wal", "-shm"};
    char path[4096];
    if (snprintf(path, sizeof path, "%s%s", store->path, suffixes[side]) >= (int)sizeof path) {
        return ENAMETOOLONG;
    }
    return lstat(path, found) ? errno : 0;
}

/* Inside the first transaction: SQLite has opened them. */
static void note_side_files(struct p11prof_store *store)
{
    for (unsigned side = 0; side < SIDES; side++) {
        if (!store->side_files[side].st_ino && side_file(store, side, &store->side_files[side])) {
            store->side_files[side].st_ino = 0;
        }
    }
}

/* Somebody cleaned up beside a database in use: SQLite would go on in files that nobody finds. What
 * is in a log that only we still have goes into the database first. */
static enum p11prof_status check_side_files(const struct p11prof_store *store,
                                            struct p11prof_error *error)
{
    for (unsigned side = 0; side < SIDES; side++) {
        const struct stat *used = &store->side_files[side];
        struct stat now;
        int problem = used->st_ino ? side_file(store, side, &now) : ENAMETOOLONG;
        if (problem == ENAMETOOLONG ||
            (!problem && now.st_dev == used->st_dev && now.st_ino == used->st_ino)) {
            continue;
        }
        if (side == SIDE_LOG && problem == ENOENT) {
            sqlite3_wal_checkpoint_v2(store->sqlite, NULL, SQLITE_CHECKPOINT_FULL, NULL, NULL);
        }
        return p11prof_error_set(error, P11PROF_CHANGED,
                                 "%s: its %s was deleted or replaced while it was in use",
                                 store->path, side == SIDE_LOG ? "-wal" : "-shm");
    }
    return P11PROF_OK;
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
    uint64_t deadline_ns = p11prof_store_deadline_ns(wait_ms);
    enum p11prof_status status = check_file(store, error);
    status = status ? status : check_side_files(store, error);
    status = status ? status : p11prof_store_lock(store, deadline_ns, error);
    if (status) {
        return status;
    }
    /* Who writes without our lock (another SQLite client) is waited for too. */
    do {
        status = p11prof_store_do(store, P11PROF_SQL_BEGIN, "BEGIN IMMEDIATE", NULL, 0, error);
    } while (status == P11PROF_BUSY && p11prof_store_wait(store, deadline_ns));
    store->in_transaction = status == P11PROF_OK;
    if (status) {
        release(store);
    } else {
        note_side_files(store);
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
