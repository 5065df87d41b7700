/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Spool files of other processes, found and opened without trusting who made them: no links are
 * followed, nothing blocks, a file must be a regular one with one link and its folder's owner, and
 * is never mapped. */
#ifndef P11PROF_DRAIN_FOLDERS_H
#define P11PROF_DRAIN_FOLDERS_H

#include "p11prof/drain.h"

/* An open spool file; everything is borrowed for the time of the visit. */
struct spool_file {
    int folder;       /* of its folder; -1: it has no name any more */
    const char *name; /* in it */
    const char *path;
    int fd;
    bool gone; /* we hold its lock: its process is gone */
    uint32_t user_id;
    uint64_t file_bytes, used_bytes;
    struct p11prof_spool_header header;
    struct p11prof_error problem; /* status P11PROF_OK: the members above are valid */
};

/* Visits all spools of `folder`, or of every /dev/shm/p11prof-* (NULL). Stops when visit returns
 * false. */
void spool_files_visit(const char *folder,
                       bool (*visit)(void *payload, const struct spool_file *file), void *payload);

/* For an open file that was visited before: fills in the facts if its name is gone since. */
bool spool_file_is_nameless(struct spool_file *file);

#endif
