/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "target_module.h"

#include "p11prof/copies.h"
#include "record/module_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static enum p11prof_status file_find(char out[P11PROF_PATH_BYTES], const char *path, bool *shim,
                                     struct p11prof_error *error)
{
    if (!realpath(path, out))
        return p11prof_error_set(error, errno == ENOENT ? P11PROF_MISSING : P11PROF_BAD_INPUT,
                                 "module %.300s: %s%s", path, strerror(errno),
                                 strchr(path, '/') ? "" : ": name it by its whole path");
    return p11prof_module_file_check(out, shim, error);
}

/* By the name it was given, as a shim sees it: links lead to other settings. */
static bool shim_name(char out[P11PROF_PATH_BYTES], const char *path)
{
    char folder[P11PROF_PATH_BYTES] = "";
    if (path[0] != '/' && !getcwd(folder, sizeof folder))
        return false;
    int needed = snprintf(out, P11PROF_PATH_BYTES, "%s%s%s", folder, *folder ? "/" : "", path);
    return needed > 0 && needed < P11PROF_PATH_BYTES;
}

static enum p11prof_status shim_take(struct p11prof_bench_target *target, const char *path,
                                     struct p11prof_error *error)
{
    struct p11prof_config config;
    bool again = false;
    if (!shim_name(target->shim, path))
        return p11prof_error_set(error, P11PROF_BAD_INPUT, "module %.300s: the path is too long",
                                 path);
    p11prof_config_load(&config, target->shim);
    if (!config.module[0])
        return p11prof_error_set(error, P11PROF_BAD_INPUT,
                                 "%.200s is p11prof's shim, and its settings name no module%s%.150s"
                                 ": name the real module",
                                 path, config.warning[0] ? "; " : "", config.warning);
    enum p11prof_status status =
        file_find(target->module, p11prof_plain_path(config.module), &again, error);
    if (status == P11PROF_OK && again)
        status = p11prof_error_set(error, P11PROF_BAD_INPUT,
                                   "%.200s is p11prof's shim, and so is the module %.200s of its "
                                   "settings: name the real module",
                                   path, target->module);
    return status;
}

enum p11prof_status p11prof_bench_module_take(struct p11prof_bench_target *target, const char *path,
                                              struct p11prof_error *error)
{
    bool shim = false;
    target->shim[0] = '\0';
    enum p11prof_status status = file_find(target->module, path, &shim, error);
    return status == P11PROF_OK && shim ? shim_take(target, path, error) : status;
}
