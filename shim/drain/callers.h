/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Return addresses as loaded objects, by the map in the spool; of a live process by /proc/PID/maps
 * where that one is too old. Objects are numbered from 1 in their process, in the order of their
 * first call. One thread. */
#ifndef P11PROF_DRAIN_CALLERS_H
#define P11PROF_DRAIN_CALLERS_H

#include "batch.h"
#include "reader.h"

struct caller_range {
    uint64_t start, end;
    char *path;         /* owned */
    uint32_t caller_id; /* 0: not asked for yet */
};

enum { CALLER_CACHE = 256 };

struct callers {
    struct caller_range *ranges; /* by their start */
    size_t range_count, range_capacity;
    char **paths; /* of caller_id - 1 */
    size_t path_count, path_capacity;
    uint32_t anonymous_id; /* of code of no file; 0: none called yet */
    uint32_t map_bytes;    /* of the spool's map when it was read */
    bool live_read;        /* /proc was asked in this batch */
    struct {
        uint64_t address;
        uint32_t caller_id;
    } cache[CALLER_CACHE];
};

void callers_clear(struct callers *callers);

/* What an earlier drain stored. */
void callers_load(struct callers *callers, uint32_t caller_id, const char *path);

/* Number of the object that holds the address, 0 if nothing is known; a new one becomes a row of
 * the batch. */
uint32_t callers_find(struct callers *callers, struct reader *reader, struct batch *batch,
                      uint64_t address);

#endif
