/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What speaks for a finding, added up call by call: how many calls, what they took, who made them,
 * and one example. Starts as {0}. One thread. */
#ifndef P11PROF_INSIGHT_ADVICE_EVIDENCE_H
#define P11PROF_INSIGHT_ADVICE_EVIDENCE_H

#include "insight/advice.h"
#include "map.h"

struct p11prof_evidence {
    int64_t count;       /* of what the finding counts: set by who adds */
    int64_t call_count;  /* of its calls */
    int64_t timed_count; /* of those whose time is known, and that are inside no other call */
    int64_t cost_ns;     /* of timed_count calls */
    struct p11prof_advice_map callers;
    int64_t first_process; /* that has some of it; 0: there is none yet */
    bool several_processes;
    int64_t process_id; /* of the example; 0: there is none yet */
    int64_t thread_id, first_call_id, last_call_id;
};
void p11prof_evidence_clear(struct p11prof_evidence *evidence);

/* A call of the pattern. */
void p11prof_evidence_add(struct p11prof_evidence *evidence, const struct p11prof_event *event);

/* Calls that were added up elsewhere: timed ones among them, their time, and who made them. */
struct p11prof_calls_sum {
    int64_t call_count, timed_count, cost_ns;
    int64_t caller; /* as in an event */
    int64_t first_call_id, thread_id;
};
void p11prof_calls_sum_add(struct p11prof_calls_sum *sum, const struct p11prof_event *event);
void p11prof_calls_sum_merge(struct p11prof_calls_sum *into, const struct p11prof_calls_sum *from);
void p11prof_evidence_add_sum(struct p11prof_evidence *evidence, int64_t process_id,
                              const struct p11prof_calls_sum *sum);

/* Takes calls of the thread of `last`, from first_call_id to it, as the example, unless there is
 * one. */
void p11prof_evidence_example(struct p11prof_evidence *evidence, int64_t first_call_id,
                              const struct p11prof_event *last);

/* What has to stand behind numbers of objects that were counted process by process: "", or a
 * sentence that begins with a blank. */
const char *p11prof_evidence_objects_note(const struct p11prof_evidence *evidence);

/* What its calls took in the module; -1: unknown. */
int64_t p11prof_evidence_cost_ns(const struct p11prof_evidence *evidence);

/* Mean time of one of its calls; 0: unknown. */
int64_t p11prof_evidence_mean_ns(const struct p11prof_evidence *evidence);

/* Adds a finding of all that, without evidence, estimate and saving. */
struct p11prof_finding *p11prof_evidence_find(const struct p11prof_evidence *evidence,
                                              const struct p11prof_detector *detector,
                                              struct p11prof_findings *out);

/* Says what can be saved, at most the cost, and how that was come by, as printf() does. Nothing if
 * the cost is unknown. */
__attribute__((format(printf, 3, 4))) void p11prof_finding_save(struct p11prof_finding *finding,
                                                                int64_t saving_ns,
                                                                const char *format, ...);

#endif
