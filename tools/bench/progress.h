/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What is shown on stderr while a bench runs: a bar on a terminal, a plain line now and then
 * elsewhere, nothing with --quiet. One thread. */
#ifndef P11PROF_BENCH_PROGRESS_H
#define P11PROF_BENCH_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    bool quiet, terminal;
    uint64_t start_ns, planned_ns;           /* of the whole run */
    uint64_t done_ns;                        /* planned time of what is over */
    uint64_t slice_start_ns, slice_ns;       /* planned time of the slice in hand */
    uint64_t operation_count, error_count;   /* of the slices that are over */
    uint64_t slice_operations, slice_errors; /* of the slice in hand */
    uint64_t slice_number, slice_count;
    uint64_t shown_ns; /* when something was shown last */
    const char *test;
    double rate; /* operations a second of the test in hand, lately */
};

void progress_start(struct progress *progress, bool quiet, uint64_t planned_ns,
                    uint64_t slice_count);

/* A slice begins, and ends. */
void progress_slice(struct progress *progress, const char *test, uint64_t planned_ns);
void progress_slice_ended(struct progress *progress);

/* What the slice in hand has done so far; shows it, if it is time. */
void progress_show(struct progress *progress, uint64_t operation_count, uint64_t error_count);

/* Takes the bar away, so that something else can be printed. */
void progress_clear(const struct progress *progress);

#endif
