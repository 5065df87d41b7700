/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What a batch says besides calls: losses, tokens, the library, and what is left when the process
 * is gone. */
#ifndef P11PROF_DRAIN_ENDINGS_H
#define P11PROF_DRAIN_ENDINGS_H

#include "attribution.h"
#include "reader.h"

/* What the database has already. */
struct endings {
    uint64_t lost[P11PROF_LOSSES][P11PROF_CALLS + 1];
    uint32_t token_versions[P11PROF_SPOOL_TOKENS];
    uint32_t library_version;
    /* The same, with the batch in hand. */
    uint32_t next_token_versions[P11PROF_SPOOL_TOKENS];
    uint32_t next_library_version;
};

/* Adds what changed. last: the process ended. */
bool endings_add(struct endings *endings, struct reader *reader, struct attribution *attribution,
                 struct batch *batch, uint64_t run_start_monotonic_ns, bool last);

/* The batch is in the database. */
void endings_stored(struct endings *endings, const struct batch *batch);

#endif
