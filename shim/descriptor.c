/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TABLE_MOST = 1024, TABLE_LEAST = 128, OURS = 64, LEAST = STDERR_FILENO + 1, OPEN_TRIES = 8 };

/* The lowest number that we ask for. */
static int lowest(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < TABLE_LEAST)
        return LEAST;
    return (int)(limit.rlim_cur < TABLE_MOST ? limit.rlim_cur : TABLE_MOST) - OURS;
}

bool p11prof_descriptor_is_ours(const struct p11prof_descriptor *descriptor)
{
    struct stat facts;
    int saved_errno = errno;
    bool ours = descriptor->fd >= 0 && fstat(descriptor->fd, &facts) == 0 &&
                facts.st_dev == descriptor->device && facts.st_ino == descriptor->inode;
    errno = ours ? saved_errno : EBADF;
    return ours;
}

void p11prof_descriptor_close(struct p11prof_descriptor *descriptor)
{
    int saved_errno = errno;
    if (p11prof_descriptor_is_ours(descriptor))
        close(descriptor->fd);
    descriptor->fd = -1;
    errno = saved_errno;
}

/* Out of the way of who opens files and expects low numbers. Where there are few, any number does
 * but those of standard input, output and error. */
static bool move_up(struct p11prof_descriptor *descriptor)
{
    int least = lowest();
    if (descriptor->fd >= least)
        return true;
    struct p11prof_descriptor moved = *descriptor;
    moved.fd = fcntl(descriptor->fd, F_DUPFD_CLOEXEC, least);
    if (moved.fd < 0 && errno != EBADF && descriptor->fd >= LEAST)
        return true;
    if (moved.fd < 0 && (moved.fd = fcntl(descriptor->fd, F_DUPFD_CLOEXEC, LEAST)) < 0) {
        p11prof_descriptor_close(descriptor);
        return false;
    }
    bool ours = p11prof_descriptor_is_ours(&moved);
    p11prof_descriptor_close(descriptor);
    if (ours)
        *descriptor = moved;
    else
        close(moved.fd); /* a second descriptor of the application's file: made by us */
    return ours;
}

static bool open_once(struct p11prof_descriptor *descriptor, int folder, const char *path,
                      int flags, mode_t mode)
{
    struct stat facts;
    descriptor->fd = openat(folder, path, flags | O_CLOEXEC, mode);
    if (descriptor->fd < 0)
        return false;
    if (fstatat(folder, path, &facts, flags & O_NOFOLLOW ? AT_SYMLINK_NOFOLLOW : 0) != 0) {
        facts.st_dev = 0;
        facts.st_ino = 0;
    }
    descriptor->device = facts.st_dev;
    descriptor->inode = facts.st_ino;
    if (p11prof_descriptor_is_ours(descriptor) && move_up(descriptor))
        return true;
    descriptor->fd = -1;
    return false;
}

bool p11prof_descriptor_open(struct p11prof_descriptor *descriptor, int folder, const char *path,
                             int flags, mode_t mode)
{
    bool opened = open_once(descriptor, folder, path, flags, mode);
    for (int i = 1; !opened && errno == EBADF && i < OPEN_TRIES; i++) {
        if (flags & O_EXCL)
            unlinkat(folder, path, 0); /* the one that we made just now */
        opened = open_once(descriptor, folder, path, flags, mode);
    }
    return opened;
}

bool p11prof_descriptor_take(struct p11prof_descriptor *descriptor, int fd)
{
    struct stat facts;
    descriptor->fd = fd;
    if (fd < 0 || fstat(fd, &facts) != 0) {
        descriptor->fd = -1;
        return false;
    }
    descriptor->device = facts.st_dev;
    descriptor->inode = facts.st_ino;
    if (move_up(descriptor))
        return true;
    descriptor->fd = -1;
    return false;
}

ssize_t p11prof_descriptor_read(const struct p11prof_descriptor *descriptor, void *bytes,
                                size_t count)
{
    return p11prof_descriptor_is_ours(descriptor) ? read(descriptor->fd, bytes, count) : -1;
}
