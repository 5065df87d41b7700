/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "spool_watch.h"

#include "p11prof/spool.h"

#include <dirent.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#define SHM_FOLDER    "/dev/shm"
#define FOLDER_PREFIX "p11prof-"

enum { EVENTS_BYTES = 16384 };

struct p11prof_spool_watch {
    int fd;
    bool all; /* of /dev/shm/p11prof-* */
};

/* One that is watched already stays so. */
static void folder_add(const struct p11prof_spool_watch *watch, const char *path)
{
    inotify_add_watch(watch->fd, path, IN_CREATE | IN_MOVED_TO | IN_ONLYDIR | IN_DONT_FOLLOW);
}

static bool is_folder_of_spools(const char *name)
{
    return strncmp(name, FOLDER_PREFIX, strlen(FOLDER_PREFIX)) == 0;
}

static void folders_add(const struct p11prof_spool_watch *watch)
{
    DIR *entries = opendir(SHM_FOLDER);
    if (!entries)
        return;
    for (struct dirent *entry; (entry = readdir(entries));) {
        char path[sizeof SHM_FOLDER + sizeof entry->d_name + 1];
        snprintf(path, sizeof path, SHM_FOLDER "/%s", entry->d_name);
        if (is_folder_of_spools(entry->d_name))
            folder_add(watch, path);
    }
    closedir(entries);
}

struct p11prof_spool_watch *p11prof_spool_watch_start(const char *folder)
{
    struct p11prof_spool_watch *watch = calloc(1, sizeof *watch);
    if (!watch)
        return NULL;
    watch->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (watch->fd < 0) {
        free(watch);
        return NULL;
    }
    watch->all = !folder;
    folder_add(watch, folder ? folder : SHM_FOLDER);
    if (watch->all)
        folders_add(watch);
    return watch;
}

void p11prof_spool_watch_stop(struct p11prof_spool_watch *watch)
{
    if (!watch)
        return;
    close(watch->fd);
    free(watch);
}

static bool is_spool(const char *name)
{
    size_t length = strlen(name), end = strlen(P11PROF_SPOOL_SUFFIX);
    return length >= end && strcmp(name + length - end, P11PROF_SPOOL_SUFFIX) == 0;
}

/* What came in is read; whether any of it is ours. */
static bool events_read(const struct p11prof_spool_watch *watch)
{
    _Alignas(struct inotify_event) char events[EVENTS_BYTES];
    bool folders = false, spools = false;
    ssize_t bytes;
    while ((bytes = read(watch->fd, events, sizeof events)) > 0)
        for (ssize_t at = 0; at < bytes;) {
            const struct inotify_event *event = (const void *)(events + at);
            const char *name = event->len ? event->name : "";
            folders = folders || (watch->all && is_folder_of_spools(name));
            spools = spools || is_spool(name) || (event->mask & IN_Q_OVERFLOW);
            at += (ssize_t)(sizeof *event + event->len);
        }
    if (folders)
        folders_add(watch);
    return folders || spools;
}

bool p11prof_spool_watch_wait(struct p11prof_spool_watch *watch, int milliseconds)
{
    struct pollfd ready = {.fd = watch ? watch->fd : -1, .events = POLLIN};
    return poll(&ready, 1, milliseconds) > 0 && events_read(watch);
}
