/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Calls that failed and were made once more: what failed, and what prepared the next try, was for
 * nothing. Answers that are no fault (CKR_SIGNATURE_INVALID …) are none, nor is a small buffer,
 * which is a double query. */
#include "detectors.h"
#include "pattern.h"

#include <inttypes.h>
#include <string.h>

enum {
    RETRIES_MIN = 10, /* of a function and an error: fewer happen anywhere */
    BETWEEN_MAX = 8,  /* calls that prepare the next try: session, login, search, C_SignInit */
};
static const int64_t hang_ns = 1000000000; /* for nothing: one is enough to be told */

struct thread { /* what failed, and has not been tried again */
    unsigned function;
    int64_t rv, session, slot_id, mechanism, key_id, in_bytes;
    struct p11prof_calls_sum calls; /* it, and those since */
};

struct state {
    struct p11prof_advice_map threads;
    struct p11prof_advice_map retries; /* struct p11prof_evidence; by function, rv */
};

/* The session is gone: the next try has another one. */
static bool loses_session(int64_t rv)
{
    switch (rv) {
    case CKR_SESSION_CLOSED:
    case CKR_SESSION_HANDLE_INVALID:
    case CKR_DEVICE_REMOVED:
    case CKR_TOKEN_NOT_PRESENT:
        return true;
    default:
        return false;
    }
}

static bool calls_for_retry(const struct p11prof_event *event)
{
    switch (event->rv) {
    case CKR_HOST_MEMORY:
    case CKR_GENERAL_ERROR:
    case CKR_FUNCTION_FAILED:
    case CKR_DEVICE_ERROR:
    case CKR_DEVICE_MEMORY:
    case CKR_FUNCTION_CANCELED:
    case CKR_OPERATION_ACTIVE:
    case CKR_OPERATION_NOT_INITIALIZED:
    case CKR_KEY_HANDLE_INVALID:
    case CKR_OBJECT_HANDLE_INVALID:
    case CKR_SESSION_COUNT:
        return true;
    default:
        return loses_session(event->rv);
    }
}

static bool differs(int64_t before, int64_t now)
{
    return before != P11PROF_EVENT_UNKNOWN && now != P11PROF_EVENT_UNKNOWN && before != now;
}

/* Another key, or data of another length, is other work. */
static bool is_same_work(const struct thread *thread, const struct p11prof_event *event)
{
    return !differs(thread->mechanism, event->mechanism) &&
           !differs(thread->key_id, event->key_id) && !differs(thread->in_bytes, event->in_bytes);
}

static bool is_retry(const struct thread *thread, const struct p11prof_event *event)
{
    return event->function == thread->function && event->slot_id == thread->slot_id &&
           (loses_session(thread->rv) ||
            (event->session == thread->session && is_same_work(thread, event)));
}

static void take_retry(struct state *state, const struct thread *thread,
                       const struct p11prof_event *event)
{
    const struct p11prof_advice_key key = {0, thread->function, thread->rv};
    struct p11prof_evidence *evidence =
        p11prof_advice_map_take(&state->retries, &key, sizeof *evidence);
    if (!evidence)
        return;
    evidence->count++;
    p11prof_evidence_add_sum(evidence, event->process_id, &thread->calls);
    p11prof_evidence_example(evidence, thread->calls.first_call_id, event);
}

static void take(void *payload, const struct p11prof_event *event)
{
    struct state *state = payload;
    const struct p11prof_advice_key key = {event->process_id, event->thread_id, 0};
    struct thread *thread = p11prof_advice_map_find(&state->threads, &key);
    bool failed = calls_for_retry(event);
    if (event->flags & P11PROF_ROW_NESTED || (!thread && !failed))
        return;
    if (thread && thread->function != P11PROF_NO_FUNCTION && is_retry(thread, event))
        take_retry(state, thread, event);
    else if (!failed && thread->function != P11PROF_NO_FUNCTION &&
             thread->calls.call_count <= BETWEEN_MAX) {
        p11prof_calls_sum_add(&thread->calls, event);
        return;
    }
    if (!thread)
        thread = p11prof_advice_map_take(&state->threads, &key, sizeof *thread);
    if (!thread)
        return;
    memset(thread, 0, sizeof *thread);
    if (!failed)
        return;
    thread->function = event->function;
    thread->rv = event->rv;
    thread->session = event->session;
    thread->slot_id = event->slot_id;
    thread->mechanism = event->mechanism;
    thread->key_id = event->key_id;
    thread->in_bytes = event->in_bytes;
    p11prof_calls_sum_add(&thread->calls, event);
}

static void tell(const struct p11prof_evidence *evidence, const struct p11prof_advice_key *key,
                 struct p11prof_findings *out)
{
    char code[20];
    const char *function = p11prof_function_facts((unsigned)key->first)->name;
    const char *rv = p11prof_rv_text((uint64_t)key->second, code);
    struct p11prof_finding *finding = p11prof_evidence_find(evidence, &p11prof_detect_retries, out);
    finding->subject = p11prof_finding_text("%s %s", function, rv);
    finding->evidence =
        p11prof_finding_text("%" PRId64 " times %s answered %s and was called again; %" PRId64
                             " calls, with those in between, were for nothing.",
                             evidence->count, function, rv, evidence->call_count);
    p11prof_finding_save(finding, finding->cost_ns,
                         "what the failed calls, and those in between, took");
}

static void finish(void *payload, const struct p11prof_advice_run *run,
                   struct p11prof_findings *out)
{
    struct state *state = payload;
    (void)run;
    for (size_t i = 0; i < state->retries.count; i++) {
        const struct p11prof_evidence *evidence = p11prof_advice_map_value(&state->retries, i);
        if (evidence->count >= RETRIES_MIN || evidence->cost_ns >= hang_ns)
            tell(evidence, p11prof_advice_map_key(&state->retries, i), out);
    }
}

static void clear(void *payload)
{
    struct state *state = payload;
    for (size_t i = 0; i < state->retries.count; i++)
        p11prof_evidence_clear(p11prof_advice_map_value(&state->retries, i));
    p11prof_advice_map_clear(&state->retries);
    p11prof_advice_map_clear(&state->threads);
}

const struct p11prof_detector p11prof_detect_retries = {
    .id = "retries",
    .title = "Calls fail and are made again",
    .why = "What fails takes its time too, often longer than what succeeds, and is done twice.",
    .state_bytes = sizeof(struct state),
    .take = take,
    .finish = finish,
    .clear = clear,
};
