/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What `p11prof record` writes into the files that it copies for a run, and how a copy of the shim
 * names its real module.
 *
 * A copy of the shim is told its own path and a copy of the audit library its table by bytes of
 * the file itself, found by their magic. So neither has to ask anybody: not the environment, which
 * programs clean, and not the dynamic loader, which gives a redirected library sometimes the path
 * of the copy and sometimes the path of what it replaces. */
#ifndef P11PROF_COPIES_H
#define P11PROF_COPIES_H

#include <stdint.h>
#include <string.h>

/* Stands before the real module's absolute path (in place of its first slash) in the .conf of a
 * copy. The loader compares a requested name with the names of what is loaded before it asks an
 * auditor, and the redirected shim bears the module's name: under that name the shim would get
 * itself. The audit library never redirects a name that starts so. The end of the path stays as it
 * is, and with it the module's own folder. */
#define P11PROF_OTHER_SPELLING "/.//./"

/* The path without P11PROF_OTHER_SPELLING: to be shown. Points into `path`. */
static inline const char *p11prof_plain_path(const char *path)
{
    const size_t length = sizeof P11PROF_OTHER_SPELLING - 1;
    return strncmp(path, P11PROF_OTHER_SPELLING, length) == 0 ? path + length - 1 : path;
}

enum { P11PROF_COPY_MAGIC_BYTES = 16, P11PROF_COPY_PATH_BYTES = 240, P11PROF_REDIRECTS_MAX = 32 };

/* In the shim. Exactly 16 bytes, so that no other string of a program equals it by chance. */
#define P11PROF_SHIM_PLACE_MAGIC "\177p11prof:shim:\177"
struct p11prof_shim_place {
    char magic[P11PROF_COPY_MAGIC_BYTES];
    char path[P11PROF_COPY_PATH_BYTES]; /* of this copy; "": it was not made by `record` */
};

/* One file and what is loaded in its place. */
struct p11prof_redirect {
    uint64_t device, inode; /* st_dev, st_ino */
    char path[P11PROF_COPY_PATH_BYTES];
};

/* In the audit library. It writes the paths of other modules that are loaded, a line each, into the
 * file `passed`, if that is there and holds less than P11PROF_PASSED_BYTES_MAX. */
#define P11PROF_REDIRECTS_MAGIC "\177p11prof:audit\177"
enum { P11PROF_PASSED_BYTES_MAX = 65536 };
struct p11prof_redirects {
    char magic[P11PROF_COPY_MAGIC_BYTES];
    char passed[P11PROF_COPY_PATH_BYTES];
    uint64_t count;
    struct p11prof_redirect entries[P11PROF_REDIRECTS_MAX];
};

#endif
