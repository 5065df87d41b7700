/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The workers, as the command sees them: started, asked, watched, ended. */
#ifndef P11PROF_BENCH_CREW_H
#define P11PROF_BENCH_CREW_H

#include "protocol.h"
#include "worker.h"

#include <sys/types.h>

struct crew_member {
    pid_t pid; /* 0: it is gone */
    int socket;
    struct bench_reply reply; /* to the last request */
    bool answered;
    bool crashed; /* it went without having been asked to */
    int wait_status;
};

struct crew {
    struct crew_member *members;
    unsigned count;
    bool hurried;      /* somebody waits for the next tick */
    uint64_t asked_ns; /* since then an answer is waited for, CLOCK_MONOTONIC; 0: none is */
    struct bench_shared *shared;
    size_t shared_bytes, shares_bytes;
};

/* How many there may be at most: processes, threads of each, and loads that take turns in them. */
struct crew_size {
    unsigned processes, threads, turns;
};

/* Forks workers that are like *worker but for their number. Nothing is loaded yet. They let go of
 * the sockets of another crew, if there is one: its workers see when the command is gone. */
enum p11prof_status crew_start(struct crew *crew, const struct crew *other,
                               const struct crew_size *size, struct bench_worker *worker,
                               struct p11prof_error *error);

/* Sends a request to the first `count` members and waits for all answers. Calls `tick` about every
 * 100 ms, every 5 ms while hurried. A crash or a failed send is described; replies stand with the
 * members, the first that is not P11PROF_OK is returned and described. */
enum p11prof_status crew_ask(struct crew *crew, unsigned count, const struct bench_request *request,
                             void (*tick)(void *payload), void *payload,
                             struct p11prof_error *error);

/* The same to one member alone. */
enum p11prof_status crew_ask_one(struct crew *crew, unsigned member,
                                 const struct bench_request *request, void (*tick)(void *payload),
                                 void *payload, struct p11prof_error *error);

/* Asks all to quit and waits at most `ms` for them to clean up; who does not is killed. Returns how
 * many had to be. Their spools are left to be drained. */
unsigned crew_end(struct crew *crew, unsigned ms, void (*tick)(void *payload), void *payload);

static inline struct bench_thread_state *crew_thread(const struct crew *crew, unsigned process,
                                                     unsigned thread)
{
    return &crew->shared->threads[process * crew->shared->threads_most + thread];
}

#endif
