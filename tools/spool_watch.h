/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Waits for spools that begin. One thread. */
#ifndef P11PROF_TOOLS_SPOOL_WATCH_H
#define P11PROF_TOOLS_SPOOL_WATCH_H

#include <stdbool.h>

struct p11prof_spool_watch;

/* Of `folder`, or of all of /dev/shm/p11prof-* (NULL). NULL where nothing can be watched (inotify's
 * limits). */
struct p11prof_spool_watch *p11prof_spool_watch_start(const char *folder);
void p11prof_spool_watch_stop(struct p11prof_spool_watch *watch);

/* True if there may be a new spool; false after that time, or a signal. Without a watch it just
 * waits. */
bool p11prof_spool_watch_wait(struct p11prof_spool_watch *watch, int milliseconds);

#endif
