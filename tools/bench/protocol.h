/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What the command and its workers tell each other. The command never loads a module: each worker
 * is a process of its own, forked before anything is loaded, that gets one request at a time and
 * answers each; the counts of its threads stand in memory that both have. */
#ifndef P11PROF_BENCH_PROTOCOL_H
#define P11PROF_BENCH_PROTOCOL_H

#include "arrivals.h"
#include "mix.h"
#include "p11prof/histogram.h"
#include "settings.h"
#include "suite.h"
#include "test.h"

#include <stdatomic.h>

enum { BENCH_LOADS_MOST = 4096 };

enum bench_request_kind {
    BENCH_REQUEST_SET_UP,   /* load the module, find the token, log in */
    BENCH_REQUEST_OFFERED,  /* whether the token can be given `test` */
    BENCH_REQUEST_KEY,      /* what the user's key of that label is */
    BENCH_REQUEST_PREPARE,  /* make key and jobs of a load and try it */
    BENCH_REQUEST_SUMMARY,  /* record no rows from here on */
    BENCH_REQUEST_SLICE,    /* run one slice of a load */
    BENCH_REQUEST_SESSIONS, /* how many are open */
    BENCH_REQUEST_CLOSE,    /* close the jobs of a load, destroy its key if no other needs it */
    BENCH_REQUEST_QUIT,
};

/* One slice, as each thread does it. */
struct bench_plan {
    uint64_t start_ns; /* CLOCK_MONOTONIC: all threads begin then */
    struct bench_amount warmup, measured, cooldown;
    int processor; /* that the only thread begins on, from 1; 0: any */
};

struct bench_request {
    enum bench_request_kind kind;
    char test[P11PROF_BENCH_ID_BYTES];
    char key[BENCH_KEY_LABEL_BYTES]; /* KEY, PREPARE: the user's own; "": that of SET_UP */
    uint32_t load;                   /* from 1 */
    unsigned turns;                  /* SLICE: loads from that one on, of a mix; 1: it is alone */
    double weights[BENCH_MIX_MOST];  /* of these */
    uint64_t data_bytes;
    unsigned threads;
    struct bench_plan plan;
    bool scheduled;         /* SLICE: operations begin as shared->arrivals say */
    uint64_t think_time_ns; /* SLICE: that a thread waits after each operation */
};

/* What a token says of itself; texts without trailing blanks, made safe for a terminal. */
struct bench_token_facts {
    CK_SLOT_ID slot_id;
    char label[129], manufacturer[129], model[65], serial[65], firmware[16];
    char library[193], cryptoki[16];
    bool logged_in;
};

struct bench_reply {
    enum p11prof_status status; /* P11PROF_OK, or why not: text */
    char text[512];
    struct bench_token_facts token;       /* SET_UP */
    struct p11prof_bench_own_key own_key; /* SET_UP, KEY */
    uint64_t own_cost_ns;                 /* SET_UP: of the loop itself per iteration */
    CK_MECHANISM_INFO mechanism;          /* PREPARE; all 0: unknown */
    uint64_t iteration_ns;                /* PREPARE: about what one iteration takes */
    bool unchecked;                       /* PREPARE: results cannot be verified */
    bool broken;                          /* PREPARE: no limit of the token, but a fault of it */
    int64_t session_count;                /* SESSIONS: that the module counts; -1: it does not */
    int64_t held_count; /* SESSIONS: that the worker opened for itself and its threads */
};

/* What one thread did in the measured part of a slice. */
struct bench_tally {
    uint64_t count, error_count; /* completed ones, and those of them that failed or were wrong */
    uint64_t wrong_count;
    uint64_t start_ns, end_ns; /* of its first and last iteration: CLOCK_MONOTONIC */
    uint64_t active_ns; /* from its first iteration's start to its last one's end, without pauses */
};

/* Durations that a thread took itself, where nothing is recorded. */
struct bench_own {
    uint64_t success_count, sum_ns, error_sum_ns, min_ns, max_ns;
    double sum_squares;
    uint32_t octaves[P11PROF_OCTAVES][P11PROF_OCTAVE_BUCKETS];
};

struct bench_thread_state {
    _Atomic(uint64_t) progress_count; /* iterations of this slice so far */
    _Atomic(uint64_t) error_count;    /* of those */
    _Atomic(uint32_t) waits;          /* for room in the spool */
    uint64_t waited_ns;               /* for that, in this slice */
    uint32_t thread_id;
    struct bench_tally measured; /* of all loads of the slice */
    int processor;               /* it ended on, from 1; 0: unknown */
    uint64_t first_error_ns; /* when a failure or a wrong result was seen first: CLOCK_MONOTONIC; 0:
                                none */
    CK_RV first_error_rv;    /* what it was; CKR_OK: a wrong result */
    unsigned failed_in_row;  /* failures without a success in between */
    bool gave_up;            /* nothing works any more */
    bool gone;               /* nor will it: the token is not there */
};

/* The part of it that is of one load. */
struct bench_share {
    struct bench_tally measured;
    CK_RV first_rv;           /* of the first iteration that failed; CKR_OK: none */
    struct bench_own own;     /* latencies, where operations are scheduled */
    struct bench_own service; /* then: times in the module */
};

struct bench_shared {
    _Atomic(uint32_t) stop;              /* end the slice after the iteration in hand */
    _Atomic(uint32_t) unrecorded;        /* wait for no room: what finds none is lost */
    struct bench_arrivals arrivals;      /* of the slice in hand, where it is scheduled */
    unsigned threads_most;               /* of a process */
    unsigned turns_most;                 /* loads of a mix */
    struct bench_share *shares;          /* of each thread; at this address in all processes */
    struct bench_thread_state threads[]; /* [process * threads_most + thread] */
};

/* What a thread did of the loads of a slice, one after the other. */
static inline struct bench_share *bench_shares(const struct bench_shared *shared, unsigned process,
                                               unsigned thread)
{
    return &shared->shares[((size_t)process * shared->threads_most + thread) * shared->turns_most];
}

#endif
