/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The time of slices. */
#ifndef P11PROF_BENCH_SLICE_CLOCK_H
#define P11PROF_BENCH_SLICE_CLOCK_H

#include "protocol.h"

uint64_t slice_now_ns(void);

/* What lies between two clock reads that follow each other, at least. */
uint64_t slice_clock_cost_ns(void);

/* Waits until the plan's start, which is the same for all threads of all processes, on the plan's
 * processor. */
void slice_begin(const struct bench_plan *plan);

#endif
