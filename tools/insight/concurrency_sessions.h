/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Sessions of a process: which threads used each, how many calls of one were in flight at once, and
 * how many sessions had one. A handle that is closed and given out again is another session. One
 * thread. */
#ifndef P11PROF_INSIGHT_CONCURRENCY_SESSIONS_H
#define P11PROF_INSIGHT_CONCURRENCY_SESSIONS_H

#include "concurrency_levels.h"
#include "concurrency_sweep.h"

/* So many sessions that threads shared are listed. */
enum { P11PROF_SHARED_SESSIONS_MAX = 1000 };

struct p11prof_session_use {
    int64_t session;
    uint32_t *threads; /* indices, ascending; owned */
    size_t thread_count, thread_capacity;
    uint64_t call_count, overlapped_count; /* that ended; marked as overlapped */
    unsigned level;
    int64_t since_ns;
    bool open, closing; /* has been used, not closed; will be, when its calls have ended */
};

/* Starts with both levels' group_count. */
struct p11prof_sessions {
    struct p11prof_levels within;       /* in flight of one session, of all sessions together */
    struct p11prof_levels across;       /* sessions that have one in flight */
    struct p11prof_session_use *shared; /* closed ones that threads shared */
    size_t shared_count, shared_capacity;
    uint64_t unlisted_count;           /* more of them */
    struct p11prof_session_use *slots; /* private: a hash table of the open ones */
    size_t open_count, slot_count;
    unsigned busy_count; /* private */
};
void p11prof_sessions_clear(struct p11prof_sessions *sessions);

/* A call begins: sets what was in flight of sessions. */
void p11prof_sessions_begin(struct p11prof_sessions *sessions, struct p11prof_flight *flight);
void p11prof_sessions_end(struct p11prof_sessions *sessions, const struct p11prof_flight *flight);

/* At the end: the sessions that are still open are listed too. */
void p11prof_sessions_finish(struct p11prof_sessions *sessions);

#endif
