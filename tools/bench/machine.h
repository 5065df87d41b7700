/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What else the machine does meanwhile. Linux; unknown where /proc does not tell. */
#ifndef P11PROF_BENCH_MACHINE_H
#define P11PROF_BENCH_MACHINE_H

#include <stdint.h>

/* Of the last minute; negative: unknown. */
double machine_load_average(void);

/* Time that a hypervisor has kept from all CPUs since the machine started; -1: unknown. */
int64_t machine_steal_ns(void);

#endif
