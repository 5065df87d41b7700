/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Questions about what seldom changes, again and again: is the session still good, is the token
 * still there. */
#include "detectors.h"
#include "p11prof/batch.h"
#include "pattern.h"
#include "report/units.h"

#include <inttypes.h>

enum {
    POLLS_MIN = 100,        /* in a process, after the first about each slot or session */
    WORK_PER_POLL_MAX = 10, /* with more operations to a question it costs them little */
};
static const int64_t fresh_ns = 1000000000; /* an answer of that age is good enough */

/* Of a process: one function. */
struct questions {
    int64_t first_ns, last_ns;
    struct p11prof_calls_sum calls;
};

struct state {
    struct p11prof_advice_map work;      /* int64_t: a process's operations */
    struct p11prof_advice_map questions; /* by process, function */
    struct p11prof_advice_map subjects;  /* bool: asked before; by process, function, slot or
                                            session */
};

static bool is_question(const struct p11prof_event *event)
{
    switch (event->function) {
    case P11PROF_C_GetSessionInfo:
    case P11PROF_C_GetSlotInfo:
    case P11PROF_C_GetTokenInfo:
        return true;
    case P11PROF_C_GetSlotList: /* to ask for the number first is no second question */
        return event->kind == P11PROF_KIND_CALL;
    case P11PROF_C_WaitForSlotEvent:
        return event->detail == CKF_DONT_BLOCK;
    default:
        return false;
    }
}

static bool is_first(struct state *state, const struct p11prof_event *event)
{
    const struct p11prof_advice_key key = {
        event->process_id, event->function,
        event->function == P11PROF_C_GetSessionInfo ? event->session : event->slot_id};
    bool *asked = p11prof_advice_map_take(&state->subjects, &key, sizeof(bool));
    bool first = !asked || !*asked;
    if (asked)
        *asked = true;
    return first;
}

static void take_question(struct state *state, const struct p11prof_event *event)
{
    const struct p11prof_advice_key key = {event->process_id, event->function, 0};
    struct questions *questions =
        is_first(state, event)
            ? NULL
            : p11prof_advice_map_take(&state->questions, &key, sizeof(struct questions));
    if (!questions)
        return;
    if (questions->calls.call_count == 0)
        questions->first_ns = event->start_ns;
    questions->last_ns = event->start_ns;
    p11prof_calls_sum_add(&questions->calls, event);
}

static void take(void *payload, const struct p11prof_event *event)
{
    struct state *state = payload;
    if (event->part != 0) /* a bench's, on purpose */
        return;
    if (is_question(event)) {
        take_question(state, event);
    } else if (p11prof_pattern_is_work(event)) {
        const struct p11prof_advice_key key = {event->process_id, 0, 0};
        int64_t *count = p11prof_advice_map_take(&state->work, &key, sizeof *count);
        if (count)
            ++*count;
    }
}

/* What all processes asked by one function. */
struct sum {
    int64_t work_count, process_count, span_ns, kept_ns;
    struct p11prof_evidence evidence;
};

static void add(struct sum *sum, int64_t process_id, const struct questions *questions,
                int64_t work_count)
{
    int64_t span_ns = questions->last_ns - questions->first_ns;
    int64_t count = questions->calls.call_count, kept = span_ns / fresh_ns + 1;
    sum->work_count += work_count;
    sum->process_count++;
    sum->span_ns += span_ns;
    sum->kept_ns += questions->calls.cost_ns / count * (kept < count ? kept : count);
    sum->evidence.count += count;
    p11prof_pattern_add(&sum->evidence, process_id, &questions->calls);
}

static void add_all(struct sum *sum, const struct state *state, unsigned function)
{
    for (size_t i = 0; i < state->questions.count; i++) {
        const struct p11prof_advice_key *key = p11prof_advice_map_key(&state->questions, i);
        const struct questions *questions = p11prof_advice_map_value(&state->questions, i);
        const struct p11prof_advice_key process = {key->process_id, 0, 0};
        const int64_t *work = p11prof_advice_map_find(&state->work, &process);
        int64_t work_count = work ? *work : 0, count = questions->calls.call_count;
        if (key->first == function && count >= POLLS_MIN && work_count <= count * WORK_PER_POLL_MAX)
            add(sum, key->process_id, questions, work_count);
    }
}

static void tell(const struct sum *sum, unsigned function, struct p11prof_findings *out)
{
    char span[P11PROF_UNIT_TEXT_BYTES];
    struct p11prof_finding *finding =
        p11prof_evidence_find(&sum->evidence, &p11prof_detect_polling, out);
    p11prof_format_ns(span, sum->span_ns > 0 ? (uint64_t)sum->span_ns : 0);
    finding->subject = p11prof_finding_text("%s", p11prof_calls[function].name);
    finding->evidence = p11prof_finding_text(
        "%" PRId64 " calls asked what their process had asked before, within %s, in %" PRId64
        " process%s with %" PRId64 " operation%s.",
        finding->count, span, sum->process_count, p11prof_pattern_es(sum->process_count),
        sum->work_count, sum->work_count == 1 ? "" : "s");
    p11prof_finding_save(finding, finding->cost_ns - sum->kept_ns,
                         "what these calls took, but for one a second");
}

static void finish(void *payload, const struct p11prof_advice_run *run,
                   struct p11prof_findings *out)
{
    (void)run;
    for (unsigned function = 1; function <= P11PROF_CALLS; function++) {
        struct sum sum = {.work_count = 0};
        add_all(&sum, payload, function);
        if (sum.process_count > 0)
            tell(&sum, function, out);
        p11prof_evidence_clear(&sum.evidence);
    }
}

static void clear(void *payload)
{
    struct state *state = payload;
    p11prof_advice_map_clear(&state->work);
    p11prof_advice_map_clear(&state->questions);
    p11prof_advice_map_clear(&state->subjects);
}

const struct p11prof_detector p11prof_detect_polling = {
    .id = "polling",
    .title = "What seldom changes is asked again and again",
    .why = "Each answer is a way to the token and back.",
    .state_bytes = sizeof(struct state),
    .take = take,
    .finish = finish,
    .clear = clear,
};
