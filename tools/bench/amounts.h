/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Reading numbers, times, sizes and lists of them. Pure functions; false: it is none. */
#ifndef P11PROF_BENCH_AMOUNTS_H
#define P11PROF_BENCH_AMOUNTS_H

#include "settings.h"

/* "12"; also "0x1F", as slots are often given. */
bool amounts_number(const char *text, uint64_t *out);

/* "6s", "500ms", "0.5s", "100us", "2m", "1h"; without a unit: seconds. More than 0, at most a year.
 */
bool amounts_time(const char *text, uint64_t *out_ns);

/* "500/s", "500", "2.5/s", "30/m", "900/h", "10k/s": operations in a second, at most a million;
 * more than 0, at least one in an hour. */
bool amounts_rate(const char *text, double *out_per_s);

/* "16", "1KB", "1MB": at least 1; KB = KiB = 1024. */
bool amounts_size(const char *text, uint64_t *out_bytes);

/* "10%", "0.5%", "0": 0.1, 0.005, 0; at most 1000 %. */
bool amounts_percent(const char *text, double *out);

/* "100" is a count, "5s" a time. */
bool amounts_read(const char *text, struct bench_amount *out);

/* Up to 16 with commas between, each from 1 to `most` and read by `read`; doubles are dropped. */
bool amounts_list(const char *text, uint64_t most, bool (*read)(const char *, uint64_t *),
                  struct bench_list *out);

#endif
