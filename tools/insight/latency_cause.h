/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What tells a slow mode of a distribution from the faster ones: docs/statistics.md. Pure
 * functions.
 *
 * For each factor, a rule is learned that holds for as many of the slow calls and as few of the
 * fast ones as can be: a set of values, or a range of numbers. A rule is learned on one half of the
 * calls and counted on the other, and the other way round, so that many values prove nothing by
 * their number. */
#ifndef P11PROF_INSIGHT_LATENCY_CAUSE_H
#define P11PROF_INSIGHT_LATENCY_CAUSE_H

#include "latency_gather.h"

enum { P11PROF_CAUSE_VALUES_MOST = 3 };

struct p11prof_latency_cause {
    enum p11prof_latency_factor factor;
    double of_slow,
        of_fast; /* shares of the slow calls and the fast ones that the rule holds for */
    /* Of a factor of words: how many values the rule has, of how many, and the first of them. */
    size_t value_count, all_count;
    int64_t values[P11PROF_CAUSE_VALUES_MOST];
    /* Of a factor of numbers: low or more; of time: from low to high. INT64_MIN, INT64_MAX: no
     * limit. */
    int64_t low, high;
};

/* Whether a factor's values are numbers with an order. */
bool p11prof_latency_factor_is_number(enum p11prof_latency_factor factor);

/* The causes that tell slow calls, in [low_ns, high_ns), from faster ones: the best first, then
 * those that do it as well. Returns how many, up to `most`; 0: nothing that is known does. */
size_t p11prof_latency_causes(struct p11prof_latency_cause *out, size_t most,
                              const struct p11prof_latency_sample *samples, size_t count,
                              uint64_t low_ns, uint64_t high_ns);

#endif
