/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What a round trip to the token costs: the cheapest frequent call that goes there without any
 * crypto, an estimate. docs/statistics.md. */
#ifndef P11PROF_INSIGHT_LATENCY_FLOOR_H
#define P11PROF_INSIGHT_LATENCY_FLOOR_H

#include "latency_gather.h"

/* A call that is shorter never left the process. */
enum { P11PROF_LATENCY_TRIP_LEAST_NS = 10000 };

/* A function that needs no crypto. */
struct p11prof_latency_cheap {
    unsigned function;
    uint64_t count, p5_ns, p50_ns;
    bool in_process; /* too short for a round trip */
    bool agrees;     /* takes the floor, or at most half more */
};

struct p11prof_latency_floor {
    struct p11prof_latency_cheap *cheap; /* from short to long; owned */
    size_t cheap_count;
    size_t taken; /* index of the one that is the floor; cheap_count: none */
    size_t
        agreed_count; /* functions that take about as long, itself too: one alone proves little */
};

void p11prof_latency_floor_find(struct p11prof_latency_floor *out,
                                const struct p11prof_latency_gather *gather);
void p11prof_latency_floor_clear(struct p11prof_latency_floor *floor);

/* 0: there is none. */
uint64_t p11prof_latency_floor_ns(const struct p11prof_latency_floor *floor);

/* Whether a group is of crypto calls, and has enough of them for what is on top of the floor. */
bool p11prof_latency_is_crypto(const struct p11prof_latency_gather *gather, size_t group);

#endif
