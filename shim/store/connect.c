/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Opening an existing database: whose it is, and how this connection behaves. */
#include "store/internal.h"

#include <stdio.h>

enum {
    TRIM_PAGES = 128,          /* a log of 2 MiB is read in about a millisecond */
    FORK_TRIM_PAGES = 1024,    /* a fork waits for us: not for the disk, if it can be helped */
    CHECKPOINT_PAGES = 4000,   /* a long-lived writer's log */
    COMMAND_WAIT_MS = 5000,    /* a command waits for other programs … */
    APPLICATION_WAIT_MS = 100, /* … an application hardly, and only while it opens */
};

/* Another program's or a newer file is not touched. */
static enum p11prof_status check_owner(struct p11prof_store *store, int64_t *version,
                                       struct p11prof_error *error)
{
    int64_t application = 0;
    enum p11prof_status status =
        p11prof_store_number(store, "PRAGMA application_id", &application, error);
    status = status ? status : p11prof_store_number(store, "PRAGMA user_version", version, error);
    if (status) {
        return status;
    }
    if (application != P11PROF_APPLICATION_ID) {
        return p11prof_error_set(error, P11PROF_REFUSED,
                                 "%s: this is another program's SQLite database, not p11prof's; "
                                 "choose another path",
                                 store->path);
    }
    if (*version > P11PROF_SCHEMA_VERSION) {
        return p11prof_error_set(
            error, P11PROF_REFUSED,
            "%s: the database has schema version %lld, this p11prof " P11PROF_VERSION
            " knows up to %d; update p11prof",
            store->path, (long long)*version, P11PROF_SCHEMA_VERSION);
    }
    if (*version < P11PROF_SCHEMA_VERSION && !(store->flags & P11PROF_STORE_MIGRATE)) {
        return p11prof_error_set(error, P11PROF_REFUSED,
                                 "%s: the database has schema version %lld, older than %d; run "
                                 "`p11prof runs` once to bring it up to date",
                                 store->path, (long long)*version, P11PROF_SCHEMA_VERSION);
    }
    return P11PROF_OK;
}

static enum p11prof_status read_id(struct p11prof_store *store, struct p11prof_error *error)
{
    sqlite3_stmt *statement = NULL;
    enum p11prof_status status = P11PROF_OK;
    if (sqlite3_prepare_v2(store->sqlite, "SELECT id FROM meta", -1, &statement, NULL) ||
        sqlite3_step(statement) != SQLITE_ROW ||
        sqlite3_column_bytes(statement, 0) != sizeof store->id) {
        status = p11prof_store_failed(store, "read", error);
    } else {
        memcpy(store->id, sqlite3_column_blob(statement, 0), sizeof store->id);
    }
    sqlite3_finalize(statement);
    return status;
}

/* The file that SQLite opened must be the one that was looked at. */
static enum p11prof_status check_same(struct p11prof_store *store, struct p11prof_error *error)
{
    int moved = 0;
    struct stat now;
    if (store->sqlite) {
        sqlite3_file_control(store->sqlite, NULL, SQLITE_FCNTL_HAS_MOVED, &moved);
    }
    if (moved || lstat(store->path, &now) || now.st_dev != store->file.st_dev ||
        now.st_ino != store->file.st_ino) {
        return p11prof_error_set(error, P11PROF_BUSY,
                                 "%s: the database was replaced while it was opened; try again",
                                 store->path);
    }
    return P11PROF_OK;
}

static bool may_checkpoint(const struct p11prof_store *store)
{
    return !(store->flags & P11PROF_STORE_NO_CHECKPOINT);
}

/* How long the log is after each commit; replaces SQLite's own automatic checkpoint. */
static int note_log(void *payload, sqlite3 *sqlite, const char *name, int page_count)
{
    struct p11prof_store *store = payload;
    store->log_page_count = page_count;
    if (may_checkpoint(store) && page_count >= CHECKPOINT_PAGES) {
        sqlite3_wal_checkpoint_v2(sqlite, name, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    }
    return SQLITE_OK; /* the commit is done, whatever became of the checkpoint */
}

static enum p11prof_status set_up(struct p11prof_store *store, struct p11prof_error *error)
{
    if (store->flags & P11PROF_STORE_READ_ONLY) {
        return P11PROF_OK;
    }
    enum p11prof_status status = p11prof_store_script(
        store, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA secure_delete = OFF",
        "open", error);
    if (!may_checkpoint(store)) {
        p11prof_store_no_checkpoint(store);
    }
    sqlite3_wal_hook(store->sqlite, note_log, store);
    return status ? status : p11prof_store_rows_module(store, error);
}

enum p11prof_status p11prof_store_connect(struct p11prof_store *store, struct p11prof_error *error)
{
    unsigned command = P11PROF_STORE_MIGRATE | P11PROF_STORE_READ_ONLY;
    int flags =
        (store->flags & P11PROF_STORE_READ_ONLY ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE) |
        SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_NOMUTEX |
        SQLITE_OPEN_URI; /* our own path is absolute, never a URI; `merge` attaches one read-only */
    int64_t version = 0;
    if (sqlite3_open_v2(store->path, &store->sqlite, flags, NULL)) {
        enum p11prof_status changed = check_same(store, error);
        return changed ? changed : p11prof_store_failed(store, "open", error);
    }
    bool waits = store->flags & command && !(store->flags & P11PROF_STORE_AT_ONCE);
    sqlite3_busy_timeout(store->sqlite, waits ? COMMAND_WAIT_MS : APPLICATION_WAIT_MS);
    p11prof_store_defend(store->sqlite);
    enum p11prof_status status = p11prof_store_script(
        store, "PRAGMA cache_size = -8192; PRAGMA temp_store = MEMORY", "open", error);
    status = status ? status : check_owner(store, &version, error);
    status = status ? status : check_same(store, error);
    status = status ? status : set_up(store, error);
    if (!(store->flags & P11PROF_STORE_READ_ONLY)) {
        sqlite3_busy_timeout(store->sqlite, 0); /* from here on, begin waits */
    }
    if (!status && store->flags & P11PROF_STORE_MIGRATE) {
        status = p11prof_store_migrate(store, version, error);
    }
    if (!status && store->flags & command) {
        status = p11prof_store_own_views(store, error);
    }
    if (!status && store->flags & P11PROF_STORE_READ_ONLY) {
        status = p11prof_store_script(store, "PRAGMA query_only = 1", "read", error);
    }
    return status ? status : read_id(store, error);
}

/* Truncated, not only written back: who opens next, alone, reads all that the file holds. */
void p11prof_store_trim(struct p11prof_store *store)
{
    int least = p11prof_store_stopped(store) ? FORK_TRIM_PAGES : TRIM_PAGES;
    if (may_checkpoint(store) || store->log_page_count < least) {
        return;
    }
    sqlite3_exec(store->sqlite, "PRAGMA synchronous = NORMAL", NULL, NULL, NULL);
    sqlite3_wal_checkpoint_v2(store->sqlite, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
}

void p11prof_store_no_checkpoint(struct p11prof_store *store)
{
    store->flags |= P11PROF_STORE_NO_CHECKPOINT;
    sqlite3_db_config(store->sqlite, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    sqlite3_exec(store->sqlite, "PRAGMA synchronous = OFF", NULL, NULL, NULL);
}
