/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The folder of a run: a copy of the shim with its .conf for each module, and the audit library
 * that knows them. Only its owner can enter it (0700). */
#ifndef P11PROF_RECORD_FOLDER_H
#define P11PROF_RECORD_FOLDER_H

#include "modules.h"

#include "p11prof/config.h"

struct p11prof_run_folder {
    char path[128];  /* "": not made */
    char audit[160]; /* of the audit library */
};

/* Makes it where files may be executed: in XDG_RUNTIME_DIR, /dev/shm, TMPDIR or /tmp. `config` is
 * what the shims are told; of the module they are told its other spelling (copies.h). On failure
 * nothing is left. */
enum p11prof_status p11prof_run_folder_make(struct p11prof_run_folder *folder,
                                            const struct p11prof_modules *modules,
                                            const struct p11prof_config *config,
                                            struct p11prof_error *error);

/* Removes it with all in it. Programs that have the copies loaded keep them. */
void p11prof_run_folder_remove(struct p11prof_run_folder *folder);

#endif
