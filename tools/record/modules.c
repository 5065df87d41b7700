/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "modules.h"

#include "../message.h"
#include "module_file.h"

#include <errno.h>
#include <p11-kit/p11-kit.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* inih ends a value at " ;", at a line's end and before trailing blanks. */
static bool fits_conf(const char *path)
{
    size_t length = strlen(path);
    return !strpbrk(path, "\r\n") && !strstr(path, " ;") && !strstr(path, "\t;") && length > 0 &&
           path[length - 1] != ' ' && path[length - 1] != '\t';
}

static enum p11prof_status check(const char *path, struct p11prof_error *error)
{
    bool shim;
    enum p11prof_status status = p11prof_module_file_check(path, &shim, error);
    if (status != P11PROF_OK)
        return status;
    if (shim)
        return p11prof_error_set(error, P11PROF_BAD_INPUT,
                                 "%s is p11prof's own shim: name the real module, or run the "
                                 "program without 'p11prof record'",
                                 path);
    if (!fits_conf(path))
        return p11prof_error_set(error, P11PROF_BAD_INPUT,
                                 "the path %s cannot be written into a .conf file: load the module "
                                 "by a link with a plain name",
                                 path);
    return P11PROF_OK;
}

enum p11prof_status p11prof_modules_add(struct p11prof_modules *modules, const char *path,
                                        struct p11prof_error *error)
{
    struct p11prof_module *module = &modules->entries[modules->count];
    struct stat found;
    if (modules->count == P11PROF_REDIRECTS_MAX)
        return p11prof_error_set(error, P11PROF_BAD_INPUT, "more than %d modules",
                                 (int)P11PROF_REDIRECTS_MAX);
    if (!realpath(path, module->path) || stat(module->path, &found) != 0)
        return p11prof_error_set(error, P11PROF_BAD_INPUT, "module %s: %s", path, strerror(errno));
    module->device = found.st_dev;
    module->inode = found.st_ino;
    for (unsigned i = 0; i < modules->count; i++)
        if (modules->entries[i].device == module->device &&
            modules->entries[i].inode == module->inode)
            return P11PROF_OK;
    enum p11prof_status status = check(module->path, error);
    if (status == P11PROF_OK)
        modules->count++;
    return status;
}

/* In the child: writes the path of each configured module, ended by a NUL. */
static int list_configured(FILE *out)
{
    CK_FUNCTION_LIST_PTR *modules = p11_kit_modules_load(NULL, P11_KIT_MODULE_UNMANAGED);
    if (!modules)
        return 1;
    for (size_t i = 0; modules[i]; i++) {
        char *path = p11_kit_module_get_filename(modules[i]);
        if (path)
            fwrite(path, 1, strlen(path) + 1, out);
    }
    return fflush(out);
}

/* Starts the child; what it writes can be read from the stream. */
static FILE *start_list(pid_t *child)
{
    int ends[2];
    if (pipe(ends) != 0)
        return NULL;
    *child = fork();
    if (*child == 0) {
        close(ends[0]);
        FILE *out = fdopen(ends[1], "w");
        _exit(out ? list_configured(out) : 1);
    }
    close(ends[1]);
    FILE *in = *child > 0 ? fdopen(ends[0], "r") : NULL;
    if (!in)
        close(ends[0]);
    return in;
}

static void add_listed(struct p11prof_modules *modules, FILE *list)
{
    char *path = NULL;
    size_t bytes = 0;
    struct p11prof_error error;
    while (getdelim(&path, &bytes, '\0', list) > 0)
        if (p11prof_modules_add(modules, path, &error) != P11PROF_OK)
            p11prof_warn("not replaced: %s", error.text);
    free(path);
}

enum p11prof_status p11prof_modules_add_configured(struct p11prof_modules *modules,
                                                   struct p11prof_error *error)
{
    pid_t child = -1;
    int status = -1;
    FILE *list = start_list(&child);
    if (list) {
        add_listed(modules, list);
        fclose(list);
    }
    if (child > 0)
        waitpid(child, &status, 0);
    if (modules->count > 0)
        return P11PROF_OK;
    return p11prof_error_set(error, P11PROF_BAD_INPUT,
                             status == 0 ? "p11-kit has no module configured: name one with "
                                           "--module"
                                         : "the list of p11-kit's modules could not be made (one "
                                           "of them may have crashed): name one with --module");
}
