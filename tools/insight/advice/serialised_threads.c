/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Threads that call with one session at the same time: one of them waits, or fails. */
#include "detectors.h"
#include "evidence.h"
#include "report/units.h"

#include <inttypes.h>

enum { OVERLAPS_MIN = 20 };

struct state {
    struct p11prof_advice_map sessions; /* struct session, by process and handle */
    struct p11prof_evidence overlaps;
    int64_t session_count, failed_count, wait_ns;
    /* Of calls with such sessions, by function. */
    struct times {
        int64_t alone_count, alone_ns, overlapped_count, overlapped_ns;
    } times[P11PROF_CALLS + 1];
};

struct session {
    int64_t end_ns, thread_id, call_id; /* of its last call */
    bool counted;
};

/* The call began before that of another thread ended. */
static void take_overlap(struct state *state, struct session *session,
                         const struct p11prof_event *event)
{
    int64_t wait_ns = session->end_ns - event->start_ns;
    state->session_count += !session->counted;
    session->counted = true;
    state->overlaps.count++;
    state->failed_count +=
        event->rv == CKR_OPERATION_ACTIVE || event->rv == CKR_OPERATION_NOT_INITIALIZED;
    state->wait_ns += wait_ns < event->duration_ns ? wait_ns : event->duration_ns;
    p11prof_evidence_add(&state->overlaps, event);
    p11prof_evidence_example(&state->overlaps, event->call_id, event);
}

static void take(void *payload, const struct p11prof_event *event)
{
    struct state *state = payload;
    const struct p11prof_advice_key key = {event->process_id, event->session, 0};
    if (event->session == P11PROF_EVENT_UNKNOWN || event->duration_ns < 0 ||
        event->thread_id == 0 || event->flags & P11PROF_ROW_NESTED ||
        event->kind == P11PROF_KIND_BLOCKING || event->function > P11PROF_CALLS)
        return;
    struct session *session = p11prof_advice_map_take(&state->sessions, &key, sizeof *session);
    if (!session)
        return;
    struct times *times = &state->times[event->function];
    bool overlaps = event->flags & P11PROF_ROW_OVERLAP && session->call_id > 0 &&
                    session->thread_id != event->thread_id && session->end_ns > event->start_ns;
    *(overlaps ? &times->overlapped_count : &times->alone_count) += 1;
    *(overlaps ? &times->overlapped_ns : &times->alone_ns) += event->duration_ns;
    if (overlaps)
        take_overlap(state, session, event);
    *session = (struct session){.end_ns = p11prof_event_end_ns(event),
                                .thread_id = event->thread_id,
                                .call_id = event->call_id,
                                .counted = session->counted};
    if (event->function == P11PROF_C_CloseSession)
        p11prof_advice_map_remove(&state->sessions, &key);
}

/* How much longer they took than calls alone; their whole time where there is none alone. */
static int64_t excess_ns(const struct state *state)
{
    double excess = 0;
    for (size_t i = 0; i <= P11PROF_CALLS; i++) {
        const struct times *times = &state->times[i];
        double alone = times->alone_count > 0 ? (double)times->alone_ns * times->overlapped_count /
                                                    (double)times->alone_count
                                              : 0;
        if ((double)times->overlapped_ns > alone)
            excess += (double)times->overlapped_ns - alone;
    }
    return (int64_t)excess;
}

static void finish(void *payload, const struct p11prof_advice_run *run,
                   struct p11prof_findings *out)
{
    struct state *state = payload;
    char wait[P11PROF_UNIT_TEXT_BYTES], excess[P11PROF_UNIT_TEXT_BYTES];
    int64_t longer_ns = excess_ns(state);
    (void)run;
    if (state->overlaps.count < OVERLAPS_MIN)
        return;
    struct p11prof_finding *finding =
        p11prof_evidence_find(&state->overlaps, &p11prof_detect_serialised_threads, out);
    finding->evidence = p11prof_finding_text(
        "%" PRId64 " calls began while another thread's call with the same session went on, in "
        "%" PRId64 " session%s; %" PRId64
        " of them returned CKR_OPERATION_ACTIVE or CKR_OPERATION_NOT_INITIALIZED.",
        finding->count, state->session_count, state->session_count == 1 ? "" : "s",
        state->failed_count);
    if (state->failed_count > 0)
        return;
    p11prof_format_ns(wait, (uint64_t)state->wait_ns);
    p11prof_format_ns(excess, (uint64_t)longer_ns);
    p11prof_finding_save(
        finding, longer_ns < state->wait_ns ? longer_ns : state->wait_ns,
        "the lesser of %s until the other call ended and of %s that these calls "
        "took longer than the same functions alone, if the module works for several "
        "sessions at once",
        wait, excess);
}

static void clear(void *payload)
{
    struct state *state = payload;
    p11prof_advice_map_clear(&state->sessions);
    p11prof_evidence_clear(&state->overlaps);
}

const struct p11prof_detector p11prof_detect_serialised_threads = {
    .id = "serialised-threads",
    .title = "Threads share a session at the same time",
    .why = "A session has one operation at a time: the others wait for it, or take its result or "
           "fail.",
    .state_bytes = sizeof(struct state),
    .take = take,
    .finish = finish,
    .clear = clear,
};
