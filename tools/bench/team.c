/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "team.h"

#include <stdlib.h>
#include <time.h>

enum { TICK_NS = 100000000 };

struct member {
    struct team *team;
    unsigned thread;
    unsigned long seen; /* the last task that was not for it, or is done */
};

void team_init(struct team *team)
{
    pthread_condattr_t monotonic;
    *team = (struct team){0};
    pthread_mutex_init(&team->lock, NULL);
    pthread_cond_init(&team->begins, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&team->ended, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

/* Waits for the next task of this thread. False: the team ends. */
static bool next_task(struct member *member)
{
    struct team *team = member->team;
    pthread_mutex_lock(&team->lock);
    while (team->number == member->seen || member->thread >= team->wanted) {
        member->seen = team->number;
        pthread_cond_wait(&team->begins, &team->lock);
    }
    member->seen = team->number;
    pthread_mutex_unlock(&team->lock);
    return team->task != NULL;
}

static void *member_run(void *started)
{
    struct member member = *(struct member *)started;
    struct team *team = member.team;
    free(started);
    while (next_task(&member)) {
        team->task(team->payload, member.thread);
        pthread_mutex_lock(&team->lock);
        if (--team->running == 0)
            pthread_cond_signal(&team->ended);
        pthread_mutex_unlock(&team->lock);
    }
    return NULL;
}

static bool grow(struct team *team, unsigned count)
{
    void *threads = realloc(team->threads, count * sizeof *team->threads);
    if (!threads)
        return false;
    team->threads = threads;
    while (team->count < count) {
        struct member *member = malloc(sizeof *member);
        if (!member)
            return false;
        *member = (struct member){team, team->count, team->number};
        if (pthread_create(&team->threads[team->count], NULL, member_run, member) != 0) {
            free(member);
            return false;
        }
        team->count++;
    }
    return true;
}

static void begin(struct team *team, unsigned count, void (*task)(void *, unsigned), void *payload)
{
    team->task = task;
    team->payload = payload;
    team->wanted = team->running = count;
    team->number++;
    pthread_cond_broadcast(&team->begins);
}

bool team_run(struct team *team, unsigned count, void (*task)(void *, unsigned), void *payload,
              void (*tick)(void *))
{
    pthread_mutex_lock(&team->lock);
    bool grown = count <= team->count || grow(team, count);
    if (grown)
        begin(team, count, task, payload);
    while (grown && team->running > 0) {
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += TICK_NS;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        pthread_cond_timedwait(&team->ended, &team->lock, &until);
        pthread_mutex_unlock(&team->lock);
        tick(payload);
        pthread_mutex_lock(&team->lock);
    }
    pthread_mutex_unlock(&team->lock);
    return grown;
}

void team_end(struct team *team)
{
    pthread_mutex_lock(&team->lock);
    begin(team, team->count, NULL, NULL);
    pthread_mutex_unlock(&team->lock);
    for (unsigned i = 0; i < team->count; i++)
        pthread_join(team->threads[i], NULL);
    free(team->threads);
    *team = (struct team){0};
}
