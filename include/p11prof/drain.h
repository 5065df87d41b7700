/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The drain: read records of a spool into a batch, attribute it, write it in one transaction,
 * release its chunks.
 *
 * One drain serves one spool and belongs to one thread at a time. It is exact: what is in the
 * database is never written again and what is not stays in the spool, whatever fails in between. */
#ifndef P11PROF_DRAIN_H
#define P11PROF_DRAIN_H

#include "p11prof/error.h"
#include "p11prof/spool.h"
#include "p11prof/store.h"

struct p11prof_drain;

/* Where the bytes of a spool are: the producer's own mapping, or a descriptor (then map is NULL).
 * Borrowed: it outlives the drain. */
struct p11prof_spool_source {
    void *map;
    int fd;
    uint64_t file_bytes;
    /* For a mapping: gives chunk `index` back to the producer. A descriptor's chunk is emptied in
     * the file. */
    void (*release)(uint32_t index);
    bool gone; /* its process is gone (we hold its flock): take everything, to the last record */
};

struct p11prof_drain_result {
    uint64_t call_count;  /* calls written by this step */
    uint64_t batch_count; /* transactions */
    uint64_t
        clock_step_count; /* intervals in which the TSC did not run evenly, found by this step */
    bool more;            /* stopped by its deadline or stop word: there is more to take */
};

/* P11PROF_BAD_INPUT if what is there is no spool (described). Nothing is written. */
enum p11prof_status p11prof_drain_open(struct p11prof_drain **out,
                                       const struct p11prof_spool_source *source,
                                       struct p11prof_error *error);
void p11prof_drain_close(struct p11prof_drain *drain);

/* The header as it was read when the drain was opened. */
const struct p11prof_spool_header *p11prof_drain_header(const struct p11prof_drain *drain);

/* A call is taken when it ended this long ago: one that ended earlier in another ring is published
 * by then. */
enum { P11PROF_DRAIN_HORIZON_NS = 10000000 };

enum p11prof_drain_flag {
    P11PROF_DRAIN_ALL = 1, /* take what ended just now too, not only what is past the horizon */
    P11PROF_DRAIN_LAST =
        2, /* the process is gone or ending: the last batch; its state is removed */
    P11PROF_DRAIN_ADOPT = 4, /* take a spool whose first part is in another database */
};

/* Takes all that is ready and writes it to `store`, batch by batch, until there is nothing left,
 * monotonic_deadline_ns has passed (0: none) or the store's stop word is set. wait_ms: how long to
 * wait for other writers. P11PROF_REFUSED if another database has the first part of this spool. On
 * any failure the batch in hand is kept for the next call. */
enum p11prof_status p11prof_drain_run(struct p11prof_drain *drain, struct p11prof_store *store,
                                      unsigned flags, uint64_t monotonic_deadline_ns,
                                      unsigned wait_ms, struct p11prof_drain_result *result,
                                      struct p11prof_error *error);

/* Whether there is a call to take, as far as the spool tells without the database: who has it
 * closed need not open it otherwise. True before the first p11prof_drain_run(). */
bool p11prof_drain_has_calls(struct p11prof_drain *drain);

/* --- spools of other processes: for p11prof commands --- */

/* One spool file found in a folder of spools. */
struct p11prof_found_spool {
    char path[4096];
    uint8_t run_id[16];
    uint8_t database_id[16]; /* of the database that has its first part; all 0: none yet */
    char database_path[P11PROF_SPOOL_PATH_BYTES]; /* p11prof_spool_database() */
    int32_t pid;
    uint32_t user_id;    /* of the file */
    bool gone;           /* its process is gone */
    uint32_t drain_mode; /* enum p11prof_drain_mode */
    char program[64];
    uint64_t file_bytes, used_bytes;
    struct p11prof_error problem; /* status P11PROF_OK: it can be drained */
};

/* Calls `visit` for every spool in `folder` (NULL: all folders /dev/shm/p11prof-* that are safe to
 * look into). Folders and files that are not what they should be are passed to `visit` with a
 * problem. Stops when visit returns false. */
void p11prof_spools_visit(const char *folder,
                          bool (*visit)(void *payload, const struct p11prof_found_spool *spool),
                          void *payload);

/* Spools of live processes that nobody drains, held open from one round of collecting to the next:
 * one whose file is removed meanwhile is taken to its end all the same. systemd does that to files
 * of a user who logs out, and of a unit with DynamicUser= or RemoveIPC= that ends. */
struct p11prof_held_spools;
struct p11prof_held_spools *p11prof_held_spools_new(void); /* NULL: no memory */
void p11prof_held_spools_free(struct p11prof_held_spools *held);

struct p11prof_collect_options {
    const char *folder;    /* NULL: all */
    const uint8_t *run_id; /* only spools of this run; NULL: any */
    /* Whether to take a spool that waits, or to fail for one with a problem; NULL: all of them. */
    bool (*wants)(void *payload, const struct p11prof_found_spool *spool);
    void *payload;
    struct p11prof_held_spools *held; /* NULL: none */
    bool adopt;                       /* P11PROF_DRAIN_ADOPT */
    unsigned wait_ms;                 /* for other writers */
};
struct p11prof_collect_result {
    uint64_t spool_count, call_count; /* taken */
    uint64_t waiting_count;           /* spools that could not be taken: see error */
    uint64_t live_count;              /* spools of processes that still run */
};

/* Drains every spool whose process is gone, or that nobody drains (mode external), into `store`, if
 * it is wanted; removes what is empty and gone. Keeps going after a failure; *error has the first
 * one. */
enum p11prof_status p11prof_collect(struct p11prof_store *store,
                                    const struct p11prof_collect_options *options,
                                    struct p11prof_collect_result *result,
                                    struct p11prof_error *error);

/* Holds what p11prof_collect() would take or hold, and takes nothing. */
void p11prof_held_spools_look(const struct p11prof_collect_options *options);

/* A call in flight in a live process. */
struct p11prof_live_call {
    int32_t pid;
    uint32_t thread_id;
    uint16_t function;
    uint64_t age_ns;
    uint8_t run_id[16];
    char program[64];
};
/* Calls `visit` for each call that has not returned yet in the live spools of `folder` (NULL: all).
 * Reads only. */
void p11prof_in_flight_visit(const char *folder,
                             void (*visit)(void *payload, const struct p11prof_live_call *call),
                             void *payload);

#endif
