/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Whether others can have a hand in a file: which code runs, or where a database is.
 *
 * Every folder and link on the way must belong to root or to the user (effective; in a set-uid
 * program root alone) and be writable by nobody else. A folder with the sticky bit (/tmp, /dev/shm)
 * may be writable for others where what is taken from it is a folder.
 *
 * Each step is checked on the descriptor that the next one starts from. Any thread; nothing is
 * allocated; descriptors have high numbers (descriptor.h) and are closed again. */
#ifndef P11PROF_TRUSTED_H
#define P11PROF_TRUSTED_H

#include "p11prof/error.h"

#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>

/* Opens the regular file at `path` (a relative one starts at the working directory) for reading,
 * close-on-exec, if nobody but root and the user can have written it. Returns the descriptor, which
 * the caller closes, or -1 with error->status P11PROF_MISSING (there is none), P11PROF_REFUSED (not
 * to be believed) or P11PROF_FAILED. */
int p11prof_trusted_open(const char *path, struct p11prof_error *error);

/* A folder of a database. */
struct p11prof_trusted_folder {
    char path[PATH_MAX]; /* absolute, without links */
    bool shared;         /* sticky: others may make files in it */
    dev_t device;        /* what it was when it was looked at: … */
    ino_t inode;         /* … its path may lead elsewhere by now */
};

/* Walks to the folder that the database `path` is or will be in; with `make`, makes what is missing
 * of it, 0700, whatever the umask. P11PROF_MISSING, P11PROF_REFUSED or P11PROF_FAILED as above.
 *
 * It may be /tmp itself, and links in such folders count if they are root's or the user's. A group
 * may write where it is root's (0) or the owner's own (of the same number). Root may go on into
 * folders of one other user, but follows no link of theirs: the files that the database consists of
 * are checked each. In a user namespace, owners that it does not know are taken for root. */
enum p11prof_status p11prof_trusted_walk(struct p11prof_trusted_folder *found, const char *path,
                                         bool make, struct p11prof_error *error);

/* Whether files of this user may be a part of our database: root's, our own, and, for root, those
 * of the database's owner. */
bool p11prof_trusted_owner(uid_t owner, uid_t database_owner);

/* In an application: the root folder that paths start at. Where chroot() has made it another one
 * since, a walk ends with P11PROF_REFUSED, and makes nothing. */
void p11prof_trusted_root(const struct stat *root);

#endif
