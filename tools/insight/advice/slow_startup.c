/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What processes do before their first operation (report/startup.h), where that is long: by phase,
 * with what is asked twice. Imported logs without times have none. */
#include "detectors.h"
#include "pattern.h"
#include "report/units.h"

#include <inttypes.h>

enum {
    SHARE_MIN = 5,      /* hundredths of the run: less is forgotten in a long run */
    PROCESSES_MIN = 10, /* that start up one after another */
};
/* A user waits: slower than what a token with many objects, or a busy machine, needs at times. */
static const int64_t slow_ns = 1000000000;
static const int64_t slow_anyhow_ns = 3000000000; /* whatever its share */

enum phase { INITIALIZE, SLOTS, SESSIONS, LOGIN, SEARCH, ATTRIBUTES, OTHER, PHASES };

static const char *const phase_names[PHASES] = {
    [INITIALIZE] = "C_Initialize", [SLOTS] = "slots and tokens",
    [SESSIONS] = "sessions",       [LOGIN] = "login",
    [SEARCH] = "searches",         [ATTRIBUTES] = "attributes",
    [OTHER] = "other calls",
};

struct process {
    bool begun, started; /* has initialised; has done something */
    struct p11prof_calls_sum calls;
    int64_t phase_ns[PHASES];
    int64_t twice_count, twice_ns;
};

struct state {
    struct p11prof_advice_map processes;
    struct p11prof_advice_map questions; /* bool: asked before */
};

static enum phase phase_of(unsigned function)
{
    switch (function) {
    case P11PROF_C_Initialize:
        return INITIALIZE;
    case P11PROF_C_GetInfo:
    case P11PROF_C_GetSlotList:
    case P11PROF_C_GetSlotInfo:
    case P11PROF_C_GetTokenInfo:
    case P11PROF_C_GetMechanismList:
    case P11PROF_C_GetMechanismInfo:
        return SLOTS;
    case P11PROF_C_OpenSession:
    case P11PROF_C_CloseSession:
    case P11PROF_C_CloseAllSessions:
    case P11PROF_C_GetSessionInfo:
        return SESSIONS;
    case P11PROF_C_Login:
    case P11PROF_C_LoginUser:
    case P11PROF_C_Logout:
        return LOGIN;
    case P11PROF_C_FindObjectsInit:
    case P11PROF_C_FindObjects:
    case P11PROF_C_FindObjectsFinal:
        return SEARCH;
    case P11PROF_C_GetAttributeValue:
    case P11PROF_C_GetObjectSize:
        return ATTRIBUTES;
    default:
        return OTHER;
    }
}

/* Whether the same was asked of the same object, slot or session before. A search is not: what it
 * looks for is not recorded. */
static bool is_repeated(struct state *state, const struct p11prof_event *event)
{
    enum phase phase = phase_of(event->function);
    if ((phase != SLOTS && phase != ATTRIBUTES) || event->kind != P11PROF_KIND_CALL)
        return false;
    int64_t about = phase == ATTRIBUTES ? event->key_id : event->slot_id;
    int64_t what = event->detail == P11PROF_EVENT_UNKNOWN ? 0 : event->detail;
    int64_t count = event->item_count == P11PROF_EVENT_UNKNOWN ? 0 : event->item_count;
    if (phase == ATTRIBUTES && about == P11PROF_EVENT_UNKNOWN)
        return false;
    if (event->function == P11PROF_C_GetMechanismInfo)
        what = event->mechanism;
    const struct p11prof_advice_key key = {
        event->process_id, about,
        (int64_t)((uint64_t)what << 16 ^ (uint64_t)count << 8 ^ event->function)};
    bool *asked = p11prof_advice_map_take(&state->questions, &key, sizeof(bool));
    bool repeated = asked && *asked;
    if (asked)
        *asked = true;
    return repeated;
}

static void take_start(struct state *state, struct process *process,
                       const struct p11prof_event *event)
{
    bool counts = event->duration_ns > 0 && !(event->flags & P11PROF_ROW_NESTED);
    if (event->kind == P11PROF_KIND_BLOCKING) /* somebody who puts in a card takes his time */
        return;
    p11prof_calls_sum_add(&process->calls, event);
    if (counts)
        process->phase_ns[phase_of(event->function)] += event->duration_ns;
    if (!is_repeated(state, event))
        return;
    process->twice_count++;
    process->twice_ns += counts ? event->duration_ns : 0;
}

/* A process whose start is not seen, for a selection or a prune, has none. */
static void take(void *payload, const struct p11prof_event *event)
{
    struct state *state = payload;
    const struct p11prof_advice_key key = {event->process_id, 0, 0};
    struct process *process =
        p11prof_advice_map_take(&state->processes, &key, sizeof(struct process));
    if (!process || process->started || event->part != 0)
        return;
    process->begun |= event->function == P11PROF_C_Initialize;
    process->started = p11prof_pattern_is_work(event) ||
                       (event->function <= P11PROF_CALLS &&
                        p11prof_calls[event->function].role == P11PROF_ROLE_INIT &&
                        p11prof_calls[event->function].operation != P11PROF_OPERATION_FIND);
    if (process->begun && !process->started)
        take_start(state, process, event);
}

/* Start-ups together. */
struct sum {
    int64_t phase_ns[PHASES];
    int64_t twice_count, twice_ns;
    struct p11prof_evidence evidence;
};

static void add(struct sum *sum, int64_t process_id, const struct process *process)
{
    for (enum phase phase = INITIALIZE; phase < PHASES; phase++)
        sum->phase_ns[phase] += process->phase_ns[phase];
    sum->twice_count += process->twice_count;
    sum->twice_ns += process->twice_ns;
    sum->evidence.count++;
    p11prof_pattern_add(&sum->evidence, process_id, &process->calls);
}

static bool is_slow(const struct process *process, const struct p11prof_advice_run *run)
{
    int64_t ns = process->calls.cost_ns;
    return ns >= slow_anyhow_ns || (ns >= slow_ns && ns >= run->duration_ns / 100 * SHARE_MIN);
}

static enum phase longest(const struct sum *sum)
{
    enum phase found = INITIALIZE;
    for (enum phase phase = INITIALIZE; phase < PHASES; phase++)
        if (sum->phase_ns[phase] > sum->phase_ns[found])
            found = phase;
    return found;
}

static struct p11prof_finding *tell(const struct sum *sum, struct p11prof_findings *out)
{
    char phase_text[P11PROF_UNIT_TEXT_BYTES], cost_text[P11PROF_UNIT_TEXT_BYTES];
    enum phase phase = longest(sum);
    struct p11prof_finding *finding =
        p11prof_evidence_find(&sum->evidence, &p11prof_detect_slow_startup, out);
    p11prof_format_ns(cost_text, (uint64_t)finding->cost_ns);
    p11prof_format_ns(phase_text, (uint64_t)sum->phase_ns[phase]);
    finding->evidence = p11prof_finding_text(
        "%" PRId64 " process%s made %" PRId64 " calls in %s before the first operation; most of it "
        "is %s, %s. %" PRId64 " calls asked what had been asked.",
        finding->count, p11prof_pattern_es(finding->count), finding->call_count, cost_text,
        phase_names[phase], phase_text, sum->twice_count);
    return finding;
}

/* Processes that are slow by themselves, and save what they ask twice. */
static void tell_slow(const struct sum *sum, struct p11prof_findings *out)
{
    struct p11prof_finding *finding = tell(sum, out);
    finding->subject = p11prof_finding_text("%s", phase_names[longest(sum)]);
    if (sum->twice_ns > 0)
        p11prof_finding_save(finding, sum->twice_ns, "what the calls took that asked once more");
}

/* Quick ones in such a number that they are most of the work, and save all start-ups but one. */
static void tell_many(const struct sum *sum, struct p11prof_findings *out)
{
    struct p11prof_finding *finding = tell(sum, out);
    finding->subject = p11prof_finding_text("many processes");
    p11prof_finding_save(finding, finding->cost_ns - finding->cost_ns / finding->count,
                         "all of these start-ups but one: a process that stays has one");
}

static void finish(void *payload, const struct p11prof_advice_run *run,
                   struct p11prof_findings *out)
{
    struct state *state = payload;
    struct sum slow = {.twice_count = 0}, quick = {.twice_count = 0};
    for (size_t i = 0; i < state->processes.count; i++) {
        const struct process *process = p11prof_advice_map_value(&state->processes, i);
        if (process->started && process->calls.call_count > 0)
            add(is_slow(process, run) ? &slow : &quick,
                p11prof_advice_map_key(&state->processes, i)->process_id, process);
    }
    if (slow.evidence.count > 0)
        tell_slow(&slow, out);
    if (quick.evidence.count >= PROCESSES_MIN && quick.evidence.cost_ns >= slow_ns &&
        quick.evidence.cost_ns >= run->module_ns / 2)
        tell_many(&quick, out);
    p11prof_evidence_clear(&slow.evidence);
    p11prof_evidence_clear(&quick.evidence);
}

static void clear(void *payload)
{
    struct state *state = payload;
    p11prof_advice_map_clear(&state->processes);
    p11prof_advice_map_clear(&state->questions);
}

const struct p11prof_detector p11prof_detect_slow_startup = {
    .id = "slow-startup",
    .title = "It takes long until the first operation",
    .why = "Who uses it waits, each time that it starts.",
    .state_bytes = sizeof(struct state),
    .take = take,
    .finish = finish,
    .clear = clear,
};
