/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Quantities as people read and write them, in text reports only: machine formats hold plain
 * numbers. Pure functions; a result always fits P11PROF_UNIT_TEXT_BYTES. */
#ifndef P11PROF_REPORT_UNITS_H
#define P11PROF_REPORT_UNITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { P11PROF_UNIT_TEXT_BYTES = 32 };

/* "0 ns", "123 ns", "1.23 us", "12.3 ms", "59.9 s", "2.50 m", "26.0 h": three digits, rounded to
 * nearest. */
void p11prof_format_ns(char *out, uint64_t ns);

/* Reads "1.5ms" or "1.5 ms": ns, us, µs, ms, s, m, min, h, d or w, to the nearest ns. False, with
 * *out_ns as it was, if it is no duration, has no unit or does not fit INT64_MAX. */
bool p11prof_parse_ns(const char *text, uint64_t *out_ns);
/* "12.345678 s": a moment since a run's start, to the microsecond. */
void p11prof_format_moment(char *out, uint64_t ns);
/* "120 us", "1.5 ms", "1.0225 ms", "100 s": rounded to `digits` digits, without zeros at the end.
 */
void p11prof_format_round_ns(char *out, uint64_t ns, unsigned digits);

/* "512 B", "1.50 KB" (1024 bytes), … */
void p11prof_format_bytes(char *out, uint64_t bytes);

/* "12.3 %" of a ratio of 1; "<0.1 %" if it is small but not 0. */
void p11prof_format_share(char *out, double ratio);

/* "+12.3 %", "-4.56 %", "0.00 %" of a ratio of 1: three digits below 100 %, two decimals at most.
 */
void p11prof_format_change(char *out, double ratio);

/* "1234", "12.3", "0.00123": a rate in three digits at least. */
void p11prof_format_rate(char *out, double per_second);

#endif
