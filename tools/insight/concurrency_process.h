/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What the calls of one process, which has the module for itself, say about concurrency; or those
 * of all processes, which share the token. One thread. */
#ifndef P11PROF_INSIGHT_CONCURRENCY_PROCESS_H
#define P11PROF_INSIGHT_CONCURRENCY_PROCESS_H

#include "concurrency_levels.h"
#include "concurrency_sessions.h"
#include "concurrency_spacing.h"
#include "concurrency_speed_up.h"
#include "concurrency_turns.h"
#include "event.h"

/* Calls of one kind. */
struct p11prof_call_group {
    unsigned function; /* to P11PROF_CALLS; 0: unknown */
    unsigned kind;
    int64_t mechanism, key_type, key_bits;
};

/* Each call looks through them, each process has figures of them: a run has tens of groups, a
 * hostile database as many as calls. The last group is of all others. */
enum { P11PROF_CALL_GROUPS_MOST = 1024 };

struct p11prof_call_groups {
    struct p11prof_call_group *all;
    size_t count, capacity;
};

/* Index of the group of a call, made if need be. */
uint32_t p11prof_call_group_of(struct p11prof_call_groups *groups,
                               const struct p11prof_event *event);

/* A part of the run's time, one of P11PROF_TURN_SLICES. */
struct p11prof_concurrency_slice {
    double in_flight_ns;
    unsigned most;
    uint64_t call_count; /* begun */
};

struct p11prof_durations {
    uint64_t count;
    double total_ns, squares;
};

struct p11prof_group_use {
    struct p11prof_levels levels;
    struct p11prof_spacing spacing;
    /* The part of its calls after the last end of any kind: what they add to the time in use. */
    uint64_t end_count;
    double gaps_ns;
    /* Of those that began with none in flight; with others, but none of the kind. */
    struct p11prof_durations alone, behind;
};

/* Of a function, over all processes. */
struct p11prof_function_flow {
    uint64_t call_count;
    double total_ns;    /* sum of durations */
    double occupied_ns; /* time that threads were in it */
};

struct p11prof_concurrency_process {
    int64_t process_id; /* -1: all */
    int64_t first_ns, last_ns;
    struct p11prof_sweep sweep;
    struct p11prof_levels levels;
    struct p11prof_spacing spacing;   /* of kinds that take real time */
    struct p11prof_sessions sessions; /* not of all processes; nor turns, threads and flows */
    struct p11prof_thread_turns turns;
    struct p11prof_group_use *groups; /* by index */
    size_t group_count, group_capacity;
    struct p11prof_concurrency_slice slices[P11PROF_TURN_SLICES];
    int64_t *thread_ids; /* by index */
    size_t thread_count, thread_capacity;
    uint32_t *thread_slots; /* private: index + 1, a hash table */
    size_t thread_slot_count;
    struct p11prof_function_flow *flows; /* of each function; borrowed */
};

/* slice_ns: a sixtieth of the run; lag_ns: concurrency_sweep.h. */
struct p11prof_concurrency_process *p11prof_concurrency_process_new(
    int64_t process_id, int64_t slice_ns, int64_t lag_ns, struct p11prof_function_flow *flows);
void p11prof_concurrency_process_free(struct p11prof_concurrency_process *process);

/* Takes a call that has a duration, is not made inside another one and does not wait. */
void p11prof_concurrency_process_add(struct p11prof_concurrency_process *process,
                                     const struct p11prof_event *event, uint32_t group);

/* When there are no more. */
void p11prof_concurrency_process_finish(struct p11prof_concurrency_process *process);

#endif
