/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The folder of a run: a copy of the shim with its .conf for each module, and the audit library
 * that knows them. Only its owner can enter it (0700), but root's: what root records may go on as
 * other users, who can read its files, not list or change them (0711). */
#ifndef P11PROF_RECORD_FOLDER_H
#define P11PROF_RECORD_FOLDER_H

#include "modules.h"

#include "p11prof/config.h"

#define P11PROF_RUN_FOLDER_PREFIX "p11prof.run."
#define P11PROF_RUN_FOLDER_LOCK   "passed"

struct p11prof_run_folder {
    char path[128];   /* "": not made */
    char audit[160];  /* of the audit library */
    char passed[160]; /* list of what passed.h reads */
    int lock;         /* that file, locked (flock) as long as this process lives; -1: none */
};

/* Makes it where files may be executed: in XDG_RUNTIME_DIR (not root's), /dev/shm, TMPDIR or /tmp.
 * `config` is what the shims are told; of the module they are told its other spelling (copies.h).
 * On failure nothing is left. */
enum p11prof_status p11prof_run_folder_make(struct p11prof_run_folder *folder,
                                            const struct p11prof_modules *modules,
                                            const struct p11prof_config *config,
                                            struct p11prof_error *error);

/* Removes all in it, and the folder itself unless processes of the run go on and other users could
 * make one of this name. Programs that have the copies loaded keep them. */
void p11prof_run_folder_remove(struct p11prof_run_folder *folder);

#endif
