/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* In which order spools are taken: a process after the one that forked it, for its attribution
 * begins with what that one knew. One thread. */
#ifndef P11PROF_DRAIN_LINEAGE_H
#define P11PROF_DRAIN_LINEAGE_H

#include "p11prof/spool.h"

enum { LINEAGE_SPOOLS_MOST = 1024, LINEAGE_DEPTH_MOST = 8 };

struct lineage {
    struct lineage_spool {
        uint8_t spool_id[16], process_id[16], parent_id[16];
        unsigned depth; /* how many of its ancestors are here */
    } spools[LINEAGE_SPOOLS_MOST];
    size_t count;
    unsigned deepest;
};

/* Notes a spool; past the limit it counts as one without a parent. */
void lineage_add(struct lineage *lineage, const struct p11prof_spool_header *header);

/* All are noted: finds how deep they stand. */
void lineage_finish(struct lineage *lineage);

/* At most lineage->deepest, of a spool that was not noted too. */
unsigned lineage_depth(const struct lineage *lineage, const struct p11prof_spool_header *header);

#endif
