/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Which step of a ramp is the best, and what lies beyond it: docs/statistics.md. Pure functions. */
#ifndef P11PROF_REPORT_RAMP_VERDICT_H
#define P11PROF_REPORT_RAMP_VERDICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What grows from step to step. */
enum p11prof_ramp_of {
    P11PROF_RAMP_THREADS,
    P11PROF_RAMP_PROCESSES,
    P11PROF_RAMP_RATE, /* operations/s that a schedule starts */
};

/* "threads"; false: a word is none. */
const char *p11prof_ramp_word(enum p11prof_ramp_of of);
bool p11prof_ramp_named(const char *word, enum p11prof_ramp_of *out);

struct p11prof_ramp_step {
    double value;     /* threads, processes, or operations/s that were wanted; 0: as many as go */
    double ops_per_s; /* 0: nothing succeeded */
    double variance, freedom;                  /* of its logarithm; infinite: unknown */
    double mean_ns, p99_ns;                    /* 0: unknown */
    uint64_t count, error_count, missed_count; /* done, failed ones of them, due but never begun */
    bool scheduled, held; /* it had a rate, and kept up with it: bench_rates.h */
    double objective_ns;  /* value that the objective is about; 0: unknown */
};

enum p11prof_ramp_finding {
    P11PROF_RAMP_UNKNOWN,   /* no step succeeded without errors */
    P11PROF_RAMP_SINGLE,    /* there is one step only */
    P11PROF_RAMP_FLAT,      /* the first step has all there is */
    P11PROF_RAMP_GROWS,     /* the last step is still the best */
    P11PROF_RAMP_SATURATES, /* beyond the best step there is nothing to gain */
    P11PROF_RAMP_FALLS,     /* far beyond it throughput is less */
    P11PROF_RAMP_FINDINGS
};
const char *p11prof_ramp_finding_name(enum p11prof_ramp_finding finding);

#define P11PROF_RAMP_NONE SIZE_MAX

/* Indexes of steps; P11PROF_RAMP_NONE: there is none. */
struct p11prof_ramp_verdict {
    enum p11prof_ramp_finding finding;
    size_t best;     /* of threads: the first whose throughput is that of the most; of rates: the
                        knee */
    size_t most;     /* of the highest throughput */
    size_t falls;    /* the last one before throughput falls for good */
    size_t held;     /* of rates: the highest that was held, as all below it */
    size_t beyond;   /* of rates: the lowest above it */
    size_t met_from; /* the lowest that keeps the objective: of rates, which have to keep it from
                        the first on, that one */
    size_t met;      /* the highest that keeps it, as all between them */
    size_t missed;   /* the lowest above it; of none that keeps it: the first */
};

/* Judges steps in ascending order of their values. limit_ns: of the objective; 0: there is none. */
void p11prof_ramp_judge(struct p11prof_ramp_verdict *out, enum p11prof_ramp_of of,
                        const struct p11prof_ramp_step *steps, size_t count, double limit_ns);

/* Whether all succeeded, and something did. */
bool p11prof_ramp_step_works(const struct p11prof_ramp_step *step);

/* Whether it had a rate that was held, without errors. */
bool p11prof_ramp_step_held(const struct p11prof_ramp_step *step);

/* Whether a step works, held its rate if it has one, and its value keeps the limit. */
bool p11prof_ramp_step_meets(const struct p11prof_ramp_step *step, double limit_ns);

/* Whether the throughput of a step is as much as that of another one, which has the most of `count`
 * steps: it lacks no more than 5 %, or than the interval of their ratio says, up to 10 %. The
 * intervals of all steps hold together with 95 % (Bonferroni). */
bool p11prof_ramp_as_much(const struct p11prof_ramp_step *step,
                          const struct p11prof_ramp_step *most, size_t count);

#endif
