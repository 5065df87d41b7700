/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Return addresses as call sites: the loaded object and the offset in its file, by the map in the
 * spool; of a live process by /proc/PID/maps where that one is too old. Sites are numbered from 1
 * in their process, in the order of their first call. One thread. */
#ifndef P11PROF_DRAIN_CALLERS_H
#define P11PROF_DRAIN_CALLERS_H

#include "batch.h"
#include "reader.h"

struct caller_range {
    uint64_t start, end;
    uint64_t offset_bytes; /* in the file, of its start */
    char *path;            /* owned */
    bool has_offset;       /* offset_bytes is known: older shims did not write it */
};

/* A process with more sites than these (code that is made anew for each call) has its other calls
 * told by their object alone. */
enum { CALLER_SITES_MAX = 4096, CALLER_CACHE = 256 };

struct caller_site {
    char *path;            /* owned */
    uint64_t offset_bytes; /* 0: unknown */
};

struct callers {
    struct caller_range *ranges; /* by their start */
    size_t range_count, range_capacity;
    struct caller_site *sites; /* of caller_id - 1 */
    size_t site_count, site_capacity;
    size_t offset_count; /* sites with an offset */
    uint32_t *index;     /* caller_id by a hash of path and offset; 0: free */
    size_t index_size;
    uint32_t map_bytes; /* of the spool's map when it was read */
    bool live_read;     /* /proc was asked in this batch */
    struct {
        uint64_t address;
        uint32_t caller_id;
    } cache[CALLER_CACHE];
};

void callers_clear(struct callers *callers);

/* What an earlier drain stored, in the order of its numbers. */
void callers_load(struct callers *callers, uint32_t caller_id, const char *path,
                  uint64_t offset_bytes);

/* Number of the site that the address is, 0 if nothing is known; a new one becomes a row of the
 * batch. */
uint32_t callers_find(struct callers *callers, struct reader *reader, struct batch *batch,
                      uint64_t address);

#endif
