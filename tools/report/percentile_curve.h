/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Percentiles of a group from its shortest to its longest duration, closer the longer they are: the
 * points of a curve over the share of durations that are longer. Those of every report are among
 * them. Pure functions. */
#ifndef P11PROF_REPORT_PERCENTILE_CURVE_H
#define P11PROF_REPORT_PERCENTILE_CURVE_H

#include "tally.h"

enum { P11PROF_CURVE_POINTS = 62 };

struct p11prof_curve {
    struct p11prof_curve_point {
        double beyond;  /* 1 less the probability: 1 at the shortest, 1 / n at the longest */
        uint64_t ns;    /* the percentile */
        bool supported; /* quantile.h */
    } points[P11PROF_CURVE_POINTS];
    size_t count; /* 0: nothing did not fail */
};

/* stats: of the group. Reorders its durations. */
void p11prof_curve_make(struct p11prof_curve *out, struct p11prof_tally_group *group,
                        const struct p11prof_stats *stats);

#endif
