/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "users.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

static bool maps_hold(const char *pid, const char *prefix)
{
    char path[PATH_MAX], *line = NULL;
    size_t bytes = 0;
    bool holds = false;
    snprintf(path, sizeof path, "/proc/%s/maps", pid);
    FILE *maps = fopen(path, "re");
    while (maps && !holds && getline(&line, &bytes, maps) > 0)
        holds = strstr(line, prefix) != NULL;
    free(line);
    if (maps)
        fclose(maps);
    return holds;
}

unsigned p11prof_run_folder_users(const struct p11prof_run_folder *folder)
{
    unsigned count = 0;
    char prefix[sizeof folder->path + 16];
    snprintf(prefix, sizeof prefix, "%s/module-", folder->path);
    DIR *processes = opendir("/proc");
    if (!processes)
        return 0;
    for (struct dirent *entry = readdir(processes); entry; entry = readdir(processes))
        if (isdigit((unsigned char)entry->d_name[0]) && maps_hold(entry->d_name, prefix))
            count++;
    closedir(processes);
    return count;
}
