/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "trusted.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINKS_MAX = 40 };

struct walk {
    const char *path;        /* as it was asked for */
    char rest[PATH_MAX];     /* what is still to be walked: "" or "/…" */
    char name[NAME_MAX + 1]; /* the step under way */
    int folder;              /* where the walk stands */
    bool shared;             /* … and others may make files there */
    unsigned link_count;
    struct p11prof_error *error;
};

static bool refuse(const struct walk *walk, const char *why)
{
    p11prof_error_set(walk->error, P11PROF_REFUSED, "%s is not used: '%s' on its path %s",
                      walk->path, walk->name[0] ? walk->name : "/", why);
    return false;
}

static bool fail(const struct walk *walk)
{
    bool missing = errno == ENOENT || errno == ENOTDIR;
    p11prof_error_set(walk->error, missing ? P11PROF_MISSING : P11PROF_FAILED, "%s: %s", walk->path,
                      strerror(errno));
    return false;
}

static bool check_owner(const struct walk *walk, const struct stat *found)
{
    uid_t user = getauxval(AT_SECURE) ? 0 : geteuid();
    if (found->st_uid != 0 && found->st_uid != user)
        return refuse(walk, "belongs to another user (chown it)");
    return true;
}

static bool check_mode(const struct walk *walk, const struct stat *found)
{
    bool sticky_folder = S_ISDIR(found->st_mode) && found->st_mode & S_ISVTX;
    if (found->st_mode & (S_IWGRP | S_IWOTH) && !sticky_folder)
        return refuse(walk, "can be written by others (chmod go-w)");
    return true;
}

/* Makes `folder` the place where the walk stands; the caller keeps its descriptor. */
static bool enter(struct walk *walk, int folder, const struct stat *found)
{
    if (!check_owner(walk, found) || !check_mode(walk, found))
        return false;
    int kept = fcntl(folder, F_DUPFD_CLOEXEC, 3);
    if (kept < 0)
        return fail(walk);
    if (walk->folder >= 0)
        close(walk->folder);
    walk->folder = kept;
    walk->shared = found->st_mode & (S_IWGRP | S_IWOTH);
    return true;
}

static bool enter_root(struct walk *walk)
{
    struct stat found;
    walk->name[0] = '\0';
    int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root < 0)
        return fail(walk);
    bool entered = fstat(root, &found) == 0 ? enter(walk, root, &found) : fail(walk);
    close(root);
    return entered;
}

/* Puts the target of the link `link` (an O_PATH descriptor) before what is still to be walked. */
static bool follow(struct walk *walk, int link, const struct stat *found)
{
    char target[PATH_MAX];
    if (walk->shared)
        return refuse(walk, "is a link in a folder where others may make files");
    if (!check_owner(walk, found))
        return false;
    ssize_t length = readlinkat(link, "", target, sizeof target);
    if (length < 0)
        return fail(walk);
    size_t rest_bytes = strlen(walk->rest) + 1;
    if (++walk->link_count > LINKS_MAX || (size_t)length + rest_bytes > sizeof walk->rest)
        return refuse(walk, "is one link too many");
    memmove(walk->rest + length, walk->rest, rest_bytes);
    memcpy(walk->rest, target, (size_t)length);
    return target[0] != '/' || enter_root(walk);
}

/* Opens the file that the walk has come to; `found` is what the step saw. */
static bool take_file(struct walk *walk, const struct stat *found, int *file)
{
    struct stat opened;
    if (!S_ISREG(found->st_mode))
        return refuse(walk, "is no regular file");
    if (walk->shared)
        return refuse(walk, "is a file in a folder where others may make files");
    if (!check_owner(walk, found) || !check_mode(walk, found))
        return false;
    int opening = openat(walk->folder, walk->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (opening < 0)
        return fail(walk);
    if (fstat(opening, &opened) != 0 || opened.st_ino != found->st_ino ||
        opened.st_dev != found->st_dev) {
        close(opening);
        return refuse(walk, "was replaced while it was opened");
    }
    *file = opening;
    return false;
}

/* Cuts the next step off walk->rest into walk->name. */
static bool next_step(struct walk *walk)
{
    const char *start = walk->rest + strspn(walk->rest, "/");
    size_t length = strcspn(start, "/");
    if (length > NAME_MAX) {
        errno = ENAMETOOLONG;
        return fail(walk);
    }
    memcpy(walk->name, start, length);
    walk->name[length] = '\0';
    memmove(walk->rest, start + length, strlen(start + length) + 1);
    return true;
}

/* Goes on to `place`, which walk->name is. Returns true where there is more to walk; else *file is
 * the end of it, if the file may be taken. */
static bool go_on(struct walk *walk, int place, int *file)
{
    struct stat found;
    if (fstat(place, &found) != 0)
        return fail(walk);
    if (S_ISDIR(found.st_mode))
        return enter(walk, place, &found);
    if (S_ISLNK(found.st_mode))
        return follow(walk, place, &found);
    if (!walk->rest[0])
        return take_file(walk, &found, file);
    errno = ENOTDIR;
    return fail(walk);
}

static bool step(struct walk *walk, int *file)
{
    if (!next_step(walk))
        return false;
    if (!walk->name[0])
        return refuse(walk, "is no regular file");
    int place = openat(walk->folder, walk->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (place < 0)
        return fail(walk);
    bool more = go_on(walk, place, file);
    close(place);
    return more;
}

static bool start(struct walk *walk)
{
    char here[PATH_MAX] = "";
    if (walk->path[0] != '/' && !getcwd(here, sizeof here))
        return fail(walk);
    if (snprintf(walk->rest, sizeof walk->rest, "%s/%s", here, walk->path) >= PATH_MAX) {
        errno = ENAMETOOLONG;
        return fail(walk);
    }
    return enter_root(walk);
}

int p11prof_trusted_open(const char *path, struct p11prof_error *error)
{
    struct walk walk = {.path = path, .folder = -1, .error = error};
    int file = -1;
    bool more = start(&walk);
    while (more)
        more = step(&walk, &file);
    if (walk.folder >= 0)
        close(walk.folder);
    return file;
}
