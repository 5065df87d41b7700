/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Where a database is, and what is there: whether others could have had a hand in it. */
#include "p11prof/trusted.h"
#include "store/internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* SQLITE_OPEN_NOFOLLOW would refuse links in the folder, we only mind the file's: the walk resolves
 * them. */
enum p11prof_status p11prof_store_place(struct p11prof_store *store, const char *path,
                                        struct p11prof_error *error)
{
    const char *slash = strrchr(path, '/');
    const char *file = slash ? slash + 1 : path;
    struct p11prof_trusted_folder found;
    if (!*file) {
        return p11prof_error_set(error, P11PROF_REFUSED,
                                 "%s: this is a folder; give the path of a database", path);
    }
    enum p11prof_status status =
        p11prof_trusted_walk(&found, path, store->flags & P11PROF_STORE_CREATE, error);
    if (status) {
        return status;
    }
    store->shared_folder = found.shared;
    store->folder_device = found.device;
    store->folder_inode = found.inode;
    if (asprintf(&store->path, "%s/%s", found.path, file) < 0) {
        store->path = NULL;
    } else if (asprintf(&store->writer_path, "%s-writer", store->path) < 0) {
        store->writer_path = NULL;
    }
    return store->writer_path ? P11PROF_OK
                              : p11prof_error_set(error, P11PROF_FAILED, "%s: out of memory", path);
}

enum p11prof_status p11prof_store_folder_open(const struct p11prof_store *store,
                                              struct p11prof_descriptor *folder, const char **name,
                                              struct p11prof_error *error)
{
    char path[PATH_MAX];
    *name = strrchr(store->path, '/') + 1;
    size_t length = (size_t)(*name - store->path);
    if (length >= sizeof path) {
        return p11prof_error_set(error, P11PROF_FAILED, "%s: the path is too long", store->path);
    }
    memcpy(path, store->path, length);
    path[length] = '\0';
    if (!p11prof_descriptor_open(folder, AT_FDCWD, path, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0)) {
        return p11prof_error_set(error, P11PROF_FAILED, "%s: cannot open its folder: %m",
                                 store->path);
    }
    if (folder->device == store->folder_device && folder->inode == store->folder_inode) {
        return P11PROF_OK;
    }
    p11prof_descriptor_close(folder);
    return p11prof_error_set(error, P11PROF_BUSY,
                             "%s: its folder was replaced while it was opened; try again",
                             store->path);
}

/* Into store->file; *missing: why not. */
static enum p11prof_status look_in_folder(struct p11prof_store *store, int *missing,
                                          struct p11prof_error *error)
{
    struct p11prof_descriptor folder;
    const char *name;
    enum p11prof_status status = p11prof_store_folder_open(store, &folder, &name, error);
    if (status) {
        return status;
    }
    *missing = fstatat(folder.fd, name, &store->file, AT_SYMLINK_NOFOLLOW) ? errno : 0;
    p11prof_descriptor_close(&folder);
    errno = *missing;
    return P11PROF_OK;
}

/* NAME.new- and sixteen digits, as create.c calls what it makes. */
static bool named_unfinished(const char *name, const char *base)
{
    static const char infix[] = ".new-";
    size_t length = strlen(base), infix_length = sizeof infix - 1;
    if (strncmp(name, base, length) != 0 || strncmp(name + length, infix, infix_length) != 0) {
        return false;
    }
    const char *digits = name + length + infix_length;
    return strlen(digits) == 16 && strspn(digits, "0123456789abcdef") == 16;
}

/* Whoever was killed while it made the database left it a second name, or a file that became none:
 * making one takes no minute. */
static bool left_unfinished(const struct p11prof_store *store, const struct stat *other)
{
    return (other->st_dev == store->file.st_dev && other->st_ino == store->file.st_ino) ||
           (S_ISREG(other->st_mode) && other->st_nlink == 1 &&
            other->st_uid == store->file.st_uid && time(NULL) - other->st_mtime > 60);
}

static void forget_unfinished(const struct p11prof_store *store)
{
    const char *base = strrchr(store->path, '/') + 1;
    char *folder = strndup(store->path, (size_t)(base - store->path));
    DIR *entries = folder ? opendir(folder) : NULL;
    free(folder);
    for (struct dirent *entry; entries && (entry = readdir(entries));) {
        struct stat other;
        if (named_unfinished(entry->d_name, base) &&
            fstatat(dirfd(entries), entry->d_name, &other, AT_SYMLINK_NOFOLLOW) == 0 &&
            left_unfinished(store, &other)) {
            unlinkat(dirfd(entries), entry->d_name, 0);
        }
    }
    if (entries) {
        closedir(entries);
    }
}

static const char *problem_of_owner(const struct p11prof_store *store)
{
    uid_t owner = store->file.st_uid;
    if (store->shared_folder && !p11prof_trusted_owner(owner, 0)) {
        return "belongs to another user, in a folder where all may make files: move it to a "
               "folder of your own";
    }
    if (!p11prof_trusted_owner(owner, owner)) {
        return "belongs to another user: copy it (sqlite3's .backup), or ask as that user";
    }
    return NULL;
}

static const char *problem_of_database(struct p11prof_store *store)
{
    mode_t mode = store->file.st_mode;
    if (S_ISREG(mode) && (store->file.st_nlink > 1 || store->flags & P11PROF_STORE_MIGRATE)) {
        struct p11prof_error error;
        int missing;
        forget_unfinished(store);
        if (look_in_folder(store, &missing, &error) || missing) {
            return "was deleted while it was opened";
        }
    }
    return S_ISLNK(mode)               ? "is a symbolic link: give the real path"
           : S_ISDIR(mode)             ? "is a folder: give the path of a database"
           : !S_ISREG(mode)            ? "is not a regular file: choose another path"
           : store->file.st_size == 0  ? "is empty, not a database: remove it"
           : store->file.st_nlink != 1 ? "has a second name (a hard link): remove one of them"
                                       : problem_of_owner(store);
}

/* SQLite would write into these, and root would give them away. */
static enum p11prof_status look_beside(const struct p11prof_store *store,
                                       struct p11prof_error *error)
{
    static const char *const suffixes[] = {"-wal", "-shm", "-journal", "-writer"};
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        char path[PATH_MAX];
        struct stat found;
        if (snprintf(path, sizeof path, "%s%s", store->path, suffixes[i]) >= (int)sizeof path ||
            lstat(path, &found)) {
            continue; /* opening it says what is wrong */
        }
        const char *problem = S_ISLNK(found.st_mode)    ? "is a symbolic link"
                              : !S_ISREG(found.st_mode) ? "is not a regular file"
                              : found.st_nlink > 1      ? "has a second name (a hard link)"
                              : !p11prof_trusted_owner(found.st_uid, store->file.st_uid)
                                  ? "belongs to another user"
                                  : NULL;
        if (problem) {
            return p11prof_error_set(error, P11PROF_REFUSED,
                                     "%s: this %s, beside the database: remove it", path, problem);
        }
    }
    return P11PROF_OK;
}

enum p11prof_status p11prof_store_look(struct p11prof_store *store, struct p11prof_error *error)
{
    int missing = 0;
    enum p11prof_status status = look_in_folder(store, &missing, error);
    if (status) {
        return status;
    }
    if (missing && missing != ENOENT) {
        return p11prof_error_set(error, P11PROF_FAILED, "%s: cannot open the database: %m",
                                 store->path);
    }
    const char *problem = missing ? NULL : problem_of_database(store);
    if (problem) {
        return p11prof_error_set(error, P11PROF_REFUSED, "%s: this %s", store->path, problem);
    }
    if (missing) {
        store->file = (struct stat){.st_uid = geteuid()}; /* who makes it */
    }
    p11prof_store_check_files(store->path, &store->file);
    status = look_beside(store, error);
    return status || !missing
               ? status
               : p11prof_error_set(error, P11PROF_MISSING, "%s: cannot open the database: %s",
                                   store->path, strerror(missing));
}
