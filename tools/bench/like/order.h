/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What came after what among the threads of a recorded process: after which call a thread began,
 * and which call waited for a thread's end. Rows come in the order of their ends, twice. */
#ifndef P11PROF_BENCH_LIKE_ORDER_H
#define P11PROF_BENCH_LIKE_ORDER_H

#include "intern.h"
#include "script.h"

struct like_order {
    struct like_intern ids; /* thread_id */
    struct like_span {
        int64_t start_ns, end_ns; /* of its first and last played call */
        uint64_t call_count;      /* that returned so far */
        uint32_t number;          /* in the script, from 1; 0: it plays nothing */
        bool begun;               /* its anchor is known */
        struct like_anchor anchor;
    } * spans; /* owned; as ids */
    size_t capacity;
    uint32_t *by_start, *by_end;  /* owned; spans in these orders */
    size_t played_count, pending; /* pending: place in by_start of those that are yet to begin */
    uint32_t last;                /* span of the last call that returned; UINT32_MAX: none yet */
    int64_t last_end_ns;
};

void like_order_init(struct like_order *order);
void like_order_clear(struct like_order *order);

/* First time: every row of a thread that is no part of another call; `played`: it will be. */
void like_order_learn(struct like_order *order, int64_t thread_id, int64_t start_ns, int64_t end_ns,
                      bool played);
/* In between: numbers the threads that play something as they came. */
void like_order_number(struct like_order *order);

/* Second time, the played ones: the thread's number, and how many of its calls have returned. */
uint32_t like_order_take(struct like_order *order, int64_t thread_id, int64_t end_ns,
                         uint64_t *call_count);

/* Whether a call of the thread, which did nothing since before_ns, seems to have waited for another
 * thread's end, or takes away what that one worked with; its members join_… are set then. */
bool like_order_join(const struct like_order *order, int64_t thread_id, int64_t before_ns,
                     int64_t start_ns, struct like_call *call);

/* Where the thread of that number began; process as given. */
struct like_anchor like_order_anchor(const struct like_order *order, uint32_t number,
                                     uint32_t process);

#endif
