/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What loads of a bench run measured, for trend.c only. Counted as bench_results.h says. */
#ifndef P11PROF_REPORT_TREND_LOADS_H
#define P11PROF_REPORT_TREND_LOADS_H

#include "p11prof/error.h"
#include "tally.h"

struct sqlite3;

/* That the tally of operations needs. */
extern const struct p11prof_grouping p11prof_trend_loads_grouping;

struct p11prof_trend_loads {
    struct p11prof_tally_group measured;
    uint64_t count, error_count;
    uint64_t timed_count, duration_ns; /* successes in slices that ended, and the time of those */
};

/* Adds up the loads that have operations in the tally: those of a mix, or those alone. Starts as
 * {0}; the caller clears `measured`. */
enum p11prof_status p11prof_trend_loads_read(struct p11prof_trend_loads *out,
                                             const struct p11prof_tally *tally, struct sqlite3 *db,
                                             int64_t run_id, bool mix, struct p11prof_error *error);

#endif
