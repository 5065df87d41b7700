/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Durations far beyond the rest of their group. Pure functions.
 *
 * Beyond is what is longer than p75 + 3 * (p75 - p25), worked out on the logarithm of durations,
 * which latencies are far closer to normal in: p75 * (p75 / p25)^3. Where the quartiles are equal,
 * or nearly, they count as one bucket of a histogram apart. */
#ifndef P11PROF_REPORT_OUTLIERS_H
#define P11PROF_REPORT_OUTLIERS_H

#include "tally.h"

struct p11prof_outliers {
    uint64_t beyond_ns; /* longer ones are outliers */
    uint64_t count;
    double share; /* of the population; 0 if there is none */
};

/* Those of a group's population; reorders its durations. */
void p11prof_outliers_find(struct p11prof_outliers *out, const struct p11prof_tally_group *group);

#endif
