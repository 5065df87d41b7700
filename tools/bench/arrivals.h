/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* When the operations of an open loop are to begin: one schedule for a slice, from its warm-up to
 * its cool-down, whatever threads make of it. They share it: bench_arrivals_take() is for any of
 * them, in any process. An operation that was due in the measured part is begun until a while after
 * the first one asked for behind its end, so that neither a short queue nor a stall is a loss; what
 * has not begun by then never does. Times are of CLOCK_MONOTONIC. */
#ifndef P11PROF_BENCH_ARRIVALS_H
#define P11PROF_BENCH_ARRIVALS_H

#include "p11prof/load.h"
#include "settings.h"

#include <pthread.h>

/* What a slice is to be; amounts count arrivals, not those of each thread. */
struct bench_arrivals_plan {
    double rate;  /* in a second: more than 0 */
    bool poisson; /* gaps are drawn from an exponential distribution; else they are all the same */
    uint64_t seed;
    uint64_t start_ns;
    double first_s; /* of the first one since the start, if they are not random */
    struct bench_amount warmup, measured, cooldown;
};

struct bench_arrivals {
    pthread_mutex_t lock; /* of all that follows; shared by processes, survives their end */
    struct bench_arrivals_plan plan;
    uint64_t number;      /* of the next arrival, from 0 */
    uint64_t next_ns;     /* when it is due */
    long double offset_s; /* the same since the start, where arrivals are random */
    uint64_t random_state;
    enum p11prof_phase phase;             /* of the next one; NONE: there is none */
    uint64_t phase_start_ns, phase_count; /* of that phase, arrivals so far */
    uint64_t overdue_ns; /* when one of that phase was first asked for after its end; 0: none was */
    uint64_t measured_start_ns, measured_end_ns; /* 0: not reached */
    uint64_t missed_count;                       /* due in the measured part, never begun */
};

struct bench_arrival {
    uint64_t intended_ns;
    enum p11prof_phase phase;
};

/* When the first one of a slice is due, so that the measured parts of all slices, one behind the
 * other, are one schedule: `before_ns` is how long those before it were. However short slices are,
 * as much is due in all as the rate says, to half an operation. 0 where a count begins or ends the
 * measured part. */
double bench_arrivals_first_s(const struct bench_arrivals_plan *plan, uint64_t before_ns);

/* Once for the memory that it stands in. */
bool bench_arrivals_init(struct bench_arrivals *arrivals);

/* Before each slice, while no thread takes any. */
void bench_arrivals_begin(struct bench_arrivals *arrivals, const struct bench_arrivals_plan *plan);

enum bench_arrivals_answer {
    BENCH_ARRIVALS_ONE,    /* *out is to be begun when it is due, or at once if that is over */
    BENCH_ARRIVALS_BEHIND, /* many were missed: ask again, unless something says stop */
    BENCH_ARRIVALS_END,    /* no more */
};
enum bench_arrivals_answer bench_arrivals_take(struct bench_arrivals *arrivals, uint64_t now_ns,
                                               struct bench_arrival *out);

/* When the measured part was to begin and end; where a count ends it: when one more would have been
 * due. 0: that was not reached. */
void bench_arrivals_measured(struct bench_arrivals *arrivals, uint64_t *start_ns, uint64_t *end_ns);

/* After a slice: those that were due until then and never began, because its threads ended early,
 * are missed. */
void bench_arrivals_end(struct bench_arrivals *arrivals, uint64_t now_ns);

/* How many of the measured part never began. */
uint64_t bench_arrivals_missed(struct bench_arrivals *arrivals);

#endif
