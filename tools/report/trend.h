/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* One metric of many runs, from the histograms and sums that are kept with them: no row of a call
 * is read, so that thousands of runs take seconds. */
#ifndef P11PROF_REPORT_TREND_H
#define P11PROF_REPORT_TREND_H

#include "p11prof/error.h"
#include "selection.h"
#include "table.h"

struct sqlite3;

enum p11prof_trend_metric {
    P11PROF_TREND_P50, /* the first ones are in the order of enum p11prof_quantile */
    P11PROF_TREND_P90,
    P11PROF_TREND_P95,
    P11PROF_TREND_P99,
    P11PROF_TREND_P999,
    P11PROF_TREND_MEAN,
    P11PROF_TREND_MIN,
    P11PROF_TREND_MAX,
    P11PROF_TREND_COUNT,
    P11PROF_TREND_ERRORS, /* share of the failed ones */
    P11PROF_TREND_OPS_PER_S,
    P11PROF_TREND_METRICS
};

/* Reads its name; false if it is none: *nearest is then the one that may be meant, or NULL. */
bool p11prof_trend_metric_read(const char *name, enum p11prof_trend_metric *out,
                               const char **nearest);

/* Names of all of them, with commas between. */
#define P11PROF_TREND_METRIC_NAMES                                                                 \
    "p50, p90, p95, p99, p999, mean, min, max, count, errors or ops_per_s"

struct p11prof_trend {
    enum p11prof_trend_metric metric;
    struct p11prof_selection selection; /* of calls, or of operations */
    bool operations; /* of operations instead of calls; where a test is selected: of its measured
                        part, several loads of it taken together */
    bool tests;
    bool mix; /* tests: those of a mix, else those alone */
};

#define P11PROF_TREND_COLUMNS                                                                      \
    "run_id started_at name token_firmware count error_count metric value change unsupported"

/* Adds a row for each of `runs`, a table with the columns of view runs, from its last row to its
 * first, that has such calls. change is against the row before, 0: equal. Percentiles equal those
 * that a report has from histograms. */
enum p11prof_status p11prof_trend_load(struct p11prof_table *out, struct sqlite3 *db,
                                       const struct p11prof_table *runs,
                                       const struct p11prof_trend *trend,
                                       struct p11prof_error *error);

/* Sets the column `bar` of a table that has it and `value`: the largest is `width` characters
 * long. */
void p11prof_trend_bars(const struct p11prof_table *table, size_t width, bool ascii);

#endif
