/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "users.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

/* Whether one of the texts of /proc/PID/FILE, each ended by `end`, has `part` in it. */
static bool holds(const char *pid, const char *file, int end, const char *part)
{
    char path[PATH_MAX], *text = NULL;
    size_t bytes = 0;
    bool found = false;
    snprintf(path, sizeof path, "/proc/%s/%s", pid, file);
    FILE *texts = fopen(path, "re");
    while (texts && !found && getdelim(&text, &bytes, end, texts) > 0)
        found = strstr(text, part) != NULL;
    free(text);
    if (texts)
        fclose(texts);
    return found;
}

static bool has_mapped(const char *pid, const char *path)
{
    return holds(pid, "maps", '\n', path);
}

/* Programs that write their title over their environment still have the audit library. */
static bool names(const char *pid, const char *path)
{
    return holds(pid, "environ", '\0', path) || has_mapped(pid, path);
}

/* False: there is no /proc. */
static bool count_processes(const char *path, bool (*counts)(const char *pid, const char *path),
                            unsigned *count)
{
    DIR *processes = opendir("/proc");
    *count = 0;
    if (!processes)
        return false;
    for (struct dirent *entry = readdir(processes); entry; entry = readdir(processes))
        if (isdigit((unsigned char)entry->d_name[0]) && counts(entry->d_name, path))
            ++*count;
    closedir(processes);
    return true;
}

unsigned p11prof_run_folder_users(const struct p11prof_run_folder *folder)
{
    unsigned count;
    char prefix[sizeof folder->path + 16];
    snprintf(prefix, sizeof prefix, "%s/module-", folder->path);
    count_processes(prefix, has_mapped, &count);
    return count;
}

bool p11prof_run_folder_is_named(const struct p11prof_run_folder *folder)
{
    unsigned count;
    char prefix[sizeof folder->path + 1];
    snprintf(prefix, sizeof prefix, "%s/", folder->path);
    return !count_processes(prefix, names, &count) || count > 0;
}
