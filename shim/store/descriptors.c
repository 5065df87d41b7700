/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* SQLite's system calls on descriptors that an application has, too: none of them reaches a file
 * that is not ours. What SQLite finds then is an I/O error; the transaction is rolled back. */
#include "descriptor.h"
#include "p11prof/trusted.h"
#include "store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

enum { FILES_MOST = 32, DATABASES = 64 };

static struct p11prof_descriptor files[FILES_MOST];
static unsigned file_count;
static bool shared, lost;    /* lost: one of them was not ours any more */
static _Atomic(uid_t) owner; /* of the database that was looked at last */
static struct {
    _Atomic(uint64_t) path_hash;
    _Atomic(dev_t) device;
    _Atomic(ino_t) inode;
} databases[DATABASES]; /* that were looked at last */
static _Atomic(unsigned) database_count;
static int (*sleep_us)(sqlite3_vfs *vfs, int us);

static struct p11prof_descriptor *file_of(int fd)
{
    for (unsigned i = 0; i < file_count; i++)
        if (files[i].fd == fd)
            return &files[i];
    return NULL;
}

/* Descriptors that were opened by others (there are none) are theirs to know. */
static bool usable(int fd)
{
    const struct p11prof_descriptor *file = file_of(fd);
    bool ours = !file || p11prof_descriptor_is_ours(file);
    lost = lost || !ours;
    return ours;
}

/* The length of the database's path, 0: it is none of its files. */
static size_t is_beside(const char *path)
{
    static const char *const suffixes[] = {"-wal", "-shm", "-journal", "-writer"};
    size_t length = strlen(path);
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        size_t suffix_length = strlen(suffixes[i]);
        if (length > suffix_length && strcmp(path + length - suffix_length, suffixes[i]) == 0)
            return length - suffix_length;
    }
    return 0;
}

static uint64_t hash_of(const char *text)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    while (*text)
        hash = (hash ^ (unsigned char)*text++) * UINT64_C(0x100000001b3);
    return hash;
}

/* Whether this is the database `path` as it was looked at. True of what never was. */
static bool is_looked_at(const char *path, const struct stat *found)
{
    uint64_t hash = hash_of(path);
    bool known = false;
    for (unsigned i = 0; i < DATABASES; i++) {
        if (!databases[i].inode || databases[i].path_hash != hash)
            continue;
        known = true;
        if (databases[i].inode == found->st_ino && databases[i].device == found->st_dev)
            return true;
    }
    return !known;
}

/* Whether the folder holds that database. */
static bool holds_database(int folder, const char *path)
{
    struct stat found;
    if (fstatat(folder, strrchr(path, '/') + 1, &found, AT_SYMLINK_NOFOLLOW) != 0)
        found.st_ino = 0;
    return is_looked_at(path, &found);
}

/* Root makes files in folders of others, who may put a link to another folder in their place: the
 * folder is held that they are made in, beside the database. */
static bool hold_folder(struct p11prof_descriptor *folder, const char *path, size_t length)
{
    char text[PATH_MAX];
    if (snprintf(text, sizeof text, "%.*s", (int)length, path) >= (int)sizeof text)
        return false;
    char *slash = strrchr(text, '/');
    if (!slash)
        return false;
    *slash = '\0';
    bool open =
        p11prof_descriptor_open(folder, AT_FDCWD, *text ? text : "/", O_PATH | O_DIRECTORY, 0);
    *slash = '/';
    if (!open)
        return false;
    if (holds_database(folder->fd, text))
        return true;
    p11prof_descriptor_close(folder);
    errno = EPERM;
    return false;
}

/* The database must be what was looked at: its folder may have been another for a moment. SQLite
 * gives what lies beside it to its owner and writes into it, whatever file that is. */
static bool is_good(int fd, const char *path, bool beside)
{
    struct stat facts;
    if (fstat(fd, &facts) != 0)
        return false;
    return beside ? S_ISREG(facts.st_mode) && facts.st_nlink <= 1 &&
                        p11prof_trusted_owner(facts.st_uid, owner)
                  : is_looked_at(path, &facts);
}

static int open_plain(const char *path, int flags, int mode)
{
    size_t beside = is_beside(path);
    bool held = beside && geteuid() == 0;
    struct p11prof_descriptor folder = {.fd = AT_FDCWD};
    if (held && !hold_folder(&folder, path, beside))
        return -1;
    int fd = openat(folder.fd, held ? strrchr(path, '/') + 1 : path,
                    flags | (beside ? O_NOFOLLOW | O_NONBLOCK : 0) | O_CLOEXEC, mode);
    if (held)
        p11prof_descriptor_close(&folder);
    if (fd < 0 || is_good(fd, path, beside))
        return fd;
    close(fd);
    errno = EPERM;
    return -1;
}

static bool open_shared(struct p11prof_descriptor *file, const char *path, int flags, int mode)
{
    bool beside = is_beside(path);
    flags |= beside ? O_NOFOLLOW | O_NONBLOCK : 0;
    if (!p11prof_descriptor_open(file, AT_FDCWD, path, flags, (mode_t)mode))
        return false;
    if (is_good(file->fd, path, beside))
        return true;
    p11prof_descriptor_close(file);
    errno = EPERM;
    return false;
}

int p11prof_store_file_open(const char *path, int flags, int mode)
{
    struct p11prof_descriptor file;
    if (!shared)
        return open_plain(path, flags, mode);
    lost = lost && file_count > 0;
    if (file_count == FILES_MOST) {
        errno = EMFILE;
        return -1;
    }
    if (!open_shared(&file, path, flags, mode))
        return -1;
    files[file_count++] = file;
    return file.fd;
}

void p11prof_store_file_forget(int fd)
{
    struct p11prof_descriptor *file = file_of(fd);
    if (file)
        *file = files[--file_count];
}

int p11prof_store_file_close(int fd)
{
    const struct p11prof_descriptor *file = file_of(fd);
    if (file && !p11prof_descriptor_is_ours(file)) {
        p11prof_store_file_forget(fd);
        return 0;
    }
    p11prof_store_file_forget(fd);
    return close(fd);
}

static ssize_t read_at(int fd, void *bytes, size_t count, off_t offset)
{
    return usable(fd) ? pread(fd, bytes, count, offset) : -1;
}

static ssize_t write_at(int fd, const void *bytes, size_t count, off_t offset)
{
    return usable(fd) ? pwrite(fd, bytes, count, offset) : -1;
}

static int cut(int fd, off_t bytes)
{
    return usable(fd) ? ftruncate(fd, bytes) : -1;
}

static int mode_set(int fd, mode_t mode)
{
    return usable(fd) ? fchmod(fd, mode) : -1;
}

static int owner_set(int fd, uid_t user, gid_t group)
{
    return usable(fd) ? fchown(fd, user, group) : -1;
}

static int control(int fd, int command, ...)
{
    va_list arguments;
    va_start(arguments, command);
    void *argument = va_arg(arguments, void *); /* a number or a pointer, in the same place */
    va_end(arguments);
    return usable(fd) ? fcntl(fd, command, argument) : -1;
}

static void *map(void *start, size_t bytes, int protection, int flags, int fd, off_t offset)
{
    return fd < 0 || usable(fd) ? mmap(start, bytes, protection, flags, fd, offset) : MAP_FAILED;
}

/* A lock on a lost file looks taken to SQLite, which would wait ten seconds for it. */
static int sleep_unless_lost(sqlite3_vfs *vfs, int us)
{
    return lost ? us : sleep_us(vfs, us);
}

static const struct {
    const char *name;
    sqlite3_syscall_ptr call;
} calls[] = {
    {"close", (sqlite3_syscall_ptr)p11prof_store_file_close},
    {"pread", (sqlite3_syscall_ptr)read_at},
    {"pread64", (sqlite3_syscall_ptr)read_at},
    {"pwrite", (sqlite3_syscall_ptr)write_at},
    {"pwrite64", (sqlite3_syscall_ptr)write_at},
    {"ftruncate", (sqlite3_syscall_ptr)cut},
    {"fchmod", (sqlite3_syscall_ptr)mode_set},
    {"fchown", (sqlite3_syscall_ptr)owner_set},
    {"fcntl", (sqlite3_syscall_ptr)control},
    {"mmap", (sqlite3_syscall_ptr)map},
};

void p11prof_store_check_files(const char *path, const struct stat *database)
{
    static _Atomic(bool) installed;
    owner = database->st_uid;
    if (database->st_ino) {
        unsigned place = database_count++ % DATABASES;
        databases[place].device = database->st_dev;
        databases[place].inode = database->st_ino;
        databases[place].path_hash = hash_of(path);
    }
    sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
    if (vfs && !atomic_exchange(&installed, true))
        vfs->xSetSystemCall(vfs, "open", (sqlite3_syscall_ptr)p11prof_store_file_open);
}

void p11prof_store_share_descriptors(bool with_application)
{
    static bool installed;
    sqlite3_vfs *vfs = with_application && !installed ? sqlite3_vfs_find(NULL) : NULL;
    shared = with_application;
    if (vfs) {
        sleep_us = vfs->xSleep;
        vfs->xSleep = sleep_unless_lost;
    }
    for (size_t i = 0; vfs && i < sizeof calls / sizeof *calls; i++)
        vfs->xSetSystemCall(vfs, calls[i].name, calls[i].call);
    installed = installed || vfs;
}
