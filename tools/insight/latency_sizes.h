/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What a call costs whatever its size, and what each byte adds: a line through the medians by size.
 * docs/statistics.md. */
#ifndef P11PROF_INSIGHT_LATENCY_SIZES_H
#define P11PROF_INSIGHT_LATENCY_SIZES_H

#include "latency_gather.h"

struct p11prof_latency_line {
    size_t group;
    uint64_t count;    /* calls of the sizes that count */
    size_t size_count; /* these */
    double least_bytes, most_bytes;
    double fixed_ns, fixed_low_ns, fixed_high_ns;          /* 95 % */
    double per_byte_ns, per_byte_low_ns, per_byte_high_ns; /* 95 % */
    double stray;       /* root mean square of the medians' relative distance from the line */
    double bytes_share; /* part of the time of these calls that goes by size */
};

/* The lines of all groups that have one, in the order of groups. Returns how many; the caller frees
 * *out. */
size_t p11prof_latency_lines(struct p11prof_latency_line **out,
                             const struct p11prof_latency_gather *gather);

#endif
