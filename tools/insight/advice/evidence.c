/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "evidence.h"
#include "report/allocate.h"

#include <stdarg.h>
#include <stdlib.h>

/* Of a caller. */
struct made {
    int64_t call_count, cost_ns;
};

void p11prof_evidence_clear(struct p11prof_evidence *evidence)
{
    p11prof_advice_map_clear(&evidence->callers);
    *evidence = (struct p11prof_evidence){.count = 0};
}

void p11prof_calls_sum_add(struct p11prof_calls_sum *sum, const struct p11prof_event *event)
{
    if (sum->call_count++ == 0) {
        sum->caller = event->caller;
        sum->first_call_id = event->call_id;
        sum->thread_id = event->thread_id;
    }
    if (event->duration_ns < 0 || event->flags & P11PROF_ROW_NESTED)
        return;
    sum->timed_count++;
    sum->cost_ns += event->duration_ns;
}

void p11prof_calls_sum_merge(struct p11prof_calls_sum *into, const struct p11prof_calls_sum *from)
{
    if (into->call_count == 0) {
        *into = *from;
        return;
    }
    into->call_count += from->call_count;
    into->timed_count += from->timed_count;
    into->cost_ns += from->cost_ns;
}

void p11prof_evidence_add_sum(struct p11prof_evidence *evidence, int64_t process_id,
                              const struct p11prof_calls_sum *sum)
{
    const struct p11prof_advice_key key = {process_id, sum->caller, 0};
    struct made *made =
        sum->caller == P11PROF_EVENT_UNKNOWN || sum->call_count == 0
            ? NULL
            : p11prof_advice_map_take(&evidence->callers, &key, sizeof(struct made));
    if (evidence->first_process == 0)
        evidence->first_process = process_id;
    evidence->several_processes |= process_id != evidence->first_process;
    evidence->call_count += sum->call_count;
    evidence->timed_count += sum->timed_count;
    evidence->cost_ns += sum->cost_ns;
    if (!made)
        return;
    made->call_count += sum->call_count;
    made->cost_ns += sum->cost_ns;
}

void p11prof_evidence_add(struct p11prof_evidence *evidence, const struct p11prof_event *event)
{
    struct p11prof_calls_sum sum = {.call_count = 0};
    p11prof_calls_sum_add(&sum, event);
    p11prof_evidence_add_sum(evidence, event->process_id, &sum);
}

void p11prof_evidence_example(struct p11prof_evidence *evidence, int64_t first_call_id,
                              const struct p11prof_event *last)
{
    if (evidence->process_id != 0)
        return;
    evidence->process_id = last->process_id;
    evidence->thread_id = last->thread_id;
    evidence->first_call_id = first_call_id;
    evidence->last_call_id = last->call_id;
}

const char *p11prof_evidence_objects_note(const struct p11prof_evidence *evidence)
{
    return evidence->several_processes ? " What several processes use counts in each." : "";
}

int64_t p11prof_evidence_cost_ns(const struct p11prof_evidence *evidence)
{
    return evidence->timed_count > 0 ? evidence->cost_ns : -1;
}

int64_t p11prof_evidence_mean_ns(const struct p11prof_evidence *evidence)
{
    return evidence->timed_count > 0 ? evidence->cost_ns / evidence->timed_count : 0;
}

/* The caller with most time, or calls, in the process of the example. */
static int64_t busiest_caller(const struct p11prof_evidence *evidence)
{
    int64_t caller = -1;
    const struct made *most = NULL;
    for (size_t i = 0; i < evidence->callers.count; i++) {
        const struct p11prof_advice_key *key = p11prof_advice_map_key(&evidence->callers, i);
        const struct made *made = p11prof_advice_map_value(&evidence->callers, i);
        if (key->process_id != evidence->process_id ||
            (most && (made->cost_ns < most->cost_ns ||
                      (made->cost_ns == most->cost_ns && made->call_count <= most->call_count))))
            continue;
        caller = key->first;
        most = made;
    }
    return caller;
}

struct p11prof_finding *p11prof_evidence_find(const struct p11prof_evidence *evidence,
                                              const struct p11prof_detector *detector,
                                              struct p11prof_findings *out)
{
    struct p11prof_finding *finding = p11prof_finding_add(out, detector);
    finding->count = evidence->count;
    finding->call_count = evidence->call_count;
    finding->cost_ns = p11prof_evidence_cost_ns(evidence);
    if (evidence->process_id == 0)
        return finding;
    finding->process_id = evidence->process_id;
    finding->caller = busiest_caller(evidence);
    finding->first_call_id = evidence->first_call_id;
    finding->last_call_id = evidence->last_call_id;
    finding->example_thread_id = evidence->thread_id;
    return finding;
}

void p11prof_finding_save(struct p11prof_finding *finding, int64_t saving_ns, const char *format,
                          ...)
{
    va_list arguments;
    if (finding->cost_ns < 0)
        return;
    finding->saving_ns = saving_ns < finding->cost_ns ? saving_ns : finding->cost_ns;
    if (finding->saving_ns < 0)
        finding->saving_ns = 0;
    va_start(arguments, format);
    finding->estimate = p11prof_text_make(format, arguments);
    va_end(arguments);
}
