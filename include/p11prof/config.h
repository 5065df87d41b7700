/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The settings of the shim, and of every command that has to see them as a shim would.
 *
 * First found wins for each setting: environment (secure_getenv) → a .conf beside the shim's own
 * copy, of the same file name → /etc/p11prof/<file name>.conf → /etc/p11prof.conf. INI syntax
 * without sections, read with inih. Nothing here is allocated; one struct holds all. Not for use by
 * two threads on one struct. */
#ifndef P11PROF_CONFIG_H
#define P11PROF_CONFIG_H

#include "p11prof/error.h"
#include "p11prof/spool.h"

#include <stdbool.h>

enum { P11PROF_PATH_BYTES = 4096 };

enum p11prof_clock_choice {
    P11PROF_CLOCK_CHOICE_AUTO,
    P11PROF_CLOCK_CHOICE_TSC,
    P11PROF_CLOCK_CHOICE_MONOTONIC
};

struct p11prof_config {
    char module[P11PROF_PATH_BYTES];        /* absolute path of the real module; "": not set */
    char module_source[P11PROF_PATH_BYTES]; /* where it was said: "P11PROF_MODULE" or a file's path
                                             */
    char db[P11PROF_PATH_BYTES];            /* "": no database can be derived (no HOME, not root) */
    char spool[P11PROF_PATH_BYTES];         /* folder of the spools; "": the default in /dev/shm */
    char name[128];
    char run[40]; /* P11PROF_RUN: a UUID, or "" */
    uint64_t spool_limit_bytes;
    enum p11prof_record_mode record;
    enum p11prof_drain_mode drain;
    enum p11prof_clock_choice clock;
    bool debug;
    char warning[512]; /* the first bad value or refused file, "": none */
};

/* Reads the settings for a shim whose own copy has the path `shim_path` (NULL: no file beside it;
 * /etc is still read). Bad values are left at their default and described in config->warning. A
 * file that somebody but root and the user may write is refused and described: it sets nothing and
 * ends the search, so that no other file's module is taken in its place. A relative db or spool in
 * the environment is fixed at the working directory of this moment; in a file, paths are absolute.
 * Always leaves a usable config; `module` is "" where none is set. Keeps errno. */
void p11prof_config_load(struct p11prof_config *config, const char *shim_path);

/* The default database of this user (DESIGN: XDG_STATE_HOME, HOME, root). Writes "" where there is
 * none. */
void p11prof_config_default_db(char *path, size_t path_bytes);

/* Parses "64MB", "65536", "1G" (KB = KiB = 1024). Returns false if it is no size. */
bool p11prof_config_parse_size(const char *text, uint64_t *bytes);

#endif
