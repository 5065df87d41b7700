/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The real modules that a run replaces. */
#ifndef P11PROF_RECORD_MODULES_H
#define P11PROF_RECORD_MODULES_H

#include "p11prof/copies.h"
#include "p11prof/error.h"

#include <limits.h>

struct p11prof_module {
    char path[PATH_MAX]; /* canonical: absolute, no links */
    uint64_t device, inode;
};

struct p11prof_modules {
    unsigned count;
    struct p11prof_module entries[P11PROF_REDIRECTS_MAX];
};

/* Adds the module at `path`; one that is there already is not added again. P11PROF_BAD_INPUT if it
 * is none, is a copy of our shim, or cannot be written into a .conf. */
enum p11prof_status p11prof_modules_add(struct p11prof_modules *modules, const char *path,
                                        struct p11prof_error *error);

/* Adds all that p11-kit has configured for this user. They are loaded to learn their paths, in a
 * process of its own: their constructors may crash. Warns of those that cannot be replaced. */
enum p11prof_status p11prof_modules_add_configured(struct p11prof_modules *modules,
                                                   struct p11prof_error *error);

#endif
