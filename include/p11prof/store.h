/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The store: the SQLite database of runs, opened, created, locked and written.
 *
 * A store belongs to one thread at a time. Every writer holds flock() on `<db>-writer` from begin
 * to commit or rollback. Functions return P11PROF_OK or a status with its description in *error.
 * Nothing here prints. */
#ifndef P11PROF_STORE_H
#define P11PROF_STORE_H

#include "p11prof/batch.h"
#include "p11prof/error.h"

struct sqlite3;
struct p11prof_store;

enum {
    P11PROF_APPLICATION_ID = 0x50313170, /* "P11p": PRAGMA application_id */
    P11PROF_SCHEMA_VERSION = 6,          /* PRAGMA user_version */
};

enum p11prof_store_flag {
    P11PROF_STORE_CREATE = 1, /* make it (and its folder, 0700) where it does not exist */
    P11PROF_STORE_MIGRATE =
        2, /* p11prof commands only: bring an older schema up, refresh names and views */
    P11PROF_STORE_READ_ONLY = 4, /* for queries */
    P11PROF_STORE_EXCLUSIVE =
        8, /* hold `<db>-writer` from open to close: our descriptors are the application's too */
    P11PROF_STORE_NO_CHECKPOINT = 16, /* no checkpoint and no fsync on commit or close */
    P11PROF_STORE_AT_ONCE = 32,       /* somebody types: hardly wait for others' locks */
};

/* In an application, before the first store is opened: only one thread at a time will use stores,
 * and only stores will use SQLite. SQLite then has memory of its own, ready to use, and gives it
 * back when the last store is closed. */
void p11prof_store_one_thread(void);

/* In an application, while no store is open: whether the descriptors of the next ones are the
 * application's, too. It may close and reuse them at any time; its files and sockets stay whole. */
void p11prof_store_share_descriptors(bool with_application);

/* Opens the database at `path`. *out is NULL on failure: P11PROF_MISSING (no database and not
 * P11PROF_STORE_CREATE), P11PROF_REFUSED (another program's, a newer version's, an older one's
 * without P11PROF_STORE_MIGRATE, no regular file: it is not touched), P11PROF_BUSY, P11PROF_FAILED.
 * A new one is made complete under a temporary name, 0600, and linked into place; who comes second
 * uses the first's. */
enum p11prof_status p11prof_store_open(struct p11prof_store **out, const char *path, unsigned flags,
                                       struct p11prof_error *error);

/* NULL is allowed. Rolls back what is open. */
void p11prof_store_close(struct p11prof_store *store);

/* For P11PROF_STORE_NO_CHECKPOINT, before the close: a log that has grown past 2 MiB is written
 * back (with fsync), for whoever opens the database next has to read all of it. Not for good:
 * without it, short processes would let it grow for ever. */
void p11prof_store_trim(struct p11prof_store *store);

/* From here on as if opened with P11PROF_STORE_NO_CHECKPOINT. Outside a transaction. */
void p11prof_store_no_checkpoint(struct p11prof_store *store);

/* The connection, for queries. Borrowed. */
struct sqlite3 *p11prof_store_sqlite(struct p11prof_store *store);

/* For a connection of one's own to the file of a store: its triggers, views, virtual tables and
 * longest values are not used. Before the connection's first statement. */
void p11prof_store_defend(struct sqlite3 *sqlite);

/* Before a file of somebody else is attached to a command's connection, and after it is detached:
 * in between no view of either file can be read. */
void p11prof_store_attached(struct p11prof_store *store, bool attached);

/* The random id that this database got when it was made. */
void p11prof_store_id(struct p11prof_store *store, uint64_t id[2]);

/* Starts the one write transaction: waits at most wait_ms for other writers, then P11PROF_BUSY.
 * P11PROF_CHANGED if the file at the path, its log or the log's index is no longer the one that was
 * opened (deleted or replaced): close and open again. */
enum p11prof_status p11prof_store_begin(struct p11prof_store *store, unsigned wait_ms,
                                        struct p11prof_error *error);
enum p11prof_status p11prof_store_commit(struct p11prof_store *store, struct p11prof_error *error);
void p11prof_store_rollback(struct p11prof_store *store);

/* Another thread may set *stop to 1 at any time: the write then ends at its next row with
 * P11PROF_BUSY, nothing written. */
void p11prof_store_stop_word(struct p11prof_store *store, const _Atomic(uint32_t) *stop);

/* The rows of a spool. */
struct p11prof_process_rows {
    int64_t run_id, process_id,
        spool_id;   /* ids of the private tables; process_id is the one of the views */
    uint64_t batch; /* batches of this spool that are in the database */
    uint64_t run_start_monotonic_ns; /* CLOCK_MONOTONIC at the run's start */
};

/* Inside a transaction: finds or makes run, process and spool. Host facts of a new run are read
 * from this machine. */
enum p11prof_status p11prof_store_enter(struct p11prof_store *store,
                                        const struct p11prof_spool_header *header,
                                        struct p11prof_process_rows *out,
                                        struct p11prof_error *error);

/* What earlier drains left of this spool, one call back per row; data is valid during the call
 * only. */
struct p11prof_state_reader {
    void (*position)(void *payload, uint32_t ring, uint64_t position);
    void (*state)(void *payload, enum p11prof_state_kind kind, uint64_t key, const void *data,
                  size_t data_bytes);
    void (*caller)(void *payload, uint32_t caller_id, const char *path,
                   uint64_t offset_bytes); /* as p11prof_caller_row */
    void *payload;
};
enum p11prof_status p11prof_store_load(struct p11prof_store *store,
                                       const struct p11prof_process_rows *rows,
                                       const struct p11prof_state_reader *reader,
                                       struct p11prof_error *error);

/* The state of the process that forked this one, where it is of the same run: live first, then
 * LEFT. Calls reader->state only. */
enum p11prof_status p11prof_store_load_parent(struct p11prof_store *store,
                                              const struct p11prof_process_rows *rows,
                                              const uint8_t parent_id[16],
                                              const struct p11prof_state_reader *reader,
                                              struct p11prof_error *error);

/* Inside a transaction: writes all of the batch and moves the spool's batch number from rows->batch
 * to rows->batch + 1. P11PROF_CHANGED if it is not rows->batch any more: somebody else drained this
 * spool; roll back and load again. with_rows false (record = summary): everything but the rows of
 * calls. Does not change *rows. */
enum p11prof_status p11prof_store_write(struct p11prof_store *store,
                                        const struct p11prof_process_rows *rows,
                                        const struct p11prof_batch *batch, bool with_rows,
                                        struct p11prof_error *error);

/* A run that a command starts itself (record, bench). Strings may be NULL (unknown). Starting and
 * ending it happen in the caller's transaction, or, where none is open, in one of their own that
 * waits for other writers for at most 5 s. Host facts are read from this machine. Starting one that
 * is there already (entered before, or found in a spool by somebody else) finds it. */
struct p11prof_run_start {
    uint8_t uuid[16];
    const char *kind; /* "profile" or "bench" */
    const char *name;
    const char *program;
    struct p11prof_anchor start;
    const char *options_json;
};
enum p11prof_status p11prof_store_run_start(struct p11prof_store *store,
                                            const struct p11prof_run_start *run, int64_t *run_id,
                                            struct p11prof_error *error);
/* Replaces the run's options. */
enum p11prof_status p11prof_store_run_options(struct p11prof_store *store, int64_t run_id,
                                              const char *options_json,
                                              struct p11prof_error *error);
/* The run did not happen on this machine: forgets what starting it read here. In the caller's
 * transaction. */
enum p11prof_status p11prof_store_run_elsewhere(struct p11prof_store *store, int64_t run_id,
                                                struct p11prof_error *error);
#define P11PROF_NO_RUN_DURATION UINT64_MAX
/* state: "finished", "interrupted" or "failed". */
enum p11prof_status p11prof_store_run_end(struct p11prof_store *store, int64_t run_id,
                                          const char *state, uint64_t duration_ns,
                                          struct p11prof_error *error);

/* --- loads of a bench run; in the caller's transaction, or in one of their own --- */

/* A load: a test with its parameters. Strings are copied; members of value -1 are unknown. */
struct p11prof_load_row {
    uint32_t load;      /* from 1, in the order of the results */
    const char *test;   /* id */
    const char *name;   /* for people */
    unsigned operation; /* enum p11prof_operation of an iteration */
    int64_t mechanism, key_type, key_bits, data_bytes;
    unsigned threads; /* of each process */
    unsigned processes;
    unsigned step;          /* of the loads of its test, from 1 */
    bool unchecked;         /* results could not be verified */
    unsigned mix;           /* number of the mix whose operations it is one of; 0: alone */
    double weight;          /* its part of these, 0 to 1 */
    const char *suite;      /* name of the suite's test whose step it is; NULL: none */
    double rate;            /* operations/s that its schedule wants, of all its threads; 0: none */
    bool poisson;           /* these come at random */
    uint64_t think_time_ns; /* that a thread waits after each operation; 0: none */
    unsigned ramp;          /* step of a ramp, from 1; 0: of none */
};
enum p11prof_status p11prof_store_load_add(struct p11prof_store *store, int64_t run_id,
                                           const struct p11prof_load_row *load,
                                           struct p11prof_error *error);

/* What another tool says of a load; members below 0 are unknown. */
struct p11prof_figure_row {
    uint32_t load;
    int64_t count, error_count, duration_ns;
    double ops_per_s, bytes_per_s;
    int64_t mean_ns, stddev_ns, min_ns, p95_ns, p99_ns, max_ns;
};
enum p11prof_status p11prof_store_figure_add(struct p11prof_store *store, int64_t run_id,
                                             const struct p11prof_figure_row *figure,
                                             struct p11prof_error *error);

/* A slice that ended; times are ns since the run's start. start_ns is what the load notes of its
 * calls said. */
struct p11prof_slice_row {
    uint32_t load;
    unsigned slice; /* from 1 */
    uint64_t start_ns, duration_ns;
    double load_average;  /* negative: unknown */
    int64_t steal_ns;     /* -1: unknown */
    int64_t missed_count; /* operations due in it that never began; -1: there was no schedule */
};
enum p11prof_status p11prof_store_slice_add(struct p11prof_store *store, int64_t run_id,
                                            const struct p11prof_slice_row *slice,
                                            struct p11prof_error *error);

/* An interval of a stress run that ended. */
struct p11prof_interval_row {
    uint32_t load;
    unsigned interval;              /* from 1 */
    uint64_t start_ns, duration_ns; /* since the run's start; by the clock */
    uint64_t until_ns;              /* its end, since the first measured operation */
    uint64_t measured_ns;           /* of its slices */
    uint64_t count, error_count;
    int64_t p50_ns, p99_ns;        /* -1: unknown, as all below */
    double cpu_share, steal_share; /* 0 to 1; negative: unknown */
    double temperature_celsius;    /* not a number: unknown */
    int64_t frequency_hz, rss_bytes, session_count;
};
enum p11prof_status p11prof_store_interval_add(struct p11prof_store *store, int64_t run_id,
                                               const struct p11prof_interval_row *interval,
                                               struct p11prof_error *error);

/* What a thread of a load did in all; replaces what is there. */
struct p11prof_thread_row {
    uint32_t load;
    unsigned process, thread; /* from 1 */
    uint32_t thread_id;
    uint64_t count, error_count, wrong_count, duration_ns;
    int64_t mean_ns, p99_ns; /* -1: unknown */
};
enum p11prof_status p11prof_store_thread_set(struct p11prof_store *store, int64_t run_id,
                                             const struct p11prof_thread_row *thread,
                                             struct p11prof_error *error);

/* A test that cannot be done. */
enum p11prof_status p11prof_store_skip_add(struct p11prof_store *store, int64_t run_id,
                                           const char *test, const char *reason,
                                           struct p11prof_error *error);

/* Adds a group that no drain made (a bench that records nothing measures by itself). */
enum p11prof_status p11prof_store_group_add(struct p11prof_store *store, int64_t run_id,
                                            const struct p11prof_group *group,
                                            struct p11prof_error *error);

#endif
