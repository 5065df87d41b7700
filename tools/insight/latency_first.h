/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* First calls that stand out from the rest, in a process, with a key, in a session:
 * docs/statistics.md. */
#ifndef P11PROF_INSIGHT_LATENCY_FIRST_H
#define P11PROF_INSIGHT_LATENCY_FIRST_H

#include "latency_gather.h"

struct p11prof_latency_first {
    enum p11prof_latency_scope scope;
    size_t group;
    size_t unit_count;                   /* processes, keys or sessions */
    uint64_t first_ns;                   /* median of their first calls */
    uint64_t rest_ns;                    /* median of the others */
    double ratio, ratio_low, ratio_high; /* median; without an interval the ends are negative */
    size_t slow_count;                   /* so many calls at the start are slow: 1 or more */
    int64_t cost_ns;                     /* that they take more than others, of all units */
};

/* Those of a group and a scope; false if they do not stand out. `units` are pointers to the units
 * of that group and scope. */
bool p11prof_latency_first_find(struct p11prof_latency_first *out,
                                const struct p11prof_latency_gather *gather,
                                enum p11prof_latency_scope scope, size_t group,
                                const struct p11prof_latency_unit *const *units, size_t count);

/* All of them, costliest first. Returns how many; the caller frees *out. */
size_t p11prof_latency_firsts(struct p11prof_latency_first **out,
                              const struct p11prof_latency_gather *gather);

#endif
