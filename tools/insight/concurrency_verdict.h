/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What is said of one process, or of all of them. */
#ifndef P11PROF_INSIGHT_CONCURRENCY_VERDICT_H
#define P11PROF_INSIGHT_CONCURRENCY_VERDICT_H

#include "concurrency_process.h"
#include "section.h"

struct p11prof_concurrency_verdict {
    const struct p11prof_concurrency_process *process;
    struct p11prof_speed_up module; /* of all its calls */
    struct p11prof_speed_up said; /* that, or of the kind that takes most time of those about which
                                     enough is known, where it is not of all */
    struct p11prof_speed_up within, across; /* calls of one session; of several sessions */
    bool by_sessions;  /* calls of one session overlapped so much that these two are looked at */
    bool taken;        /* the application lets one call in at a time */
    unsigned function; /* that took most time, or that `said` is of */
    double function_share;
    double mean_ns, service_ns; /* duration of a call of it; of one that was served at once; 0:
                                   unknown */
};

void p11prof_concurrency_judge(struct p11prof_concurrency_verdict *out,
                               const struct p11prof_concurrency_process *process,
                               const struct p11prof_call_groups *groups);

/* Calls of one kind. `verdict`: of all of them, `module` at least; where one at a time of all is
 * served, so is one of each kind that matters. */
void p11prof_concurrency_judge_kind(struct p11prof_speed_up *out,
                                    const struct p11prof_concurrency_verdict *verdict,
                                    const struct p11prof_group_use *use);

/* Whether calls overlapped, or threads waited for each other. */
bool p11prof_concurrency_matters(const struct p11prof_concurrency_verdict *verdict);

/* "serialised", "parallel", "free", "side-by-side", "unclear", "insufficient". */
const char *p11prof_served_word(const struct p11prof_speed_up *speed_up);
/* Why it is insufficient; NULL. */
const char *p11prof_served_reason(const struct p11prof_speed_up *speed_up);

/* Sentences about it. `who`: "Process 3: " or "". */
void p11prof_concurrency_say(struct p11prof_section *out,
                             const struct p11prof_concurrency_verdict *verdict, const char *who,
                             int64_t cpu_count, bool full);

#endif
