/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Logins again and again: a login holds for all sessions of a process, until it logs out. Those of
 * keys that are always to be authenticated (CKU_CONTEXT_SPECIFIC) are demanded, those of a bench
 * are made on purpose. */
#include "detectors.h"
#include "pattern.h"

#include <inttypes.h>

enum {
    LOGINS_MIN = 10,         /* after a thread's first: fewer are a start, or somebody who tries */
    WORK_PER_LOGIN_MAX = 10, /* with more operations to a login its share is small */
};

/* What the pattern looks like. */
enum way {
    AGAIN,    /* it succeeded, so the process was logged out */
    NEEDLESS, /* CKR_USER_ALREADY_LOGGED_IN */
    WAYS,
};

struct process {
    int64_t work_count;
    int64_t login_count[WAYS];            /* after the first of their thread */
    struct p11prof_calls_sum calls[WAYS]; /* these, with logouts */
};

struct state {
    struct p11prof_advice_map processes;
    struct p11prof_advice_map threads; /* bool: has logged in */
};

/* The first one of a thread is none of the pattern. */
static bool is_first(struct state *state, const struct p11prof_event *event)
{
    const struct p11prof_advice_key key = {event->process_id, event->thread_id, 0};
    bool *logged_in = p11prof_advice_map_take(&state->threads, &key, sizeof(bool));
    bool first = !logged_in || !*logged_in;
    if (logged_in)
        *logged_in = true;
    return first;
}

static void take_login(struct state *state, struct process *process,
                       const struct p11prof_event *event)
{
    enum way way = event->rv == CKR_OK ? AGAIN : NEEDLESS;
    if (event->detail == CKU_CONTEXT_SPECIFIC ||
        (event->rv != CKR_OK && event->rv != CKR_USER_ALREADY_LOGGED_IN) || is_first(state, event))
        return;
    process->login_count[way]++;
    p11prof_calls_sum_add(&process->calls[way], event);
}

static void take(void *payload, const struct p11prof_event *event)
{
    struct state *state = payload;
    const struct p11prof_advice_key key = {event->process_id, 0, 0};
    bool login = p11prof_pattern_is_login(event), logout = event->function == P11PROF_C_Logout;
    if (event->part != 0 || (!login && !logout && !p11prof_pattern_is_work(event)))
        return;
    struct process *process =
        p11prof_advice_map_take(&state->processes, &key, sizeof(struct process));
    if (!process)
        return;
    if (login)
        take_login(state, process, event);
    else if (logout)
        p11prof_calls_sum_add(&process->calls[AGAIN], event);
    else
        process->work_count++;
}

static bool has_pattern(const struct process *process, enum way way)
{
    return process->login_count[way] >= LOGINS_MIN &&
           process->work_count <= process->login_count[way] * WORK_PER_LOGIN_MAX;
}

static void tell(const struct p11prof_evidence *evidence, enum way way, int64_t work_count,
                 int64_t process_count, struct p11prof_findings *out)
{
    struct p11prof_finding *finding =
        p11prof_evidence_find(evidence, &p11prof_detect_login_per_operation, out);
    finding->subject = p11prof_finding_text("%s", way == AGAIN ? "logged out in between"
                                                               : "CKR_USER_ALREADY_LOGGED_IN");
    finding->evidence = p11prof_finding_text(
        "%" PRId64 " logins after the first one of their thread%s, for %" PRId64
        " operations, in %" PRId64 " process%s.",
        finding->count, way == AGAIN ? "" : " answered CKR_USER_ALREADY_LOGGED_IN", work_count,
        process_count, p11prof_pattern_es(process_count));
    p11prof_finding_save(finding, finding->cost_ns,
                         way == AGAIN ? "what these logins and the logouts took: one login for "
                                        "each process does"
                                      : "what these logins took: the first one still held");
}

static void finish_way(const struct state *state, enum way way, struct p11prof_findings *out)
{
    struct p11prof_evidence evidence = {.count = 0};
    int64_t work_count = 0, process_count = 0;
    for (size_t i = 0; i < state->processes.count; i++) {
        const struct process *process = p11prof_advice_map_value(&state->processes, i);
        if (!has_pattern(process, way))
            continue;
        evidence.count += process->login_count[way];
        work_count += process->work_count;
        process_count++;
        p11prof_pattern_add(&evidence, p11prof_advice_map_key(&state->processes, i)->process_id,
                            &process->calls[way]);
    }
    if (process_count > 0)
        tell(&evidence, way, work_count, process_count, out);
    p11prof_evidence_clear(&evidence);
}

static void finish(void *payload, const struct p11prof_advice_run *run,
                   struct p11prof_findings *out)
{
    (void)run;
    finish_way(payload, AGAIN, out);
    finish_way(payload, NEEDLESS, out);
}

static void clear(void *payload)
{
    struct state *state = payload;
    p11prof_advice_map_clear(&state->processes);
    p11prof_advice_map_clear(&state->threads);
}

const struct p11prof_detector p11prof_detect_login_per_operation = {
    .id = "login-per-operation",
    .title = "The same process logs in again and again",
    .why = "A login holds for all sessions of a process. Tokens take their time for it, since they "
           "check a PIN.",
    .state_bytes = sizeof(struct state),
    .take = take,
    .finish = finish,
    .clear = clear,
};
