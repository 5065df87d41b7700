/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Sides of a comparison whose truth is known: windows made by a seeded generator. */
#ifndef P11PROF_SAMPLES_FIXTURE_H
#define P11PROF_SAMPLES_FIXTURE_H

#include "report/comparison.h"

/* What a side is made like. */
struct simulation {
    size_t runs, windows; /* of each run */
    double operations;    /* in a window */
    double latency_ns;
    double operation_spread;       /* standard deviation of an operation's logarithm */
    double window_spread;          /* of a window's */
    double correlation;            /* of a window with the next */
    double run_spread;             /* of a run's */
    double slow_share, slow_times; /* of operations: so many times as long */
    double stall_share;            /* of windows: half of their time nothing happens */
    double trend;                  /* of the logarithm, from the first window to the last */
    double error_share;
    double error_window_share; /* of windows: all of their operations fail */
};

/* Starts the generator anew. */
void simulation_seed(uint64_t seed);
double simulation_uniform(void);
double simulation_normal(void);

/* Adds the runs of one test of that name. */
void simulate(struct p11prof_samples *out, const char *test, const struct simulation *simulation);

#endif
