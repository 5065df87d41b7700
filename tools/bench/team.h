/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The threads of a worker. They are kept from one task to the next, so that a thread keeps its
 * session, and the recorder its ring. */
#ifndef P11PROF_BENCH_TEAM_H
#define P11PROF_BENCH_TEAM_H

#include <pthread.h>
#include <stdbool.h>

struct team {
    pthread_mutex_t lock;
    pthread_cond_t begins, ended;
    pthread_t *threads;
    unsigned count;           /* threads that exist */
    unsigned wanted, running; /* of the task in hand */
    unsigned long number;     /* of the task in hand */
    void (*task)(void *payload, unsigned thread);
    void *payload;
};

void team_init(struct team *team);

/* Runs task(payload, 0 … count - 1), each number always on the same thread; calls `tick` every
 * 100 ms meanwhile. False: not all threads could be started; nothing was run. */
bool team_run(struct team *team, unsigned count, void (*task)(void *payload, unsigned thread),
              void *payload, void (*tick)(void *payload));

/* Ends all threads. */
void team_end(struct team *team);

#endif
