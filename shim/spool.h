/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The producer's side of its spool file: made, locked, mapped; never opened again afterwards. */
#ifndef P11PROF_SHIM_SPOOL_H
#define P11PROF_SHIM_SPOOL_H

#include "p11prof/error.h"
#include "p11prof/spool.h"

/* A mapped spool. Pointers are into the mapping; a forked child does not have it. */
struct p11prof_spool {
    struct p11prof_spool_layout layout;
    struct p11prof_spool_header *header;
    char *object_map;
    _Atomic(uint32_t) *states;
    struct p11prof_chunk *chunks;
    char *rings;
    char *records;
    char path[4096];
};

/* Who makes it, and how large it may be. Ids are raw UUIDs. */
struct p11prof_spool_request {
    const char *folder; /* "": the user's own in /dev/shm */
    uint64_t limit_bytes;
    uint8_t process_id[16], parent_id[16], run_id[16];
};

/* Makes, locks and maps a new spool; the header is filled as far as the request goes and not yet
 * visible to collectors. At most limit_bytes, less where RLIMIT_FSIZE, RLIMIT_AS or half of the
 * free space say so. */
enum p11prof_status p11prof_spool_create(struct p11prof_spool *spool,
                                         const struct p11prof_spool_request *request,
                                         struct p11prof_error *error);

/* Gives the spool its final name once its header is complete: from here on it is collected if we
 * die. */
enum p11prof_status p11prof_spool_publish(struct p11prof_spool *spool, struct p11prof_error *error);

/* A spool that was never published, and that nobody uses yet: removes the file and its mapping. */
void p11prof_spool_discard(struct p11prof_spool *spool);

/* Removes the file (all of it is in the database). The mapping stays: a wrapper may still be in it.
 */
void p11prof_spool_unlink(struct p11prof_spool *spool);

/* Header of this process's spool, for the notes that go there. NULL: none. Valid only while the
 * generations agree. */
struct p11prof_spool_header *p11prof_spool_current(void);

static inline struct p11prof_ring *p11prof_spool_ring(const struct p11prof_spool *spool,
                                                      uint32_t index)
{
    return (struct p11prof_ring *)(void *)(spool->rings + (uint64_t)index * P11PROF_RING_BYTES);
}
static inline struct p11prof_record *p11prof_spool_records(const struct p11prof_spool *spool,
                                                           uint32_t chunk)
{
    return (struct p11prof_record *)(void *)(spool->records +
                                             (uint64_t)chunk * P11PROF_CHUNK_BYTES);
}

/* Makes the pages exist, zeroed where new; false where there is no memory left. Async-signal-safe.
 */
bool p11prof_pages_make(void *start, size_t bytes);

/* Random bytes: getrandom(), never blocking on anything else. */
void p11prof_random(void *bytes, size_t count);

#endif
