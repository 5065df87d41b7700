/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The snapshots of the last seconds: what a refresh adds, and which one it is compared with. One
 * thread. */
#ifndef P11PROF_TOP_WATCH_H
#define P11PROF_TOP_WATCH_H

#include "figures.h"

enum { TOP_SNAPSHOTS_MAX = 64 };

/* Starts with its first four members set. */
struct top_watch {
    const struct p11prof_database *database;
    uint64_t window_ns;     /* figures are of about that long */
    const int64_t *run_ids; /* only these runs; run_count 0: all */
    size_t run_count;
    bool no_collect;
    struct top_snapshot snapshots[TOP_SNAPSHOTS_MAX]; /* the oldest first */
    size_t count;
};

/* Takes what waits in spools, and a snapshot. */
enum p11prof_status top_watch_refresh(struct top_watch *watch, struct p11prof_error *error);

/* What happened between the newest snapshot and the one that is a window older, or the oldest there
 * is. The caller clears *out. */
void top_watch_figures(const struct top_watch *watch, const char *filter, struct top_figures *out);

void top_watch_clear(struct top_watch *watch);

#endif
