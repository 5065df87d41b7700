/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Sessions that are opened for one or two operations and closed again. */
#include "detectors.h"
#include "evidence.h"
#include "report/units.h"
#include "use.h"

#include <inttypes.h>

/* Of a process: fewer are those of a start, or of a few commands. */
enum { SHORT_SESSIONS_MIN = 10, SHORT_WORK_MAX = 2 };

/* What a session was opened for. */
enum purpose { OPERATIONS, SEARCHES, PURPOSES };

static const struct {
    const char *word, *subject;
} purposes[PURPOSES] = {
    [OPERATIONS] = {"operations", NULL}, [SEARCHES] = {"searches", "searches alone"}};

struct state {
    struct p11prof_advice_map sessions;  /* struct session, by process and handle */
    struct p11prof_advice_map processes; /* struct opener, by process */
};

struct session {
    struct p11prof_calls_sum open;
    int64_t work_count[PURPOSES];
};

struct opener {
    int64_t open_count, most_open_count; /* at once */
    int64_t work_count[PURPOSES];        /* all */
    struct short_sessions {
        int64_t count, work_count;
        struct p11prof_calls_sum calls;
        int64_t example_first_id, example_last_id, thread_id;
    } of[PURPOSES];
};

static struct opener *opener_of(struct state *state, int64_t process_id)
{
    const struct p11prof_advice_key key = {process_id, 0, 0};
    return p11prof_advice_map_take(&state->processes, &key, sizeof(struct opener));
}

static void take_open(struct state *state, const struct p11prof_event *event)
{
    const struct p11prof_advice_key key = {event->process_id, event->session, 0};
    bool known = p11prof_advice_map_find(&state->sessions, &key) != NULL;
    struct session *session = p11prof_advice_map_take(&state->sessions, &key, sizeof *session);
    struct opener *opener = opener_of(state, event->process_id);
    if (!session || !opener)
        return;
    *session = (struct session){.open = {.call_count = 0}};
    p11prof_calls_sum_add(&session->open, event);
    opener->open_count += !known;
    if (opener->open_count > opener->most_open_count)
        opener->most_open_count = opener->open_count;
}

static void add_short(struct short_sessions *sessions, const struct session *session,
                      int64_t work_count, const struct p11prof_event *close)
{
    struct p11prof_calls_sum calls = session->open;
    p11prof_calls_sum_add(&calls, close);
    p11prof_calls_sum_merge(&sessions->calls, &calls);
    sessions->count++;
    sessions->work_count += work_count;
    if (session->open.thread_id != close->thread_id)
        return;
    sessions->example_first_id = session->open.first_call_id;
    sessions->example_last_id = close->call_id;
    sessions->thread_id = close->thread_id;
}

static void take_close(struct state *state, const struct p11prof_event *event)
{
    const struct p11prof_advice_key key = {event->process_id, event->session, 0};
    const struct session *session = p11prof_advice_map_find(&state->sessions, &key);
    struct opener *opener = opener_of(state, event->process_id);
    if (!session || !opener)
        return;
    enum purpose purpose = session->work_count[OPERATIONS] > 0 ? OPERATIONS : SEARCHES;
    int64_t work_count = session->work_count[purpose];
    if (work_count > 0 && work_count <= SHORT_WORK_MAX)
        add_short(&opener->of[purpose], session, work_count, event);
    opener->open_count--;
    p11prof_advice_map_remove(&state->sessions, &key);
}

/* Handles of a module that was finalised mean others afterwards. */
static void forget_sessions(struct state *state, int64_t process_id)
{
    struct opener *opener = opener_of(state, process_id);
    for (size_t i = state->sessions.count; opener && opener->open_count > 0 && i-- > 0;) {
        const struct p11prof_advice_key key = *p11prof_advice_map_key(&state->sessions, i);
        if (key.process_id == process_id) {
            p11prof_advice_map_remove(&state->sessions, &key);
            opener->open_count--;
        }
    }
}

static void take_work(struct state *state, const struct p11prof_event *event, enum purpose purpose)
{
    const struct p11prof_advice_key key = {event->process_id, event->session, 0};
    struct session *session = p11prof_advice_map_find(&state->sessions, &key);
    struct opener *opener = opener_of(state, event->process_id);
    if (session)
        session->work_count[purpose]++;
    if (opener)
        opener->work_count[purpose]++;
}

static void take(void *payload, const struct p11prof_event *event)
{
    struct state *state = payload;
    if (p11prof_event_is_use(event))
        take_work(state, event, OPERATIONS);
    else if (event->function == P11PROF_C_FindObjectsFinal)
        take_work(state, event, SEARCHES);
    else if (p11prof_event_failed(event))
        return;
    else if (event->function == P11PROF_C_OpenSession)
        take_open(state, event);
    else if (event->function == P11PROF_C_CloseSession)
        take_close(state, event);
    else if (event->function == P11PROF_C_Finalize || event->function == P11PROF_C_CloseAllSessions)
        forget_sessions(state, event->process_id);
}

static bool opens_too_often(const struct opener *opener, enum purpose purpose)
{
    const struct short_sessions *sessions = &opener->of[purpose];
    return sessions->count >= SHORT_SESSIONS_MIN &&
           2 * sessions->work_count >= opener->work_count[purpose];
}

struct total {
    struct p11prof_evidence evidence;
    int64_t work_count, needed_count;
};

static void add_process(struct total *total, int64_t process_id, const struct opener *opener,
                        const struct short_sessions *sessions)
{
    total->work_count += sessions->work_count;
    total->needed_count += opener->most_open_count;
    total->evidence.count += sessions->count;
    p11prof_evidence_add_sum(&total->evidence, process_id, &sessions->calls);
    if (sessions->example_first_id > 0)
        p11prof_evidence_example(&total->evidence, sessions->example_first_id,
                                 &(struct p11prof_event){.process_id = process_id,
                                                         .thread_id = sessions->thread_id,
                                                         .call_id = sessions->example_last_id});
}

static void describe(struct p11prof_finding *finding, const struct total *total,
                     enum purpose purpose)
{
    char each[P11PROF_UNIT_TEXT_BYTES];
    int64_t each_ns = finding->cost_ns / finding->count;
    int64_t needless_count = finding->count - total->needed_count;
    finding->evidence = p11prof_finding_text(
        "%" PRId64 " sessions were opened and closed again for %" PRId64 " %s.", finding->count,
        total->work_count, purposes[purpose].word);
    if (purposes[purpose].subject)
        finding->subject = p11prof_finding_text("%s", purposes[purpose].subject);
    p11prof_format_ns(each, (uint64_t)each_ns);
    p11prof_finding_save(finding, needless_count * each_ns,
                         "%" PRId64 " sessions x %s for opening and closing; %" PRId64
                         " would do, as many as were open at once",
                         finding->count, each, total->needed_count);
}

static void find(struct state *state, enum purpose purpose, struct p11prof_findings *out)
{
    struct total total = {.work_count = 0};
    for (size_t i = 0; i < state->processes.count; i++) {
        const struct opener *opener = p11prof_advice_map_value(&state->processes, i);
        if (opens_too_often(opener, purpose))
            add_process(&total, p11prof_advice_map_key(&state->processes, i)->process_id, opener,
                        &opener->of[purpose]);
    }
    if (total.evidence.count > 0)
        describe(p11prof_evidence_find(&total.evidence, &p11prof_detect_session_per_operation, out),
                 &total, purpose);
    p11prof_evidence_clear(&total.evidence);
}

static void finish(void *payload, const struct p11prof_advice_run *run,
                   struct p11prof_findings *out)
{
    (void)run;
    for (unsigned purpose = 0; purpose < PURPOSES; purpose++)
        find(payload, (enum purpose)purpose, out);
}

static void clear(void *payload)
{
    struct state *state = payload;
    p11prof_advice_map_clear(&state->sessions);
    p11prof_advice_map_clear(&state->processes);
}

const struct p11prof_detector p11prof_detect_session_per_operation = {
    .id = "session-per-operation",
    .title = "Sessions are opened for an operation and closed again",
    .why =
        "Opening a session takes time, a connection with some modules, and may need a search and "
        "a login besides; an open one can be used again.",
    .state_bytes = sizeof(struct state),
    .take = take,
    .finish = finish,
    .clear = clear,
};
