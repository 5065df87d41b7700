/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The tables of the section: docs/statistics.md, Concurrency. */
#ifndef P11PROF_INSIGHT_CONCURRENCY_TABLES_H
#define P11PROF_INSIGHT_CONCURRENCY_TABLES_H

#include "concurrency_verdict.h"
#include "report/code_names.h"

/* All that was found. */
struct p11prof_concurrency {
    struct p11prof_call_groups groups;
    struct p11prof_function_flow flows[P11PROF_CALLS + 1];
    uint64_t lost_counts[P11PROF_CALLS + 1];
    struct p11prof_concurrency_process **processes;
    size_t process_count, process_capacity;
    struct p11prof_concurrency_process *all; /* NULL: there is one process, or too many calls */
    int64_t run_duration_ns, cpu_count;
    uint64_t untimed_count;
    struct p11prof_code_names mechanisms, key_types;
};

/* How far the time that threads were in functions is from rate by duration, lost calls in it: 0 is
 * equal; of the function with the largest time where it is more than `than`. 0: of none. */
double p11prof_concurrency_deviation(const struct p11prof_concurrency *of, double than,
                                     unsigned *function);

void p11prof_concurrency_flow_table(struct p11prof_section *out,
                                    const struct p11prof_concurrency *of);

void p11prof_concurrency_tables(struct p11prof_section *out, const struct p11prof_concurrency *of,
                                const struct p11prof_concurrency_verdict *verdicts,
                                size_t verdict_count);

#endif
