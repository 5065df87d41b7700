/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Which load the calls of a ring belong to, and its iterations that are no operation of PKCS#11. */
#ifndef P11PROF_DRAIN_LOAD_H
#define P11PROF_DRAIN_LOAD_H

#include "p11prof/load.h"

struct call_load {
    uint32_t part;            /* 0: none */
    uint64_t monotonic_ns;    /* the slice's start in CLOCK_MONOTONIC */
    uint64_t window_start_ns; /* and since the run's start */
    uint32_t iteration_calls; /* 0: an iteration is an operation */
    uint8_t iteration_operation;
    uint64_t intended_monotonic_ns; /* 0: no schedule */
    uint64_t intended_start_ns;     /* and since the run's start */
    /* The iteration under way. */
    uint32_t call_count;
    uint64_t start_ns, duration_ns;
};

/* Takes a note over; what makes no sense is of no load. One that says the same again changes
 * nothing. */
void load_take(struct call_load *load, const uint64_t note[7]);

/* Sets window_start_ns and intended_start_ns for a run that started at this CLOCK_MONOTONIC. */
void load_run_start(struct call_load *load, uint64_t run_start_ns);

#endif
