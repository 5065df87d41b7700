/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Round steps of time, and round numbers for the labels of axes. Pure functions. */
#ifndef P11PROF_REPORT_ROUND_STEPS_H
#define P11PROF_REPORT_ROUND_STEPS_H

#include <stddef.h>
#include <stdint.h>

/* The smallest round step (1, 1.5, 2, 3, 4, 5, 6, 8 * 10^n ns; from 1 s on also what divides
 * minutes, hours and days) that has duration_ns in at most `most` steps. least_ns: the step is a
 * multiple of it; 0: of 1 ns. */
uint64_t p11prof_round_step(uint64_t duration_ns, size_t most, uint64_t least_ns);

/* How many steps begin before duration_ns is over; at least 1. */
uint64_t p11prof_step_count(uint64_t duration_ns, uint64_t step_ns);

/* The same for the ticks of an axis, which are rounder: 1, 2, 5 * 10^n ns, 10 and 30 s, … */
uint64_t p11prof_round_tick(uint64_t duration_ns, size_t most);

/* "0", "20 ms", "90 s", "15 m": a multiple of a tick, in the unit that fits the tick. out has room
 * for P11PROF_UNIT_TEXT_BYTES. */
void p11prof_format_tick(char *out, uint64_t ns, uint64_t tick_ns);

/* The least of 1, 1.5, 2, 3, 5, 7 * 10^n that is not less than `value`; 0 for 0. */
double p11prof_round_up(double value);

/* The greatest of them that is not more. value > 0. */
double p11prof_round_down(double value);

#endif
