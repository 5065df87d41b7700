/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "leftovers.h"

#include "users.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { YOUNG_S = 60 };

/* A folder of ours, not a link to one, that has been left alone for a while. */
static bool is_old_folder(const char *path)
{
    struct stat found;
    return lstat(path, &found) == 0 && S_ISDIR(found.st_mode) && found.st_uid == geteuid() &&
           found.st_mtime + YOUNG_S < time(NULL);
}

/* An empty one is held by nobody. */
static bool is_held(const char *path)
{
    char name[PATH_MAX];
    snprintf(name, sizeof name, "%s/" P11PROF_RUN_FOLDER_LOCK, path);
    int fd = open(name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    bool held = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0;
    if (fd >= 0)
        close(fd);
    return held;
}

static void remove_leftover(const char *parent, const char *name)
{
    struct p11prof_run_folder leftover = {.lock = -1};
    int needed = snprintf(leftover.path, sizeof leftover.path, "%s/%s", parent, name);
    if (needed < (int)sizeof leftover.path && is_old_folder(leftover.path) &&
        !is_held(leftover.path) && !p11prof_run_folder_is_named(&leftover))
        p11prof_run_folder_remove(&leftover);
}

void p11prof_leftovers_remove(const struct p11prof_run_folder *folder)
{
    struct p11prof_run_folder parent = *folder;
    char *slash = strrchr(parent.path, '/');
    if (!slash)
        return;
    *slash = '\0';
    DIR *entries = opendir(parent.path);
    if (!entries)
        return;
    for (struct dirent *entry = readdir(entries); entry; entry = readdir(entries))
        if (strncmp(entry->d_name, P11PROF_RUN_FOLDER_PREFIX,
                    sizeof P11PROF_RUN_FOLDER_PREFIX - 1) == 0)
            remove_leftover(parent.path, entry->d_name);
    closedir(entries);
}
