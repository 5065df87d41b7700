/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "spool_folder.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SHARED_MEMORY "/dev/shm"

static bool is_own(const struct stat *found)
{
    return S_ISDIR(found->st_mode) && found->st_uid == geteuid() && (found->st_mode & 0777) == 0700;
}

enum p11prof_status p11prof_spool_folder_find(char folder[P11PROF_PATH_BYTES],
                                              const struct p11prof_config *config,
                                              const char **advice, struct p11prof_error *error)
{
    struct stat found;
    const bool named = config->spool[0];
    *advice = "name a folder of yours, mode 0700, with P11PROF_SPOOL, or spool in the .conf";
    snprintf(folder, P11PROF_PATH_BYTES, SHARED_MEMORY "/p11prof-%u", geteuid());
    if (named)
        snprintf(folder, P11PROF_PATH_BYTES, "%s", config->spool);
    else if (lstat(folder, &found) != 0 || !is_own(&found))
        snprintf(folder, P11PROF_PATH_BYTES, SHARED_MEMORY);
    if (named && lstat(folder, &found) == 0 && !is_own(&found)) {
        *advice = "chmod 700, chown";
        return p11prof_error_set(error, P11PROF_REFUSED, "%s: must be yours and closed to others",
                                 folder);
    }
    if (access(folder, W_OK | X_OK) != 0)
        return p11prof_error_set(error, P11PROF_REFUSED, "%s: %s", folder, strerror(errno));
    return P11PROF_OK;
}
