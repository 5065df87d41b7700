/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Modes of a distribution of latencies: durations that many calls take about, with few between
 * them. Pure functions.
 *
 * Found on the density of the logarithm of durations, smoothed by a normal kernel. Two peaks are
 * modes of their own if the valley between them is at most half of the smaller one, if that is no
 * matter of luck (3.5 standard errors of the difference), and if each has 5 % of the population
 * on its side of the valleys. The kernel is as wide as Silverman's rule says (0.9 * the smaller
 * of standard deviation and IQR / 1.34, / n^(1/5)), and at least 1 %, or 1.5 ns of the median; the
 * rule is also tried with twice and four times that, which finds wide modes beside narrow ones, and
 * the most modes found count. */
#ifndef P11PROF_REPORT_MODES_H
#define P11PROF_REPORT_MODES_H

#include "buckets.h"

#include <stddef.h>

enum { P11PROF_MODES_MOST = 20, P11PROF_MODES_LEAST_COUNT = 20 };

struct p11prof_mode {
    uint64_t peak_ns;         /* where durations are most frequent */
    uint64_t low_ns, high_ns; /* durations that are nearer to it than to other modes, half-open */
    uint64_t count;           /* of them */
};

struct p11prof_modes {
    struct p11prof_mode modes[P11PROF_MODES_MOST]; /* from short to long */
    size_t count; /* 0: fewer than P11PROF_MODES_LEAST_COUNT durations say nothing of modes */
};

void p11prof_modes_find(struct p11prof_modes *out, const struct p11prof_buckets *buckets);

#endif
