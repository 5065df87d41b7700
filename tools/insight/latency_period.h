/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Whether slow calls come at regular intervals: docs/statistics.md. Pure functions. */
#ifndef P11PROF_INSIGHT_LATENCY_PERIOD_H
#define P11PROF_INSIGHT_LATENCY_PERIOD_H

#include "latency_gather.h"

struct p11prof_latency_period {
    uint64_t every_ns;    /* 0: by number */
    uint64_t every_count; /* every so manyth call; 0: by time */
};

/* The interval of calls in [low_ns, high_ns), among calls one after another; false if there is none
 * that they keep to. */
bool p11prof_latency_period_find(struct p11prof_latency_period *out,
                                 const struct p11prof_latency_moment *moments, size_t count,
                                 uint64_t low_ns, uint64_t high_ns);

#endif
