/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Copying the runs of another database into this one.
 *
 * A run is known by its uuid, its processes by theirs, and how far a process was recorded by the
 * batch numbers of its spools. So a run that is there already is not copied again, one that went on
 * in the source takes the place of its copy, and parts of a run that were recorded into two
 * databases come together. Row numbers change; all else stays. Each run is one transaction. */
#ifndef P11PROF_RETENTION_MERGE_H
#define P11PROF_RETENTION_MERGE_H

#include "p11prof/store.h"

#include <stdint.h>

/* What was done with a run of the source. */
enum p11prof_merge_outcome {
    P11PROF_MERGE_COPIED,   /* it was not here */
    P11PROF_MERGE_REPLACED, /* the source had more of it */
    P11PROF_MERGE_ADDED,    /* the source had other processes of it */
    P11PROF_MERGE_SAME,     /* it is here */
    P11PROF_MERGE_OLDER,    /* there is more of it here */
    P11PROF_MERGE_REFUSED,  /* neither is a part of the other, or it does not fit in */
    P11PROF_MERGE_OUTCOMES
};

struct p11prof_merge_result {
    uint64_t run_counts[P11PROF_MERGE_OUTCOMES];
    uint64_t baseline_count; /* copied */
};

struct p11prof_merge {
    struct p11prof_store *store; /* into this one; opened with P11PROF_STORE_MIGRATE */
    const char *source;          /* path; it is only read */
    /* Says why a run or a baseline was left out. */
    void (*say)(void *payload, const char *text);
    void *payload;
};

/* Adds to *result, also before a failure; runs that were merged before it stay. P11PROF_REFUSED or
 * P11PROF_MISSING if the source is not a database of this schema version, is damaged, or is this
 * very one: nothing is changed then. */
enum p11prof_status p11prof_merge(const struct p11prof_merge *merge,
                                  struct p11prof_merge_result *result, struct p11prof_error *error);

#endif
