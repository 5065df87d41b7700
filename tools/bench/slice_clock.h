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

/* Waits until a moment, which may be over: asleep until shortly before it. False: it ended early,
 * because of *stop. */
bool slice_wait(uint64_t until_ns, const _Atomic(uint32_t) *stop);

/* Lets the calling thread's waits end as exactly as the system can. */
void slice_wait_exactly(void);

#endif
