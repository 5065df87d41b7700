/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Calls one after another, as numbers: what the insights (advice, concurrency, latency taken apart)
 * are made of. Each reads the rows of a run once, in the order in which they are kept: that of
 * their end, process by process, but for a few milliseconds' difference between threads. */
#ifndef P11PROF_INSIGHT_EVENT_H
#define P11PROF_INSIGHT_EVENT_H

#include "p11prof/batch.h"
#include "p11prof/calls.h"
#include "p11prof/error.h"
#include "report/selection.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sqlite3;

/* What is not known of a member that has no better word for it. */
#define P11PROF_EVENT_UNKNOWN INT64_MIN

/* A row of table call. Handles and codes are a CK_ULONG's bits. */
struct p11prof_event {
    int64_t call_id, process_id;
    int64_t thread_id;   /* 0: unknown, of an imported log */
    int64_t start_ns;    /* since the run's start */
    int64_t duration_ns; /* -1: unknown, of an imported log */
    unsigned function;   /* enum p11prof_function */
    unsigned kind;       /* enum p11prof_call_kind */
    unsigned flags;      /* enum p11prof_row_flag */
    unsigned operation;  /* enum p11prof_operation that it ended; 0: none */
    unsigned part;       /* of a load: p11prof/load.h; 0: of none */
    /* These may be P11PROF_EVENT_UNKNOWN. */
    int64_t rv; /* … undisclosed */
    int64_t session, slot_id;
    int64_t mechanism;
    int64_t key_type, key_bits;
    int64_t key_id; /* number of the object in its process */
    int64_t in_bytes, out_bytes;
    int64_t item_count, detail;
    int64_t caller;                /* number in its process: table caller */
    int64_t operation_call_count;  /* 1 where this call was all of it */
    int64_t operation_start_ns;    /* of its first call */
    int64_t operation_duration_ns; /* in the module */
};

/* Whether it returned anything but CKR_OK. Undisclosed results are not failed. */
static inline bool p11prof_event_failed(const struct p11prof_event *event)
{
    return event->rv != CKR_OK && event->rv != P11PROF_EVENT_UNKNOWN;
}

/* What is known of a function: of one of a newer p11prof, that it is "unknown". */
static inline const struct p11prof_call *p11prof_function_facts(unsigned function)
{
    return &p11prof_calls[function <= P11PROF_CALLS ? function : P11PROF_NO_FUNCTION];
}

static inline int64_t p11prof_event_end_ns(const struct p11prof_event *event)
{
    return event->start_ns + (event->duration_ns > 0 ? event->duration_ns : 0);
}

/* Gives the selected calls of a run (NULL: all) to `take`, one thread, in the order of their ids.
 * Shows progress on a terminal after a second. P11PROF_BAD_INPUT if a word of the selection is
 * none. */
enum p11prof_status p11prof_events_read(struct sqlite3 *db, int64_t run_id,
                                        const struct p11prof_selection *selection,
                                        void (*take)(void *payload,
                                                     const struct p11prof_event *event),
                                        void *payload, struct p11prof_error *error);

#endif
