/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What calls would have taken one by one, against the time in which they were served:
 * docs/statistics.md, Concurrency. Pure functions. */
#ifndef P11PROF_INSIGHT_CONCURRENCY_WORK_H
#define P11PROF_INSIGHT_CONCURRENCY_WORK_H

#include "concurrency_levels.h"

/* How many calls of a kind began with fewer than at_once in flight: 1 to P11PROF_LEVEL_BEGUN. */
uint64_t p11prof_at_once_count(const struct p11prof_level_calls *calls, unsigned at_once);

/* What a call of the kind takes by itself: the mean of those; of all where there are none. */
double p11prof_service_ns(const struct p11prof_level_calls *calls, unsigned at_once);

/* The time of the calls of `done` one by one, each as long as `by` says. */
double p11prof_work_ns(const struct p11prof_level_block *done, const struct p11prof_level_block *by,
                       size_t group_count, unsigned at_once);

struct p11prof_balance {
    double busy_ns, overlapped_ns, in_flight_ns; /* the last while overlapped */
    double work_ns;
    double times;    /* as fast as one by one, while two or more are in flight; 0: they never are */
    double parallel; /* servers that do the work in the time at these levels: 1 to `most` */
};
void p11prof_balance_make(struct p11prof_balance *out, const struct p11prof_level_block *sum,
                          size_t group_count, unsigned most, unsigned at_once);

#endif
