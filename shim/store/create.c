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

/* One folder; an umask may not take its owner's rights. */
static int make_one(const char *folder)
{
    if (mkdir(folder, 0700) == 0) {
        return chmod(folder, 0700);
    }
    return errno == EEXIST ? 0 : -1;
}

enum p11prof_status p11prof_store_make_folder(const char *path, struct p11prof_error *error)
{
    char *copy = strdup(path);
    if (!copy) {
        return p11prof_error_set(error, P11PROF_FAILED, "%s: out of memory", path);
    }
    int failed = 0;
    for (char *slash = strchr(copy + 1, '/'); *copy && slash && !failed;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        failed = make_one(copy);
        *slash = failed ? '\0' : '/';
    }
    enum p11prof_status status = P11PROF_OK;
    /* A folder that exists may refuse mkdir for other reasons; whether it is there shows later. */
    if (failed && access(copy, F_OK)) {
        status = p11prof_error_set(error, P11PROF_FAILED,
                                   "%s: cannot make the folder of the database: %m", copy);
    }
    free(copy);
    return status;
}

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
static enum p11prof_status put_in_place(const struct p11prof_store *new, const char *path, int fd,
                                        struct p11prof_error *error)
{
    if (fsync(fd)) {
        return p11prof_error_set(error, P11PROF_FAILED, "%s: cannot write the database: %m",
                                 new->path);
    }
    if (link(new->path, path) && errno != EEXIST) {
        return p11prof_error_set(error, P11PROF_FAILED, "%s: cannot make the database: %m", path);
    }
    return P11PROF_OK;
}

enum p11prof_status p11prof_store_create(struct p11prof_store *store, struct p11prof_error *error)
{
    uint64_t random;
    struct p11prof_store new = {.writer_fd = -1};
    if (getrandom(&random, sizeof random, 0) != sizeof random ||
        asprintf(&new.path, "%s.new-%016llx", store->path, (unsigned long long)random) < 0) {
        return p11prof_error_set(error, P11PROF_FAILED, "%s: out of memory", store->path);
    }
    enum p11prof_status status = P11PROF_OK;
    int fd = open(new.path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0 || fchmod(fd, 0600)) {
        status = p11prof_error_set(error, P11PROF_FAILED,
                                   "%s: cannot make the database: %m; check the permissions of "
                                   "its folder",
                                   store->path);
    }
    status = status ? status : build(&new, error);
    status = status ? status : put_in_place(&new, store->path, fd, error);
    if (fd >= 0) {
        unlink(new.path);
        close(fd);
    }
    free(new.path);
    return status;
}
