/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "passed.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool holds(const struct p11prof_modules *modules, const struct p11prof_module *module)
{
    for (unsigned i = 0; i < modules->count; i++)
        if (modules->entries[i].device == module->device &&
            modules->entries[i].inode == module->inode)
            return true;
    return false;
}

static void add(struct p11prof_modules *out, const char *path,
                const struct p11prof_modules *recorded)
{
    struct p11prof_error ignored;
    unsigned before = out->count;
    if (p11prof_modules_add(out, path, &ignored) == P11PROF_OK && out->count > before &&
        holds(recorded, &out->entries[before]))
        out->count = before;
}

void p11prof_passed_read(struct p11prof_modules *out, const char *path,
                         const struct p11prof_modules *recorded)
{
    char *line = NULL;
    size_t bytes = 0;
    FILE *list = fopen(path, "re");
    out->count = 0;
    while (list && getline(&line, &bytes, list) > 0) {
        line[strcspn(line, "\n")] = '\0';
        add(out, line, recorded);
    }
    free(line);
    if (list)
        fclose(list);
}
