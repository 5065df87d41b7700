/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Whether threads keep each other out of the module, which an application does that has a lock
 * around it: docs/statistics.md, Concurrency. One thread. */
#ifndef P11PROF_INSIGHT_CONCURRENCY_TURNS_H
#define P11PROF_INSIGHT_CONCURRENCY_TURNS_H

#include "concurrency_sweep.h"

enum {
    P11PROF_TURN_SLICES = 60,         /* equal parts of the run */
    P11PROF_TURN_QUICK_NS = 100000,   /* a thread that begins so soon has waited; or within … */
    P11PROF_TURN_QUICK_PART = 4,      /* … a quarter of the call before, if that is less */
    P11PROF_TURN_EXPECTED_LEAST = 30, /* calls that would overlap by chance */
    P11PROF_TURN_OVERLAP_PER_MILLE = 50, /* of them that do at most, where one is let in */
};

struct p11prof_turn_thread {
    int64_t last_end_ns;
    bool known;   /* it is */
    bool between; /* in an operation, and in no call */
    uint64_t call_count;
    double busy_ns[P11PROF_TURN_SLICES];
    uint32_t begun[P11PROF_TURN_SLICES];
};

struct p11prof_thread_turns {
    int64_t slice_ns;                    /* > 0 */
    struct p11prof_turn_thread *threads; /* by index */
    size_t thread_count, thread_capacity;
    unsigned between_count;
    uint64_t call_count, overlap_count;   /* begun; of them, with another one in flight */
    double alone_ns;                      /* exactly one in flight */
    double waited_ns;                     /* of it, while another thread waits */
    uint64_t handover_count, quick_count; /* next call is another thread's; it begins at once */
    /* private */
    int64_t since_ns, last_end_ns, last_ns;
    uint32_t last_thread;
    unsigned level;
    double fresh_ns;
};
void p11prof_thread_turns_clear(struct p11prof_thread_turns *turns);

/* Returns the time of the call in which its thread was in no call before. */
int64_t p11prof_thread_turns_call_begins(struct p11prof_thread_turns *turns,
                                         const struct p11prof_flight *flight);
void p11prof_thread_turns_call_ends(struct p11prof_thread_turns *turns,
                                    const struct p11prof_flight *flight);

/* How many calls would begin with another one in flight, if threads took no notice of each other,
 * with their times in the module in each slice. */
double p11prof_thread_turns_expected(const struct p11prof_thread_turns *turns);

/* Whether two threads or more called, and one is let in at a time. */
bool p11prof_thread_turns_are_taken(const struct p11prof_thread_turns *turns);

#endif
