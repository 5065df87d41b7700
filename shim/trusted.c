/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "p11prof/trusted.h"

#include "descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

enum { LINKS_MAX = 40, UNKNOWN_USER = 65534 };

struct walk {
    const char *path;                 /* as it was asked for */
    char rest[PATH_MAX];              /* what is still to be walked: "" or "/…" */
    char name[NAME_MAX + 1];          /* the step under way */
    struct p11prof_descriptor folder; /* where the walk stands */
    bool shared;                      /* … and others may make files there */
    unsigned link_count;
    struct p11prof_trusted_folder *found; /* the walk of a database; NULL: of a file */
    bool make;                            /* what is missing */
    bool has_guest;                       /* root is in folders of this other user */
    uid_t guest;
    struct p11prof_error *error;
};

static struct stat expected_root; /* st_ino 0: any */

void p11prof_trusted_root(const struct stat *root)
{
    expected_root = *root;
}

/* --- whose, and who may write --- */

static bool refuse(const struct walk *walk, const char *why)
{
    p11prof_error_set(walk->error, P11PROF_REFUSED, "%s is not used: '%s' on its path %s",
                      walk->path, walk->name[0] ? walk->name : "/", why);
    return false;
}

static bool fail(const struct walk *walk)
{
    bool missing = errno == ENOENT || (errno == ENOTDIR && !walk->found);
    p11prof_error_set(walk->error, missing ? P11PROF_MISSING : P11PROF_FAILED, "%s: %s%s",
                      walk->path, walk->found ? "cannot find the folder of the database: " : "",
                      strerror(errno));
    return false;
}

static uid_t user(void)
{
    return getauxval(AT_SECURE) ? 0 : geteuid();
}

/* Owners that have no number in our user namespace all have this one. */
static bool is_unmapped(uid_t owner)
{
    char map[64] = "";
    unsigned long first, outside, count = UINT32_MAX;
    struct p11prof_descriptor file;
    if (owner != UNKNOWN_USER ||
        !p11prof_descriptor_open(&file, AT_FDCWD, "/proc/self/uid_map", O_RDONLY, 0))
        return false;
    ssize_t length = p11prof_descriptor_read(&file, map, sizeof map - 1);
    p11prof_descriptor_close(&file);
    return length > 0 && sscanf(map, "%lu %lu %lu", &first, &outside, &count) == 3 &&
           count != UINT32_MAX;
}

bool p11prof_trusted_owner(uid_t owner, uid_t database_owner)
{
    return owner == 0 || owner == user() || (user() == 0 && owner == database_owner) ||
           is_unmapped(owner);
}

static bool owner_is_good(struct walk *walk, uid_t owner)
{
    if (owner == 0 || owner == user() || (walk->has_guest && owner == walk->guest))
        return true;
    if (!walk->found)
        return false;
    if (walk->has_guest || geteuid() != 0 || getauxval(AT_SECURE))
        return is_unmapped(owner);
    walk->has_guest = true;
    walk->guest = owner;
    return true;
}

static bool check_owner(struct walk *walk, const struct stat *found)
{
    return owner_is_good(walk, found->st_uid) || refuse(walk, "belongs to another user (chown it)");
}

static bool group_is_private(const struct stat *found)
{
    return found->st_gid == 0 || found->st_gid == found->st_uid;
}

static bool check_mode(const struct walk *walk, const struct stat *found)
{
    bool sticky_folder = S_ISDIR(found->st_mode) && found->st_mode & S_ISVTX;
    mode_t others = S_IWOTH;
    if (!walk->found || !group_is_private(found))
        others |= S_IWGRP;
    if (found->st_mode & others && !sticky_folder)
        return refuse(walk, "can be written by others (chmod go-w)");
    return true;
}

/* --- steps --- */

/* The path of where the walk stands. */
static bool note_place(struct walk *walk)
{
    char *path = walk->found ? walk->found->path : NULL;
    if (!path)
        return true;
    size_t length = strlen(path);
    if (!walk->name[0]) {
        *path = '\0';
    } else if (strcmp(walk->name, "..") == 0) {
        char *slash = strrchr(path, '/');
        if (slash)
            *slash = '\0';
    } else if (strcmp(walk->name, ".") != 0) {
        if (length + strlen(walk->name) + 2 > PATH_MAX) {
            errno = ENAMETOOLONG;
            return fail(walk);
        }
        stpcpy(stpcpy(path + length, "/"), walk->name);
    }
    return true;
}

/* Makes `folder` the place where the walk stands, and its owner. */
static bool enter(struct walk *walk, struct p11prof_descriptor *folder, const struct stat *found)
{
    if (!check_owner(walk, found) || !check_mode(walk, found) || !note_place(walk))
        return false;
    p11prof_descriptor_close(&walk->folder);
    walk->folder = *folder;
    folder->fd = -1;
    walk->shared = found->st_mode & (S_IWGRP | S_IWOTH) && found->st_mode & S_ISVTX;
    return true;
}

static bool enter_root(struct walk *walk)
{
    struct stat found;
    struct p11prof_descriptor root;
    walk->name[0] = '\0';
    if (!p11prof_descriptor_open(&root, AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0))
        return fail(walk);
    bool entered = fstat(root.fd, &found) == 0 || fail(walk);
    if (entered && expected_root.st_ino &&
        (found.st_ino != expected_root.st_ino || found.st_dev != expected_root.st_dev))
        entered = refuse(walk, "is another root folder than at the start");
    entered = entered && enter(walk, &root, &found);
    p11prof_descriptor_close(&root);
    return entered;
}

/* Puts the target of the link `link` (an O_PATH descriptor) before what is still to be walked. */
static bool follow(struct walk *walk, int link, const struct stat *found)
{
    char target[PATH_MAX];
    if (walk->shared && (!walk->found || (found->st_uid != 0 && found->st_uid != user())))
        return refuse(walk, "is a link in a folder where others may make files");
    if (!check_owner(walk, found))
        return false;
    if (walk->has_guest && found->st_uid == walk->guest)
        return refuse(walk, "is a link of another user, who may lead it anywhere (give the path "
                            "that it leads to)");
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
    struct p11prof_descriptor opening;
    if (!S_ISREG(found->st_mode))
        return refuse(walk, "is no regular file");
    if (walk->shared)
        return refuse(walk, "is a file in a folder where others may make files");
    if (!check_owner(walk, found) || !check_mode(walk, found))
        return false;
    if (!p11prof_descriptor_open(&opening, walk->folder.fd, walk->name,
                                 O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0))
        return fail(walk);
    if (fstat(opening.fd, &opened) != 0 || opened.st_ino != found->st_ino ||
        opened.st_dev != found->st_dev) {
        p11prof_descriptor_close(&opening);
        return refuse(walk, "was replaced while it was opened");
    }
    *file = opening.fd;
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
static bool go_on(struct walk *walk, struct p11prof_descriptor *place, int *file)
{
    struct stat found;
    if (fstat(place->fd, &found) != 0)
        return fail(walk);
    if (S_ISDIR(found.st_mode))
        return enter(walk, place, &found);
    if (S_ISLNK(found.st_mode))
        return follow(walk, place->fd, &found);
    if (!walk->rest[0] && !walk->found)
        return take_file(walk, &found, file);
    errno = ENOTDIR;
    return fail(walk);
}

/* mkdir() obeys the umask, which is the application's. */
static bool make_folder(const struct walk *walk)
{
    struct stat made;
    bool ours = mkdirat(walk->folder.fd, walk->name, 0700) == 0;
    if (!ours && errno != EEXIST) {
        p11prof_error_set(walk->error, P11PROF_FAILED,
                          "%s/%s: cannot make the folder of the database: %s", walk->found->path,
                          walk->name, strerror(errno));
        return false;
    }
    /* Whether it worked, opening a file in it tells. */
    if (ours && fstatat(walk->folder.fd, walk->name, &made, AT_SYMLINK_NOFOLLOW) == 0 &&
        made.st_uid == geteuid() && (made.st_mode & 0700) != 0700)
        (void)!fchmodat(walk->folder.fd, walk->name, 0700, AT_SYMLINK_NOFOLLOW);
    return true;
}

static bool open_place(const struct walk *walk, struct p11prof_descriptor *place)
{
    const int flags = O_PATH | O_NOFOLLOW;
    bool open = p11prof_descriptor_open(place, walk->folder.fd, walk->name, flags, 0);
    if (!open && errno == ENOENT && walk->make) {
        if (!make_folder(walk))
            return false;
        open = p11prof_descriptor_open(place, walk->folder.fd, walk->name, flags, 0);
    }
    return open || fail(walk);
}

static bool step(struct walk *walk, int *file)
{
    struct p11prof_descriptor place;
    if (!next_step(walk))
        return false;
    if (!walk->name[0])
        return !walk->found && refuse(walk, "is no regular file");
    if (!open_place(walk, &place))
        return false;
    bool more = go_on(walk, &place, file);
    p11prof_descriptor_close(&place);
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
    if (walk->found)
        *strrchr(walk->rest, '/') = '\0';
    return enter_root(walk);
}

/* --- walks --- */

int p11prof_trusted_open(const char *path, struct p11prof_error *error)
{
    struct walk walk = {.path = path, .folder.fd = -1, .error = error};
    int file = -1;
    bool more = start(&walk);
    while (more)
        more = step(&walk, &file);
    p11prof_descriptor_close(&walk.folder);
    return file;
}

enum p11prof_status p11prof_trusted_walk(struct p11prof_trusted_folder *found, const char *path,
                                         bool make, struct p11prof_error *error)
{
    struct p11prof_error why = {.status = P11PROF_OK};
    struct walk walk = {.path = path, .folder.fd = -1, .found = found, .make = make, .error = &why};
    int no_file = -1;
    found->path[0] = '\0';
    bool more = start(&walk);
    while (more)
        more = step(&walk, &no_file);
    found->shared = walk.shared;
    found->device = walk.folder.device;
    found->inode = walk.folder.inode;
    p11prof_descriptor_close(&walk.folder);
    return why.status ? p11prof_error_set(error, why.status, "%s", why.text) : P11PROF_OK;
}
