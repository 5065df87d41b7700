/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* One process of a script, played: its sessions, objects and threads. It lives in a worker. */
#ifndef P11PROF_BENCH_LIKE_PLAYER_H
#define P11PROF_BENCH_LIKE_PLAYER_H

#include "../protocol.h"
#include "calls.h"

#include <pthread.h>

struct like_player {
    const struct like_stage *stage;
    const struct like_process *process;
    unsigned number; /* of the process, from 0 */
    const struct p11prof_bench_target *target;
    struct p11prof_function_list raw, timed; /* timed: through the shim, if something is recorded */
    uint64_t (*room)(void);                  /* in the spool; NULL: nothing is recorded */
    _Atomic(uint32_t) *stop;
    struct bench_thread_state *states; /* of its threads */
    struct like_tally *tally;
    uint64_t run_start_ns; /* CLOCK_MONOTONIC: of the first call of all */
    uint32_t *openers; /* of each place of a session: thread that opens it first, + 1; 0: none */
    _Atomic(unsigned) playing_count;   /* threads that go on */
    _Atomic(bool) initialized;         /* the library is */
    _Atomic(bool) begun;               /* it was, at least once */
    _Atomic(uint32_t) *reading_counts; /* of each object's single attributes: another each time */
    pthread_mutex_t lock;              /* of what follows */
    CK_SESSION_HANDLE *sessions;
    CK_OBJECT_HANDLE *objects;
    unsigned *generations; /* of each handle that was found; generation: it holds */
    bool *objects_seen;    /* made once, or waited for in vain: nobody waits any more */
    bool *sessions_seen;   /* the same */
    unsigned generation, open_count, wrapped_generation;
    CK_OBJECT_HANDLE wrapped;
};

/* An input that is made for a key of the script's own. */
struct like_fresh {
    struct like_input input;
    CK_OBJECT_HANDLE key; /* it is of */
    CK_BYTE *value;       /* owned */
};

enum { LIKE_FRESH_MOST = 64 };

/* A thread of it. */
struct like_actor {
    struct like_player *player;
    unsigned thread;
    struct like_walk walk; /* stands behind the call in hand */
    CK_BYTE *out;
    size_t out_bytes;
    uint64_t seed;
    struct like_taking { /* of each place of a session: an operation's input */
        const struct like_input *input;
        const CK_BYTE *value;
        size_t used;
    } * takings;
    struct like_fresh fresh[LIKE_FRESH_MOST];
    unsigned fresh_count;
    struct like_arguments arguments;
    struct like_tally tally;
    uint64_t token_ns;    /* in the module */
    uint64_t expected_ns; /* CLOCK_MONOTONIC: when it would stand here if it lost no time */
    uint64_t until_room;
};

/* --- its state: player_state.c --- */

/* The session of a call, once it is open; one that nobody in the script opens is opened now,
 * unrecorded. CK_INVALID_HANDLE: there is none. */
CK_SESSION_HANDLE like_session_get(struct like_actor *actor, const struct like_call *call);

/* The handle of an object, found or made. CK_INVALID_HANDLE: there is none. */
CK_OBJECT_HANDLE like_object_get(struct like_actor *actor, uint32_t object);
CK_OBJECT_HANDLE like_wrapped_get(struct like_actor *actor);

/* What a call that was answered changes in all this. */
void like_answer_take(struct like_actor *actor, const struct like_call *call, CK_RV rv);

/* --- arguments.c --- */

/* Makes the arguments of a call ready. False: it must not be played (a login that would harm). */
bool like_arguments_make(struct like_actor *actor, const struct like_call *call);
void like_fresh_clear(struct like_actor *actor);

/* --- player.c --- */

/* Plays the process from begin to end, or until *stop. False: its threads cannot be started. */
bool like_play(struct like_player *player);
/* What it begins with: its lists, empty. */
void like_player_open(struct like_player *player);
/* Frees what it has; sessions stay as they are. */
void like_player_clear(struct like_player *player);

#endif
