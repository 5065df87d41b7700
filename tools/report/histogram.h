/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Latencies of groups of calls or operations, on one scale of bins, with their modes and outliers.
 * Starts as {0}. One thread. */
#ifndef P11PROF_REPORT_HISTOGRAM_H
#define P11PROF_REPORT_HISTOGRAM_H

#include "bins.h"
#include "canvas.h"
#include "modes.h"
#include "outliers.h"
#include "page.h"
#include "run_report.h"

#include <stdio.h>

enum { P11PROF_WORST = 5 };

struct cJSON;

struct p11prof_histogram_options {
    struct p11prof_grouping by; /* empty: function, mechanism, kind; of operations: operation,
                                   mechanism, key type and size */
    bool operations;            /* not calls */
    struct p11prof_selection selection;
    size_t top; /* groups that are shown, by their time; 0: all */
};

/* Runs that are taken together, and what they are grouped by. */
struct p11prof_histogram_set {
    const struct p11prof_run_set *runs;
    enum p11prof_histogram_of {
        P11PROF_HISTOGRAM_CALLS,
        P11PROF_HISTOGRAM_OPERATIONS,
        P11PROF_HISTOGRAM_LOADS, /* measured operations of a bench, by load */
    } of;
    struct p11prof_scan scan;
    struct p11prof_table runs_table;      /* their rows of view runs */
    struct p11prof_table loads;           /* their rows of view loads, and operation_code */
    struct p11prof_condition *conditions; /* of each run */
};

/* One of the longest durations of a group. */
struct p11prof_worst {
    int64_t run_id, process_id, thread_id;
    int64_t start_ns, end_ns; /* since the run's start; of the last call */
    int64_t start_wall_ns;
    uint64_t duration_ns;
    uint64_t iteration; /* of a load: number of the operation, in the order of their ends; else 0 */
    int64_t pid;
    char *program; /* NULL: unknown */
};

struct p11prof_histogram_group {
    struct p11prof_histogram_set *set;
    struct p11prof_tally_group *tally; /* of the set's scan */
    struct p11prof_stats stats;
    struct p11prof_modes modes;
    struct p11prof_outliers outliers;
    bool worst_known;                          /* rows are there */
    struct p11prof_worst worst[P11PROF_WORST]; /* longest first */
    size_t worst_count;
    uint64_t counts[P11PROF_BINS_MOST];
};

struct p11prof_histogram {
    struct p11prof_histogram_set *sets;
    size_t set_count;
    struct p11prof_bins bins;
    struct p11prof_histogram_group *groups; /* that are shown, those with most time first */
    size_t group_count;
    struct p11prof_table names; /* a row for each: run_id, what it is grouped by */
    size_t rest_count;          /* groups that are not shown */
    uint64_t rest_calls, rest_ns;
};

/* Reads the latencies of sets of runs in one read transaction. P11PROF_BAD_INPUT if nothing is
 * there or selected. The caller clears *out, also after a failure. */
enum p11prof_status p11prof_histogram_load(struct p11prof_histogram *out, struct sqlite3 *db,
                                           const struct p11prof_run_set *runs, size_t count,
                                           const struct p11prof_histogram_options *options,
                                           struct p11prof_error *error);
void p11prof_histogram_clear(struct p11prof_histogram *histogram);

/* What the groups of a set are of. */
const struct p11prof_tally *p11prof_histogram_tally(const struct p11prof_histogram_set *set);

/* As text or Markdown. */
void p11prof_histogram_page(struct p11prof_page *page, const struct p11prof_histogram *histogram,
                            const struct p11prof_chart_style *style);

/* A group as JSON: what it is of, statistics, bins, modes and outliers. The caller deletes it. */
struct cJSON *p11prof_histogram_group_json(const struct p11prof_histogram *histogram, size_t index);

/* As a JSON document; as CSV, a row for each bin of each group. */
void p11prof_histogram_json(FILE *stream, const struct p11prof_histogram *histogram);
void p11prof_histogram_csv(FILE *stream, const struct p11prof_histogram *histogram);

#endif
