/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* C_FindObjectsInit in a session whose last search was not ended with C_FindObjectsFinal. */
#include "detectors.h"
#include "p11prof/batch.h"
#include "pattern.h"

#include <inttypes.h>

enum {
    REFUSED_MIN = 3,   /* CKR_OPERATION_ACTIVE: each is a search that was not made */
    ALLOWED_MIN = 100, /* a lenient module goes on: what is left over harms only by its number */
};

struct session { /* whose search is not ended */
    int64_t call_id, thread_id;
};

struct state {
    struct p11prof_advice_map sessions;
    int64_t refused_count;
    struct p11prof_evidence repeats;
};

/* Only of the same thread: who shares a session among threads has another trouble. */
static void take_init(struct state *state, const struct p11prof_event *event,
                      const struct p11prof_advice_key *key)
{
    struct session *session = p11prof_advice_map_find(&state->sessions, key);
    if (session && session->thread_id == event->thread_id &&
        (event->rv == CKR_OK || event->rv == CKR_OPERATION_ACTIVE)) {
        state->repeats.count++;
        state->refused_count += event->rv == CKR_OPERATION_ACTIVE;
        p11prof_evidence_add(&state->repeats, event);
        p11prof_evidence_example(&state->repeats, session->call_id, event);
    }
    if (event->rv != CKR_OK)
        return;
    session = p11prof_advice_map_take(&state->sessions, key, sizeof *session);
    if (session)
        *session = (struct session){event->call_id, event->thread_id};
}

static void take(void *payload, const struct p11prof_event *event)
{
    struct state *state = payload;
    const struct p11prof_advice_key key = {event->process_id, event->session, 0};
    switch (event->function) {
    case P11PROF_C_FindObjectsInit:
        if (!(event->flags & P11PROF_ROW_OVERLAP))
            take_init(state, event, &key);
        return;
    case P11PROF_C_OpenSession: /* a handle comes again after C_CloseAllSessions */
    case P11PROF_C_CloseSession:
    case P11PROF_C_FindObjectsFinal:
    case P11PROF_C_SessionCancel:
    case P11PROF_C_SetOperationState:
        p11prof_advice_map_remove(&state->sessions, &key);
        return;
    default:
        return;
    }
}

static void finish(void *payload, const struct p11prof_advice_run *run,
                   struct p11prof_findings *out)
{
    const struct state *state = payload;
    (void)run;
    if (state->refused_count < REFUSED_MIN && state->repeats.count < ALLOWED_MIN)
        return;
    struct p11prof_finding *finding =
        p11prof_evidence_find(&state->repeats, &p11prof_detect_unfinished_searches, out);
    finding->cost_ns = -1; /* it is not their time that hurts */
    finding->evidence = p11prof_finding_text(
        "%" PRId64 " calls began a search in a session whose last one was not ended; %" PRId64
        " answered CKR_OPERATION_ACTIVE.",
        state->repeats.count, state->refused_count);
}

static void clear(void *payload)
{
    struct state *state = payload;
    p11prof_evidence_clear(&state->repeats);
    p11prof_advice_map_clear(&state->sessions);
}

const struct p11prof_detector p11prof_detect_unfinished_searches = {
    .id = "unfinished-searches",
    .title = "Searches are begun and not ended",
    .why = "Until C_FindObjectsFinal, a session can begin no other search, and the module keeps "
           "what the last one found.",
    .state_bytes = sizeof(struct state),
    .take = take,
    .finish = finish,
    .clear = clear,
};
