/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "lineage.h"

#include <string.h>

void lineage_add(struct lineage *lineage, const struct p11prof_spool_header *header)
{
    if (lineage->count == LINEAGE_SPOOLS_MOST)
        return;
    struct lineage_spool *spool = &lineage->spools[lineage->count++];
    memcpy(spool->spool_id, header->spool_id, 16);
    memcpy(spool->process_id, header->process_id, 16);
    memcpy(spool->parent_id, header->parent_id, 16);
    spool->depth = 0;
}

/* One more than the deepest spool of its parent. */
static unsigned depth_below(const struct lineage *lineage, const uint8_t parent_id[16])
{
    static const uint8_t none[16];
    unsigned depth = 0;
    if (memcmp(parent_id, none, sizeof none) == 0)
        return 0;
    for (size_t i = 0; i < lineage->count; i++)
        if (memcmp(lineage->spools[i].process_id, parent_id, 16) == 0 &&
            lineage->spools[i].depth >= depth)
            depth = lineage->spools[i].depth + 1;
    return depth < LINEAGE_DEPTH_MOST ? depth : LINEAGE_DEPTH_MOST;
}

/* Each round is right for one generation more; who is his own ancestor ends at the limit. */
void lineage_finish(struct lineage *lineage)
{
    bool changed = true;
    lineage->deepest = 0;
    for (unsigned round = 0; changed && round < LINEAGE_DEPTH_MOST; round++) {
        changed = false;
        for (size_t i = 0; i < lineage->count; i++) {
            struct lineage_spool *spool = &lineage->spools[i];
            unsigned depth = depth_below(lineage, spool->parent_id);
            changed = changed || depth != spool->depth;
            spool->depth = depth;
            if (depth > lineage->deepest)
                lineage->deepest = depth;
        }
    }
}

unsigned lineage_depth(const struct lineage *lineage, const struct p11prof_spool_header *header)
{
    for (size_t i = 0; i < lineage->count; i++)
        if (memcmp(lineage->spools[i].spool_id, header->spool_id, 16) == 0)
            return lineage->spools[i].depth;
    unsigned depth = depth_below(lineage, header->parent_id);
    return depth < lineage->deepest ? depth : lineage->deepest;
}
