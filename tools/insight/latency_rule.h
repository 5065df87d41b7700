/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* A rule that tells slow calls from fast ones by one factor. Pure functions. */
#ifndef P11PROF_INSIGHT_LATENCY_RULE_H
#define P11PROF_INSIGHT_LATENCY_RULE_H

#include "latency_cause.h"

/* A call as one factor sees it. */
struct p11prof_latency_mark {
    int64_t value;
    bool slow;
    unsigned half; /* 0 or 1 */
};

/* Calls that a rule holds for which was learned on the other half. */
struct p11prof_latency_hits {
    size_t slow, fast, all_slow, all_fast;
};

/* Learns the rule of out->factor: its values or its range on all marks, which are reordered, and
 * its hits half by half. */
void p11prof_latency_rule_learn(struct p11prof_latency_cause *out,
                                struct p11prof_latency_hits *hits,
                                struct p11prof_latency_mark *marks, size_t count);

#endif
