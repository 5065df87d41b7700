/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Calls that no spool held: what the log of another tool says of them goes through the same
 * attribution into the same tables. Such a log has start times at best: its durations are unknown
 * and stay so in rows, groups and errors; there are no rows of threads, which would be sums of
 * durations.
 *
 * All of it happens inside the caller's transaction. A feed belongs to one thread. */
#ifndef P11PROF_FEED_H
#define P11PROF_FEED_H

#include "p11prof/store.h"

struct p11prof_feed;

/* One process of the log. */
struct p11prof_feed_process {
    uint8_t run_id[16], process_id[16]; /* UUIDs; the run is made where there is none */
    int32_t pid;                        /* 0: the log does not say */
    uint64_t run_start_wall_ns;         /* of the first call of the log */
    uint64_t start_ns;                  /* of its own first call, since then */
    const char *name;                   /* of the run; NULL: none */
    const char *module_path;            /* NULL: the log does not say */
};

struct p11prof_feed_call {
    unsigned function; /* enum p11prof_function */
    uint32_t flags;    /* enum p11prof_record_flag */
    uint64_t session, rv;
    uint64_t fact[3];  /* as calls.def says; all ones: unknown */
    uint64_t start_ns; /* since the run's start */
    uint32_t thread_id;
    const struct p11prof_record *notes;
    uint32_t note_count;
};

/* Makes the rows of the process. *out is NULL on failure. */
enum p11prof_status p11prof_feed_open(struct p11prof_feed **out, struct p11prof_store *store,
                                      const struct p11prof_feed_process *process,
                                      struct p11prof_error *error);

/* Calls come in the order of their results. */
enum p11prof_status p11prof_feed_call(struct p11prof_feed *feed,
                                      const struct p11prof_feed_call *call,
                                      struct p11prof_error *error);

/* Writes the calls so far and frees their memory; what is known of sessions and objects stays. */
enum p11prof_status p11prof_feed_flush(struct p11prof_feed *feed, struct p11prof_error *error);

/* A call whose result the log does not tell: counted as torn. */
void p11prof_feed_lost(struct p11prof_feed *feed, unsigned function);

/* What the application was told of a token and of the module; strings are copied, the last of them
 * counts. */
void p11prof_feed_token(struct p11prof_feed *feed, const struct p11prof_token_row *token);
void p11prof_feed_library(struct p11prof_feed *feed, const char *library, unsigned cryptoki_major,
                          unsigned cryptoki_minor);

/* Writes what is left and ends the process. */
enum p11prof_status p11prof_feed_end(struct p11prof_feed *feed, struct p11prof_error *error);

/* NULL is allowed. */
void p11prof_feed_close(struct p11prof_feed *feed);

/* runs.run_id of its run. */
int64_t p11prof_feed_run(const struct p11prof_feed *feed);

#endif
