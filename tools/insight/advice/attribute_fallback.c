/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* C_GetAttributeValue that is refused one of many attributes, and then asks for them one by one. */
#include "detectors.h"
#include "pattern.h"

#include <inttypes.h>
#include <string.h>

enum { FALLBACKS_MIN = 20 }; /* a start-up looks at some objects once */

struct thread { /* a refused call, and those that followed for the same object */
    int64_t session, key_id, item_count;
    struct p11prof_calls_sum calls;
    int64_t last_call_id;
};

struct state {
    struct p11prof_advice_map threads;
    struct p11prof_evidence fallbacks;
};

static bool is_refused(const struct p11prof_event *event)
{
    return event->function == P11PROF_C_GetAttributeValue && event->item_count > 1 &&
           (event->rv == CKR_ATTRIBUTE_TYPE_INVALID || event->rv == CKR_ATTRIBUTE_SENSITIVE);
}

static bool follows(const struct thread *thread, const struct p11prof_event *event)
{
    return event->function == P11PROF_C_GetAttributeValue && event->session == thread->session &&
           event->key_id == thread->key_id && event->item_count < thread->item_count;
}

static void end(struct state *state, struct thread *thread, const struct p11prof_event *event)
{
    struct p11prof_event last = *event;
    if (thread->calls.call_count > 1) {
        last.call_id = thread->last_call_id;
        state->fallbacks.count++;
        p11prof_evidence_add_sum(&state->fallbacks, event->process_id, &thread->calls);
        p11prof_evidence_example(&state->fallbacks, thread->calls.first_call_id, &last);
    }
    memset(thread, 0, sizeof *thread);
}

static void take(void *payload, const struct p11prof_event *event)
{
    struct state *state = payload;
    const struct p11prof_advice_key key = {event->process_id, event->thread_id, 0};
    bool refused = is_refused(event);
    struct thread *thread =
        refused ? p11prof_advice_map_take(&state->threads, &key, sizeof(struct thread))
                : p11prof_advice_map_find(&state->threads, &key);
    if (!thread || event->flags & P11PROF_ROW_NESTED)
        return;
    bool follower = thread->calls.call_count > 0 && follows(thread, event);
    if (!follower) {
        end(state, thread, event);
        if (!refused)
            return;
        thread->session = event->session;
        thread->key_id = event->key_id;
        thread->item_count = event->item_count;
    }
    thread->last_call_id = event->call_id;
    p11prof_calls_sum_add(&thread->calls, event);
}

static void finish(void *payload, const struct p11prof_advice_run *run,
                   struct p11prof_findings *out)
{
    const struct state *state = payload;
    const struct p11prof_evidence *evidence = &state->fallbacks;
    (void)run;
    if (evidence->count < FALLBACKS_MIN)
        return;
    struct p11prof_finding *finding =
        p11prof_evidence_find(evidence, &p11prof_detect_attribute_fallback, out);
    finding->evidence = p11prof_finding_text(
        "%" PRId64 " calls for several attributes were refused one of them; %" PRId64
        " calls for fewer of the same object followed.",
        evidence->count, evidence->call_count - evidence->count);
    p11prof_finding_save(finding,
                         finding->cost_ns - evidence->count * p11prof_evidence_mean_ns(evidence),
                         "what these calls took, but for one each");
}

static void clear(void *payload)
{
    struct state *state = payload;
    p11prof_evidence_clear(&state->fallbacks);
    p11prof_advice_map_clear(&state->threads);
}

const struct p11prof_detector p11prof_detect_attribute_fallback = {
    .id = "attribute-fallback",
    .title = "Refused attributes are asked for once more, one by one",
    .why = "A call that is refused one attribute has filled in the others; each further call is a "
           "way to the token and back.",
    .state_bytes = sizeof(struct state),
    .take = take,
    .finish = finish,
    .clear = clear,
};
