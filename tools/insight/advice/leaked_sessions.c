/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Sessions that nobody uses any more and nobody closes, while others are opened.
 *
 * A pool looks alike but for two things: it opens all of them before its work, or it opens one
 * because all the others are busy. So opens count that follow work, and a session is lost that
 * rested while enough of them went by. */
#include "detectors.h"
#include "pattern.h"

#include <inttypes.h>

enum {
    RESTED_MIN = 10, /* opens after work, since it was used: a pool takes an idle one instead */
    LOST_MIN = 10,   /* of a process: a few are kept for a login, or for later */
    LIMIT_MIN = 3,   /* answers CKR_SESSION_COUNT */
};

struct session {
    int64_t slot_id, rested_since;  /* its process's `opens` when it was used last */
    struct p11prof_calls_sum calls; /* that opened it */
};

struct process {
    int64_t opens; /* that follow work */
    int64_t opened_count, open_count, open_most, lost_count;
    bool worked; /* since the last one was opened */
    struct p11prof_calls_sum lost;
};

struct state {
    struct p11prof_advice_map sessions, processes;
    struct p11prof_evidence limit;
};

static void take_open(struct state *state, struct process *process,
                      const struct p11prof_event *event)
{
    const struct p11prof_advice_key key = {event->process_id, event->session, 0};
    struct session *session = p11prof_advice_map_take(&state->sessions, &key, sizeof *session);
    process->opens += process->worked;
    process->worked = false;
    process->opened_count++;
    if (++process->open_count > process->open_most)
        process->open_most = process->open_count;
    if (!session)
        return;
    *session = (struct session){.slot_id = event->slot_id, .rested_since = process->opens};
    p11prof_calls_sum_add(&session->calls, event);
}

/* Whoever ends it, it had been lost. */
static void end_session(struct process *process, const struct session *session)
{
    if (process->open_count > 0)
        process->open_count--;
    if (process->opens - session->rested_since < RESTED_MIN)
        return;
    process->lost_count++;
    p11prof_calls_sum_merge(&process->lost, &session->calls);
}

/* All of a slot; of a process with `slot_id` P11PROF_EVENT_UNKNOWN. */
static void end_sessions(struct state *state, struct process *process, int64_t process_id,
                         int64_t slot_id)
{
    if (process->open_count == 0)
        return;
    for (size_t i = state->sessions.count; i-- > 0;) {
        const struct p11prof_advice_key key = *p11prof_advice_map_key(&state->sessions, i);
        const struct session *session = p11prof_advice_map_value(&state->sessions, i);
        if (key.process_id != process_id ||
            (slot_id != P11PROF_EVENT_UNKNOWN && session->slot_id != slot_id))
            continue;
        end_session(process, session);
        p11prof_advice_map_remove(&state->sessions, &key);
    }
}

/* A session that is closed by its owner, however late, is not lost. */
static void take_close(struct state *state, struct process *process,
                       const struct p11prof_event *event)
{
    const struct p11prof_advice_key key = {event->process_id, event->session, 0};
    if (process->open_count > 0)
        process->open_count--;
    p11prof_advice_map_remove(&state->sessions, &key);
}

static void take_limit(struct state *state, const struct p11prof_event *event)
{
    state->limit.count++;
    p11prof_evidence_add(&state->limit, event);
    p11prof_evidence_example(&state->limit, event->call_id, event);
}

static void take_use(struct state *state, struct process *process,
                     const struct p11prof_event *event)
{
    const struct p11prof_advice_key key = {event->process_id, event->session, 0};
    struct session *session = event->session != P11PROF_EVENT_UNKNOWN
                                  ? p11prof_advice_map_find(&state->sessions, &key)
                                  : NULL;
    if (session)
        session->rested_since = process->opens;
    process->worked |= p11prof_pattern_is_work(event);
}

static void take_success(struct state *state, struct process *process,
                         const struct p11prof_event *event)
{
    switch (event->function) {
    case P11PROF_C_OpenSession:
        take_open(state, process, event);
        return;
    case P11PROF_C_CloseSession:
        take_close(state, process, event);
        return;
    case P11PROF_C_CloseAllSessions:
        end_sessions(state, process, event->process_id, event->slot_id);
        return;
    case P11PROF_C_Finalize:
        end_sessions(state, process, event->process_id, P11PROF_EVENT_UNKNOWN);
        return;
    default:
        take_use(state, process, event);
    }
}

static void take(void *payload, const struct p11prof_event *event)
{
    struct state *state = payload;
    const struct p11prof_advice_key key = {event->process_id, 0, 0};
    struct process *process =
        p11prof_advice_map_take(&state->processes, &key, sizeof(struct process));
    if (process && event->rv == CKR_OK)
        take_success(state, process, event);
    else if (event->rv == CKR_SESSION_COUNT)
        take_limit(state, event);
}

static void tell_lost(const struct p11prof_evidence *evidence, const struct process *worst,
                      int64_t opened_count, struct p11prof_findings *out)
{
    struct p11prof_finding *finding =
        p11prof_evidence_find(evidence, &p11prof_detect_leaked_sessions, out);
    finding->evidence = p11prof_finding_text(
        "%" PRId64 " of %" PRId64 " sessions were never closed, though they rested while their "
        "process opened %d others or more; a process had %" PRId64 " open at once.",
        evidence->count, opened_count, RESTED_MIN, worst->open_most);
    finding->cost_ns = -1; /* it is the limit that hurts */
}

static void tell_limit(const struct p11prof_evidence *evidence, struct p11prof_findings *out)
{
    struct p11prof_finding *finding =
        p11prof_evidence_find(evidence, &p11prof_detect_leaked_sessions, out);
    finding->subject = p11prof_finding_text("CKR_SESSION_COUNT");
    finding->evidence = p11prof_finding_text(
        "%" PRId64 " calls were refused a session: the token had no more.", evidence->count);
    finding->cost_ns = -1;
}

/* The run's end ends all that is left. */
static void end_rest(struct state *state)
{
    for (size_t i = 0; i < state->sessions.count; i++) {
        const struct p11prof_advice_key key = {
            p11prof_advice_map_key(&state->sessions, i)->process_id, 0, 0};
        struct process *process = p11prof_advice_map_find(&state->processes, &key);
        if (process)
            end_session(process, p11prof_advice_map_value(&state->sessions, i));
    }
}

static void finish(void *payload, const struct p11prof_advice_run *run,
                   struct p11prof_findings *out)
{
    struct state *state = payload;
    struct p11prof_evidence lost = {.count = 0};
    struct process worst = {.open_most = 0};
    int64_t opened_count = 0;
    (void)run;
    end_rest(state);
    for (size_t i = 0; i < state->processes.count; i++) {
        const struct process *process = p11prof_advice_map_value(&state->processes, i);
        if (process->lost_count < LOST_MIN)
            continue;
        lost.count += process->lost_count;
        opened_count += process->opened_count;
        p11prof_pattern_add(&lost, p11prof_advice_map_key(&state->processes, i)->process_id,
                            &process->lost);
        if (process->open_most > worst.open_most)
            worst = *process;
    }
    if (lost.count > 0)
        tell_lost(&lost, &worst, opened_count, out);
    if (state->limit.count >= LIMIT_MIN)
        tell_limit(&state->limit, out);
    p11prof_evidence_clear(&lost);
}

static void clear(void *payload)
{
    struct state *state = payload;
    p11prof_evidence_clear(&state->limit);
    p11prof_advice_map_clear(&state->sessions);
    p11prof_advice_map_clear(&state->processes);
}

const struct p11prof_detector p11prof_detect_leaked_sessions = {
    .id = "leaked-sessions",
    .title = "Sessions are opened and never closed",
    .why = "A token has a limited number of them, for all that use it; the next one then answers "
           "CKR_SESSION_COUNT.",
    .state_bytes = sizeof(struct state),
    .take = take,
    .finish = finish,
    .clear = clear,
};
