/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What a thread's calls leave behind: open sessions, operations under way, objects it made, a
 * login. Where two places of a thread have the same of it, what is between can be done at another
 * time. */
#ifndef P11PROF_BENCH_LIKE_STATE_H
#define P11PROF_BENCH_LIKE_STATE_H

#include "intern.h"
#include "script.h"

struct like_state {
    struct like_intern facts;
    bool *holds; /* owned; of the facts */
    size_t capacity;
    uint64_t hash; /* of those that hold */
};

void like_state_init(struct like_state *state);
void like_state_take(struct like_state *state, const struct like_call *call);
void like_state_clear(struct like_state *state);

#endif
