/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* A child process that goes on with what its parent has opened. PKCS#11 wants C_Initialize first;
 * a child that calls it has done its part, whatever the module answers.
 *
 * Only of processes that another recorded one forked, and whose calls are all kept. */
#include "detectors.h"
#include "pattern.h"
#include "report/query.h"

#include <inttypes.h>

enum { PROCESSES_MAX = 256 }; /* looked at: each is a question to the database */

struct process {
    bool initialised;
    int64_t not_initialised_count; /* answers CKR_CRYPTOKI_NOT_INITIALIZED */
    int64_t first_session;         /* that it used */
    unsigned first_function;
    struct p11prof_calls_sum calls; /* before C_Initialize */
};

struct state {
    struct p11prof_advice_map processes;
};

/* Of a child of which every call is kept: its first C_Initialize, whatever a selection shows; or a
 * number behind all calls. */
static const char initialised_sql[] =
    "SELECT coalesce((SELECT c.id FROM segment AS s "
    "CROSS JOIN call AS c ON c.id BETWEEN s.first_call AND s.last_call WHERE s.run = p.run "
    "AND s.process = p.id AND c.function = 1 ORDER BY s.first_call, c.id LIMIT 1), "
    "9223372036854775807) FROM process AS p WHERE p.id = ?1 "
    "AND p.parent_uuid IN (SELECT uuid FROM process) "
    "AND p.call_count = (SELECT sum(s.last_call - s.first_call + 1) FROM segment AS s "
    "WHERE s.run = p.run AND s.process = p.id) AND NOT EXISTS (SELECT 1 FROM spool AS s "
    "JOIN loss AS l ON l.spool = s.id WHERE s.process = p.id)";

/* What a process may do that has not called C_Initialize; and what an exit handler of its parent
 * does in it, which harms little. */
static bool is_allowed(unsigned function)
{
    switch (function) {
    case P11PROF_C_GetFunctionList:
    case P11PROF_C_GetInterface:
    case P11PROF_C_GetInterfaceList:
    case P11PROF_C_CloseSession:
    case P11PROF_C_CloseAllSessions:
    case P11PROF_C_Logout:
    case P11PROF_C_Finalize:
        return true;
    default:
        return false;
    }
}

static void take(void *payload, const struct p11prof_event *event)
{
    struct state *state = payload;
    const struct p11prof_advice_key key = {event->process_id, 0, 0};
    struct process *process =
        p11prof_advice_map_take(&state->processes, &key, sizeof(struct process));
    if (!process || process->initialised)
        return;
    process->initialised = event->function == P11PROF_C_Initialize;
    if (process->initialised || is_allowed(event->function))
        return;
    if (process->calls.call_count == 0) {
        process->first_function = event->function;
        process->first_session = event->session;
    }
    process->not_initialised_count += event->rv == CKR_CRYPTOKI_NOT_INITIALIZED;
    p11prof_calls_sum_add(&process->calls, event);
}

/* Damage of the database, or none, is no finding. */
static bool inherits(const struct p11prof_advice_run *run, int64_t process_id,
                     const struct process *process)
{
    struct p11prof_error error;
    int64_t call_id = -1;
    return run->db &&
           p11prof_query_integer(run->db, initialised_sql, process_id, -1, &call_id, &error) ==
               P11PROF_OK &&
           call_id > process->calls.first_call_id;
}

static void tell(const struct p11prof_evidence *evidence, const struct process *first,
                 int64_t not_initialised_count, struct p11prof_findings *out)
{
    struct p11prof_finding *finding =
        p11prof_evidence_find(evidence, &p11prof_detect_use_after_fork, out);
    finding->cost_ns = -1; /* it is no matter of time */
    finding->evidence = p11prof_finding_text(
        "%" PRId64 " forked process%s called the module without C_Initialize: %s first%s; %" PRId64
        " of %" PRId64 " calls answered CKR_CRYPTOKI_NOT_INITIALIZED.",
        evidence->count, p11prof_pattern_es(evidence->count),
        p11prof_function_facts(first->first_function)->name,
        first->first_session != P11PROF_EVENT_UNKNOWN ? ", with a session of its parent" : "",
        not_initialised_count, evidence->call_count);
}

static void finish(void *payload, const struct p11prof_advice_run *run,
                   struct p11prof_findings *out)
{
    struct state *state = payload;
    struct p11prof_evidence evidence = {.count = 0};
    const struct process *first = NULL;
    int64_t not_initialised_count = 0, asked_count = 0;
    for (size_t i = 0; i < state->processes.count && asked_count < PROCESSES_MAX; i++) {
        int64_t process_id = p11prof_advice_map_key(&state->processes, i)->process_id;
        const struct process *process = p11prof_advice_map_value(&state->processes, i);
        if (process->calls.call_count == 0)
            continue;
        asked_count++;
        if (!inherits(run, process_id, process))
            continue;
        first = first ? first : process;
        evidence.count++;
        not_initialised_count += process->not_initialised_count;
        p11prof_pattern_add(&evidence, process_id, &process->calls);
    }
    if (first)
        tell(&evidence, first, not_initialised_count, out);
    p11prof_evidence_clear(&evidence);
}

static void clear(void *payload)
{
    struct state *state = payload;
    p11prof_advice_map_clear(&state->processes);
}

const struct p11prof_detector p11prof_detect_use_after_fork = {
    .id = "use-after-fork",
    .title = "A child uses what its parent has opened",
    .why = "After fork() PKCS#11 lets a child do nothing before C_Initialize: both may write to "
           "the same connection of the token, and then get each other's answers.",
    .state_bytes = sizeof(struct state),
    .take = take,
    .finish = finish,
    .clear = clear,
};
