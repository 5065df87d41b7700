/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The runs that a prune looks into, for the files of prune.h. */
#ifndef P11PROF_RETENTION_PRUNE_RUNS_H
#define P11PROF_RETENTION_PRUNE_RUNS_H

#include "prune.h"

#include <stddef.h>

struct p11prof_prune_runs {
    struct p11prof_prune_run {
        int64_t run_id, start_wall_ns;
    } * all; /* the caller frees it */
    size_t count, capacity;
};

/* Those that began before the age and are in no baseline. `where`: "" or " AND …" about r. */
enum p11prof_status p11prof_prune_runs_read(struct p11prof_prune_runs *out,
                                            const struct p11prof_prune *prune, const char *where,
                                            struct p11prof_error *error);

/* The moment so many times the age ago, in ns since 1970. */
int64_t p11prof_prune_before(const struct p11prof_prune *prune, unsigned times);

#endif
