/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* --stress: one load for a long time, until its end or until it fails. Its slices follow each
 * other; what they did, and what the machine says meanwhile, is told and stored interval by
 * interval. */
#ifndef P11PROF_BENCH_STRESS_H
#define P11PROF_BENCH_STRESS_H

#include "machine_readings.h"
#include "run.h"

/* The interval in hand. */
struct stress_interval {
    unsigned number;        /* from 1 */
    uint64_t start_ns;      /* CLOCK_MONOTONIC, as all moments here */
    uint64_t first_plan_ns; /* start of its first slice, warm-up and all; 0: none yet */
    uint64_t measured_ns, count, error_count;
    struct machine_cpu cpu; /* at its start */
};

struct stress {
    struct bench_run *run;
    struct bench_load *load;
    uint64_t slice_ns;
    uint64_t begin_ns; /* of the first measured operation; 0: not yet */
    struct stress_interval interval;
    /* Of all intervals. */
    uint64_t count, error_count;
    uint64_t first_error_ns; /* 0: none */
    CK_RV first_rv;          /* CKR_OK: it was a wrong result */
    bool gone;               /* the token is not there any more */
    bool dead;               /* nothing succeeded in a whole interval */
    bool undrained;          /* the database took nothing lately, and that was said */
};

/* Keeps one of the tests that were selected: without --test, the first that fits the key. Returns
 * 0, or an exit code after it said what else was selected. */
int stress_test_choose(const struct bench_settings *settings,
                       struct p11prof_bench_selection *tests);

/* All of it: measures and prints. Returns the exit code. */
int stress_run(struct bench_run *run);

/* --- stress_loop.c --- */

/* Runs the slices of the load. Returns 0 or an exit code, after it said what ended it early. */
int stress_slices_run(struct stress *stress);

/* --- stress_interval.c --- */

/* Begins one, and ends it: reads the machine, stores and prints what it was. */
void stress_interval_begin(struct stress *stress, uint64_t now_ns);
void stress_interval_end(struct stress *stress, uint64_t now_ns);

/* --- stress_lines.c --- */

/* Where lines go: stdout, or stderr where stdout is for a machine; NULL with --quiet then. */
FILE *stress_lines(const struct bench_settings *settings);

void stress_head_print(FILE *stream, const struct stress *stress);
void stress_line_print(FILE *stream, const struct p11prof_interval_row *row);

/* "CKR_DEVICE_ERROR, the first after 12.3 s": what is known of the errors. */
void stress_errors_text(char *out, size_t out_bytes, const struct stress *stress);

#endif
