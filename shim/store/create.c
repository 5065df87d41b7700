/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Making a new database: complete under a temporary name, then linked into place. */
#include "store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

static enum p11prof_status fill(struct p11prof_store *store, struct p11prof_error *error)
{
    uint64_t id[2];
    char sql[512];
    if (getrandom(id, sizeof id, 0) != sizeof id) {
        return p11prof_error_set(error, P11PROF_FAILED, "%s: no random bytes: %m", store->path);
    }
    snprintf(sql, sizeof sql,
             "INSERT INTO meta (id, tool_version) VALUES (x'%016llx%016llx', '" P11PROF_VERSION
             "'); PRAGMA application_id = %d; PRAGMA user_version = %d;",
             (unsigned long long)id[0], (unsigned long long)id[1], P11PROF_APPLICATION_ID,
             P11PROF_SCHEMA_VERSION);
    enum p11prof_status status = p11prof_store_script(store, p11prof_schema_sql, "make", error);
    status = status ? status : p11prof_store_script(store, p11prof_views_sql, "make", error);
    status = status ? status : p11prof_store_names(store, error);
    return status ? status : p11prof_store_script(store, sql, "make", error);
}

/* Writes the database at store->path, an empty file. Not durable yet: the caller syncs once. */
static enum p11prof_status build(struct p11prof_store *store, struct p11prof_error *error)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_PRIVATECACHE |
                SQLITE_OPEN_NOMUTEX;
    enum p11prof_status status = P11PROF_OK;
    if (sqlite3_open_v2(store->path, &store->sqlite, flags, NULL)) {
        status = p11prof_store_failed(store, "make", error);
    }
    status = status ? status
                    : p11prof_store_script(store,
                                           "PRAGMA page_size = 16384; PRAGMA synchronous = OFF;"
                                           "PRAGMA journal_mode = MEMORY; BEGIN",
                                           "make", error);
    status = status ? status : fill(store, error);
    status = status
                 ? status
                 : p11prof_store_script(store, "COMMIT; PRAGMA journal_mode = WAL", "make", error);
    p11prof_store_finalize(store);
    sqlite3_close(store->sqlite);
    store->sqlite = NULL;
    return status;
}

/* Who comes second uses the first's. */
static enum p11prof_status put_in_place(const struct p11prof_store *new, int folder,
                                        const char *name, int fd, struct p11prof_error *error)
{
    if (fsync(fd)) {
        return p11prof_error_set(error, P11PROF_FAILED, "%s: cannot write the database: %m",
                                 new->path);
    }
    if (linkat(folder, strrchr(new->path, '/') + 1, folder, name, 0) && errno != EEXIST) {
        return p11prof_error_set(error, P11PROF_FAILED, "%s: cannot make the database: %m",
                                 new->path);
    }
    return P11PROF_OK;
}

/* An empty file in the folder, which SQLite opens by its path: that file and no other. */
static enum p11prof_status file_make(const struct p11prof_store *new, int folder,
                                     struct p11prof_descriptor *file, struct p11prof_error *error)
{
    struct stat facts;
    if (p11prof_descriptor_open(file, folder, strrchr(new->path, '/') + 1,
                                O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600) &&
        fchmod(file->fd, 0600) == 0 && fstat(file->fd, &facts) == 0) {
        p11prof_store_check_files(new->path, &facts);
        return P11PROF_OK;
    }
    return p11prof_error_set(error, P11PROF_FAILED,
                             "%s: cannot make the database: %m; check the permissions of its "
                             "folder",
                             new->path);
}

enum p11prof_status p11prof_store_create(struct p11prof_store *store, struct p11prof_error *error)
{
    uint64_t random;
    const char *name;
    struct p11prof_store new = {.writer_fd = -1};
    struct p11prof_descriptor folder, file = {.fd = -1};
    if (getrandom(&random, sizeof random, 0) != sizeof random ||
        asprintf(&new.path, "%s.new-%016llx", store->path, (unsigned long long)random) < 0) {
        return p11prof_error_set(error, P11PROF_FAILED, "%s: out of memory", store->path);
    }
    enum p11prof_status status = p11prof_store_folder_open(store, &folder, &name, error);
    if (!status) {
        status = file_make(&new, folder.fd, &file, error);
        status = status ? status : build(&new, error);
        status = status ? status : put_in_place(&new, folder.fd, name, file.fd, error);
        if (file.fd >= 0) {
            unlinkat(folder.fd, strrchr(new.path, '/') + 1, 0);
            p11prof_descriptor_close(&file);
        }
        p11prof_descriptor_close(&folder);
    }
    free(new.path);
    return status;
}
