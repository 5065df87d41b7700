/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Slow modes of the calls of a function with a mechanism, and what tells them from the faster ones.
 */
#ifndef P11PROF_INSIGHT_LATENCY_MODES_H
#define P11PROF_INSIGHT_LATENCY_MODES_H

#include "latency_cause.h"
#include "latency_period.h"
#include "report/modes.h"

enum { P11PROF_LATENCY_CAUSES_MOST = 3 };

struct p11prof_latency_mode {
    size_t shape;
    struct p11prof_mode mode; /* the slow one */
    uint64_t faster_ns;       /* peak of the mode below it */
    double share;             /* of all calls of the shape */
    int64_t cost_ns;          /* more than the same number of calls of the mode below takes */
    struct p11prof_latency_cause causes[P11PROF_LATENCY_CAUSES_MOST];
    size_t cause_count; /* 0: nothing that is known tells them apart */
    bool periodic;      /* they come at regular intervals; looked for where there is no cause */
    struct p11prof_latency_period period;
};

/* Whether anything tells it from the faster ones. */
bool p11prof_latency_mode_is_told(const struct p11prof_latency_mode *mode);

/* The slow modes of all shapes, costliest first. Returns how many; the caller frees *out. */
size_t p11prof_latency_modes(struct p11prof_latency_mode **out,
                             const struct p11prof_latency_gather *gather);

#endif
