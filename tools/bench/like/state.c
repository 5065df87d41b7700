/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "state.h"

#include "p11prof/batch.h"
#include "report/allocate.h"

#include <stdlib.h>

enum fact_kind { LIBRARY, LOGIN, SESSION, OPERATION, OBJECT };

struct fact {
    uint32_t kind, session, operation, object;
};

void like_state_init(struct like_state *state)
{
    *state = (struct like_state){.facts.bytes = sizeof(struct fact)};
}

void like_state_clear(struct like_state *state)
{
    like_intern_clear(&state->facts);
    free(state->holds);
}

static void set_at(struct like_state *state, uint32_t index, bool holds)
{
    uint64_t hash = (index + 1) * UINT64_C(0x9E3779B97F4A7C15);
    if (state->holds[index] == holds)
        return;
    state->holds[index] = holds;
    state->hash ^= hash ^ hash >> 31;
}

static void set(struct like_state *state, const struct fact *fact, bool holds)
{
    size_t known = state->facts.count;
    uint32_t index =
        holds ? like_intern_put(&state->facts, fact) : like_intern_find(&state->facts, fact);
    if (index == UINT32_MAX)
        return;
    state->holds =
        p11prof_grow(state->holds, &state->capacity, state->facts.count, sizeof *state->holds);
    if (state->facts.count > known)
        state->holds[index] = false;
    set_at(state, index, holds);
}

static void session_end(struct like_state *state, uint32_t session)
{
    set(state, &(struct fact){SESSION, session, 0, 0}, false);
    for (uint32_t i = 0; i < P11PROF_OPERATIONS; i++)
        for (uint32_t process = 0; process < 2; process++)
            set(state, &(struct fact){OPERATION, session, i, process}, false);
}

static void sessions_end(struct like_state *state)
{
    for (uint32_t i = 0; i < state->facts.count; i++) {
        const struct fact *fact = like_intern_at(&state->facts, i);
        if (fact->kind == SESSION || fact->kind == OPERATION)
            set_at(state, i, false);
    }
}

static void operation_take(struct like_state *state, const struct like_call *call)
{
    const struct p11prof_call *facts = &p11prof_calls[call->function];
    const struct fact fact = {OPERATION, call->session, facts->operation, 0};
    const struct fact process = {OPERATION, call->session, facts->operation, 1};
    bool done = call->rv == CKR_OK;
    switch (facts->role) {
    case P11PROF_ROLE_INIT:
        if (done)
            set(state, &fact, true);
        break;
    case P11PROF_ROLE_ONE:
    case P11PROF_ROLE_FINAL:
        if (call->kind == P11PROF_KIND_CALL)
            set(state, &fact, false);
        break;
    case P11PROF_ROLE_OPEN:
    case P11PROF_ROLE_CLOSE:
        if (done)
            set(state, &process, facts->role == P11PROF_ROLE_OPEN);
        break;
    case P11PROF_ROLE_BEGIN:
        if (done)
            set(state, &fact, true);
        break;
    default:
        break;
    }
}

void like_state_take(struct like_state *state, const struct like_call *call)
{
    for (int i = 0; i < 2; i++)
        if (call->made[i])
            set(state, &(struct fact){OBJECT, 0, 0, call->made[i]}, true);
    operation_take(state, call);
    if (call->rv != CKR_OK)
        return;
    switch (call->function) {
    case P11PROF_C_Initialize:
    case P11PROF_C_Finalize:
        set(state, &(struct fact){.kind = LIBRARY}, call->function == P11PROF_C_Initialize);
        if (call->function == P11PROF_C_Finalize)
            sessions_end(state);
        break;
    case P11PROF_C_OpenSession:
        set(state, &(struct fact){SESSION, call->session, 0, 0}, true);
        break;
    case P11PROF_C_CloseSession:
        session_end(state, call->session);
        break;
    case P11PROF_C_CloseAllSessions:
        sessions_end(state);
        break;
    case P11PROF_C_Login:
    case P11PROF_C_Logout:
        set(state, &(struct fact){.kind = LOGIN}, call->function == P11PROF_C_Login);
        break;
    case P11PROF_C_DestroyObject:
        set(state, &(struct fact){OBJECT, 0, 0, call->object}, false);
        break;
    default:
        break;
    }
}
