/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What the machine tells of its processors, sensors and processes. Linux. `root` stands before
 * /proc and /sys: "" but in tests. What is not there, cannot be read or makes no sense is unknown.
 */
#ifndef P11PROF_BENCH_MACHINE_READINGS_H
#define P11PROF_BENCH_MACHINE_READINGS_H

#include <stdint.h>
#include <sys/types.h>

/* Time of all processors since the machine started, in ticks; all 0: unknown. */
struct machine_cpu {
    uint64_t busy, steal, all; /* steal: that a hypervisor kept */
};
struct machine_cpu machine_cpu_read(const char *root);

/* Parts of the time between two readings, 0 to 1; negative: unknown. */
struct machine_cpu_shares {
    double busy, steal;
};
struct machine_cpu_shares machine_cpu_between(const struct machine_cpu *first,
                                              const struct machine_cpu *last);

/* Of the hottest sensor of hwmon and the thermal zones; not a number: unknown. */
double machine_temperature_celsius(const char *root);

/* The mean of the processors' present frequencies; -1: unknown. */
int64_t machine_frequency_hz(const char *root);

/* Resident memory of a process that it does not share, as it does its recordings; -1: unknown. */
int64_t machine_rss_bytes(const char *root, pid_t pid);

#endif
