/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Calls in the order of their beginnings and ends, made from calls that come in the order of their
 * ends, nearly. What is kept is what may still change: the calls of the last `lag`. One thread. */
#ifndef P11PROF_INSIGHT_CONCURRENCY_SWEEP_H
#define P11PROF_INSIGHT_CONCURRENCY_SWEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Threads hand over their calls so much later than others that ended then. */
enum { P11PROF_SWEEP_DISORDER_NS = 50000000 };

/* So many calls are kept at most; a longer lag is cut to what they allow. */
enum { P11PROF_SWEEP_CALLS_MAX = 2000000 };

/* A lag with which all are kept. */
#define P11PROF_SWEEP_ALL_NS (INT64_MAX / 4)

struct p11prof_flight {
    int64_t start_ns, end_ns;
    int64_t session; /* P11PROF_EVENT_UNKNOWN: none */
    uint32_t thread; /* index */
    uint32_t group;  /* index */
    uint16_t function;
    bool failed, overlapped;
    /* Others that were in flight when it began, set by who is told: in the module, of its kind, of
     * its session; and other sessions that had one. */
    uint16_t others, others_of_kind, others_in_session, other_sessions;
};

struct p11prof_flights {
    struct p11prof_flight *all; /* a heap */
    size_t count, capacity;
};

/* Starts with `lag_ns` (of the longest call; P11PROF_SWEEP_ALL_NS: all are kept), begin, end and
 * payload. */
struct p11prof_sweep {
    int64_t lag_ns;
    void (*begin)(void *payload, struct p11prof_flight *flight);
    void (*end)(void *payload, const struct p11prof_flight *flight);
    void *payload;
    uint64_t late_count;               /* came too late: they count from then on */
    struct p11prof_flights due, going; /* private: by start_ns; by end_ns */
    int64_t last_end_ns, told_ns;      /* private */
    bool started;                      /* private */
};

/* Takes one; tells of what is sure by now. An end comes before a beginning of the same moment. */
void p11prof_sweep_add(struct p11prof_sweep *sweep, const struct p11prof_flight *flight);

/* Tells of the rest, and frees what the sweep has. */
void p11prof_sweep_finish(struct p11prof_sweep *sweep);

#endif
