/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Making a database smaller: rows of old calls go, old windows are merged into longer ones. All
 * counts, sums, minima and maxima stay exact, and histograms keep their buckets. Runs of baselines
 * stay as they are. Everything is done in short transactions: killed at any moment nothing is
 * wrong, and the next time does the rest. */
#ifndef P11PROF_RETENTION_PRUNE_H
#define P11PROF_RETENTION_PRUNE_H

#include "p11prof/store.h"

#include <stdbool.h>
#include <stdint.h>

struct p11prof_prune {
    struct p11prof_store *store;
    int64_t now_ns;  /* CLOCK_REALTIME */
    uint64_t age_ns; /* what is older than this is old */
    int64_t run_id;  /* only this one; 0: all */
    bool dry_run;    /* only count; the store may be read-only then */
};

struct p11prof_prune_result {
    uint64_t call_count;        /* rows removed */
    uint64_t call_run_count;    /* runs that had them */
    uint64_t window_count;      /* windows merged … */
    uint64_t into_window_count; /* … into so many */
};

/* Removes the rows of calls that began before the age. Adds to *result, also before a failure. */
enum p11prof_status p11prof_prune_calls(const struct p11prof_prune *prune,
                                        struct p11prof_prune_result *result,
                                        struct p11prof_error *error);

/* Merges windows of profiles: hours that are older than the age become one window, and days that
 * are older than ten times the age. The results of a bench stay slice by slice. */
enum p11prof_status p11prof_prune_windows(const struct p11prof_prune *prune,
                                          struct p11prof_prune_result *result,
                                          struct p11prof_error *error);

/* Whether a run is in a baseline; *name is the first one's, which the caller frees, or NULL. */
enum p11prof_status p11prof_baseline_of(struct p11prof_store *store, int64_t run_id, char **name,
                                        struct p11prof_error *error);

#endif
