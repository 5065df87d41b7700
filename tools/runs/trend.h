/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* p11prof runs --trend. */
#ifndef P11PROF_RUNS_TREND_H
#define P11PROF_RUNS_TREND_H

#include "report/trend.h"
#include "runs/list.h"

struct p11prof_runs_trend {
    struct p11prof_trend trend;
    bool wanted, ascii;
};

/* Reads the name of a metric; says what is wrong and returns false if it is none. */
bool p11prof_runs_trend_metric(struct p11prof_runs_trend *trend, const char *name);

/* Whether the options fit together; says it if not. */
bool p11prof_runs_trend_check(struct p11prof_runs_trend *trend);

/* Prints it. Returns an exit code, after it said what failed. */
int p11prof_runs_trend_print(const struct p11prof_runs_trend *trend, struct sqlite3 *db,
                             const struct p11prof_runs_filter *filter, enum p11prof_format format);

#endif
