/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "folders.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { UNFINISHED_KEEP_S = 60 };

#define SHM_FOLDER        "/dev/shm"
#define FOLDER_PREFIX     "p11prof-"
#define UNFINISHED_PREFIX ".new-"

struct visiting {
    bool (*visit)(void *payload, const struct spool_file *file);
    void *payload;
    bool stopped;
};

static bool ends_with(const char *text, const char *end)
{
    size_t text_length = strlen(text), end_length = strlen(end);
    return text_length >= end_length && strcmp(text + text_length - end_length, end) == 0;
}

static enum p11prof_status problem_set(struct spool_file *file, const char *what)
{
    return p11prof_error_set(&file->problem, P11PROF_REFUSED, "%s", what);
}

/* Another version's members stand elsewhere. */
static void header_check(struct spool_file *file)
{
    const struct p11prof_spool_header *header = &file->header;
    struct p11prof_spool_layout layout;
    if (!p11prof_spool_layout(&layout, file->file_bytes) ||
        pread(file->fd, &file->header, sizeof file->header, 0) != (ssize_t)sizeof file->header ||
        memcmp(header->magic, P11PROF_SPOOL_MAGIC, sizeof header->magic) != 0)
        problem_set(file, "this is no spool of p11prof: left alone");
    else if (header->version != P11PROF_SPOOL_VERSION)
        p11prof_error_set(&file->problem, P11PROF_REFUSED,
                          "a spool of version %u; this p11prof reads version %d: take it with the "
                          "p11prof that it was made with",
                          header->version, P11PROF_SPOOL_VERSION);
}

static void facts_take(struct spool_file *file, const struct stat *facts)
{
    file->user_id = facts->st_uid;
    file->file_bytes = (uint64_t)facts->st_size;
    file->used_bytes = (uint64_t)facts->st_blocks * 512;
}

/* Fills the file's facts, or says what is wrong with it. */
static void file_check(struct spool_file *file, uint32_t folder_owner)
{
    struct stat facts;
    if (fstat(file->fd, &facts) != 0) {
        problem_set(file, strerror(errno));
        return;
    }
    facts_take(file, &facts);
    if (!S_ISREG(facts.st_mode) || facts.st_nlink != 1 || facts.st_uid != folder_owner) {
        problem_set(file, "not a plain file of the folder's owner with one link: left alone");
        return;
    }
    file->gone = flock(file->fd, LOCK_EX | LOCK_NB) == 0;
    header_check(file);
}

bool spool_file_is_nameless(struct spool_file *file)
{
    struct stat facts;
    if (fstat(file->fd, &facts) != 0 || facts.st_nlink != 0)
        return false;
    facts_take(file, &facts);
    file->gone = flock(file->fd, LOCK_EX | LOCK_NB) == 0;
    header_check(file);
    return true;
}

static void file_visit(struct visiting *visiting, int folder, const char *folder_path,
                       const char *name, uint32_t folder_owner)
{
    char path[4096];
    struct spool_file file = {.folder = folder, .name = name, .path = path};
    snprintf(path, sizeof path, "%s/%s", folder_path, name);
    file.fd = openat(folder, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (file.fd < 0 && errno == ENOENT)
        return;
    if (file.fd < 0)
        problem_set(&file, errno == ELOOP ? "a symbolic link: left alone" : strerror(errno));
    else
        file_check(&file, folder_owner);
    visiting->stopped = !visiting->visit(visiting->payload, &file);
    if (file.fd >= 0)
        close(file.fd);
}

/* A spool whose process died before it had its name holds nothing. */
static void unfinished_remove(int folder, const char *name)
{
    struct stat facts;
    int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return;
    if (fstat(fd, &facts) == 0 && S_ISREG(facts.st_mode) &&
        facts.st_mtime + UNFINISHED_KEEP_S < time(NULL) && flock(fd, LOCK_EX | LOCK_NB) == 0)
        unlinkat(folder, name, 0);
    close(fd);
}

static void folder_problem(struct visiting *visiting, const char *path, const char *what)
{
    struct spool_file file = {.folder = -1, .fd = -1, .name = "", .path = path};
    problem_set(&file, what);
    visiting->stopped = !visiting->visit(visiting->payload, &file);
}

static void folder_visit(struct visiting *visiting, int parent, const char *name, const char *path)
{
    struct stat facts;
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        if (errno != EACCES && errno != ENOENT)
            folder_problem(visiting, path, strerror(errno));
        return;
    }
    if (fstat(fd, &facts) != 0 || (facts.st_mode & 0022) != 0) {
        folder_problem(visiting, path, "others may write this folder: left alone");
        close(fd);
        return;
    }
    DIR *entries = fdopendir(fd);
    if (!entries) {
        close(fd);
        return;
    }
    for (struct dirent *entry; !visiting->stopped && (entry = readdir(entries));) {
        if (strncmp(entry->d_name, UNFINISHED_PREFIX, strlen(UNFINISHED_PREFIX)) == 0)
            unfinished_remove(fd, entry->d_name);
        else if (ends_with(entry->d_name, P11PROF_SPOOL_SUFFIX))
            file_visit(visiting, fd, path, entry->d_name, facts.st_uid);
    }
    closedir(entries);
}

void spool_files_visit(const char *folder,
                       bool (*visit)(void *payload, const struct spool_file *file), void *payload)
{
    struct visiting visiting = {visit, payload, false};
    if (folder) {
        folder_visit(&visiting, AT_FDCWD, folder, folder);
        return;
    }
    DIR *entries = opendir(SHM_FOLDER);
    if (!entries)
        return;
    for (struct dirent *entry; !visiting.stopped && (entry = readdir(entries));) {
        char path[sizeof SHM_FOLDER + sizeof entry->d_name + 1];
        if (strncmp(entry->d_name, FOLDER_PREFIX, strlen(FOLDER_PREFIX)) != 0)
            continue;
        snprintf(path, sizeof path, SHM_FOLDER "/%s", entry->d_name);
        folder_visit(&visiting, dirfd(entries), entry->d_name, path);
    }
    closedir(entries);
}
