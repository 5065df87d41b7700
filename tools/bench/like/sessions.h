/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Which sessions the calls of a process use: handles become places. A thread that opens a session
 * takes the lowest place free among its own, so that two threads never share one by chance. */
#ifndef P11PROF_BENCH_LIKE_SESSIONS_H
#define P11PROF_BENCH_LIKE_SESSIONS_H

#include "intern.h"
#include "pool.h"
#include "rows.h"

struct like_sessions {
    struct like_intern handles;
    struct like_session {
        int64_t slot_id;
        uint32_t thread; /* that opened it */
        uint32_t place;
        size_t pool_index;
        bool open, was_there; /* was_there: nobody opened it */
    } * sessions;             /* owned; of the handles */
    size_t capacity, open_count;
    struct like_pool *pools; /* owned; of the threads */
    size_t pool_count, pool_capacity;
    uint32_t place_count;
};

void like_sessions_init(struct like_sessions *sessions);

/* The place of the call's session, 0: none. A handle that nobody opened has been there before, and
 * gets a place too. */
uint32_t like_sessions_take(struct like_sessions *sessions, const struct like_row *row,
                            uint32_t thread);
void like_sessions_clear(struct like_sessions *sessions);

#endif
