/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The lock that all writers of a database hold: flock() on `<db>-writer`. */
#include "store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

static bool same_file(const struct stat *one, const struct stat *other)
{
    return one->st_dev == other->st_dev && one->st_ino == other->st_ino;
}

/* By the clock: where the machine is busy, a nap of 1 ms is many. */
uint64_t p11prof_store_deadline_ns(unsigned wait_ms)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec + wait_ms * UINT64_C(1000000);
}

bool p11prof_store_wait(const struct p11prof_store *store, uint64_t deadline_ns)
{
    const struct timespec nap = {.tv_nsec = 1000000};
    if (p11prof_store_stopped(store) || p11prof_store_deadline_ns(0) >= deadline_ns) {
        return false;
    }
    nanosleep(&nap, NULL);
    return true;
}

/* Whether writer_fd still is the file at its path. The application may have closed or reused the
 * descriptor: then it is not ours to close. */
static bool writer_is_open(struct p11prof_store *store)
{
    struct stat at_fd, at_path;
    if (store->writer_fd < 0) {
        return false;
    }
    if (fstat(store->writer_fd, &at_fd) || !same_file(&at_fd, &store->writer_file)) {
        p11prof_store_file_forget(store->writer_fd);
        store->writer_fd = -1;
        return false;
    }
    if (lstat(store->writer_path, &at_path) || !same_file(&at_path, &at_fd)) {
        p11prof_store_file_close(store->writer_fd);
        store->writer_fd = -1;
        return false;
    }
    return true;
}

/* The lock file belongs to the owner of the database, whoever makes it, and whatever the umask. */
static void give_to_owner(const struct p11prof_store *store)
{
    const struct stat *file = &store->writer_file;
    bool foreign = file->st_uid != store->file.st_uid || file->st_gid != store->file.st_gid;
    if (geteuid() == 0 && foreign &&
        fchown(store->writer_fd, store->file.st_uid, store->file.st_gid)) {
        return; /* root of another user namespace: the file stays root's */
    }
    if ((file->st_mode & 07777) != 0600 && fchmod(store->writer_fd, 0600)) {
        return; /* somebody else's: it could be opened, and that is enough */
    }
}

static enum p11prof_status open_writer(struct p11prof_store *store, struct p11prof_error *error)
{
    if (writer_is_open(store)) {
        return P11PROF_OK;
    }
    int fd = p11prof_store_file_open(store->writer_path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK,
                                     0600);
    if (fd < 0 || fstat(fd, &store->writer_file)) {
        return p11prof_error_set(error, P11PROF_FAILED,
                                 "%s: cannot open the lock file: %m; check its permissions and "
                                 "those of its folder",
                                 store->writer_path);
    }
    if (!S_ISREG(store->writer_file.st_mode)) {
        p11prof_store_file_close(fd);
        return p11prof_error_set(error, P11PROF_REFUSED,
                                 "%s: the lock file is not a regular file; remove it",
                                 store->writer_path);
    }
    store->writer_fd = fd;
    give_to_owner(store);
    return P11PROF_OK;
}

enum p11prof_status p11prof_store_lock(struct p11prof_store *store, uint64_t deadline_ns,
                                       struct p11prof_error *error)
{
    do {
        enum p11prof_status status = open_writer(store, error);
        if (status) {
            return status;
        }
        /* Whoever removed the file between our open and our lock locks another one. */
        if (flock(store->writer_fd, LOCK_EX | LOCK_NB) == 0 && writer_is_open(store)) {
            return P11PROF_OK;
        }
    } while (p11prof_store_wait(store, deadline_ns));
    return p11prof_error_set(error, P11PROF_BUSY, "%s: another process is writing; try again",
                             store->path);
}

void p11prof_store_unlock(struct p11prof_store *store)
{
    if (writer_is_open(store)) {
        flock(store->writer_fd, LOCK_UN);
    }
}
