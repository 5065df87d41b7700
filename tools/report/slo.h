/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Objectives that runs have to meet: "C_Sign.p99<20ms,errors<0.1%".
 *
 * OBJECTIVE := [SUBJECT.]METRIC COMPARISON LIMIT. SUBJECT is a function (C_Sign, sizes and errors
 * of all its mechanisms together), an operation (sign) or a test of a bench; without one it is all
 * calls. METRIC is p50, p90, p95, p99, p999, mean, min, max (LIMIT: a time), errors (share of calls
 * that failed: 0.1% or 0.001), count, lost (calls that were counted only) or ops_per_s (a number).
 * COMPARISON is <, <=, > or >=. Size queries, too small buffers and calls that wait are no part of
 * it. One thread. */
#ifndef P11PROF_REPORT_SLO_H
#define P11PROF_REPORT_SLO_H

#include "run_report.h"

enum { P11PROF_OBJECTIVES_MAX = 32, P11PROF_SUBJECT_BYTES = 64 };

struct p11prof_objectives {
    struct p11prof_objective {
        char subject[P11PROF_SUBJECT_BYTES]; /* "": all calls */
        const struct p11prof_objective_metric *metric;
        bool above, or_equal; /* > or >=; <= or >= */
        double limit;         /* ns, share or number */
    } all[P11PROF_OBJECTIVES_MAX];
    size_t count;
};

/* Reads objectives with commas between, and adds them. P11PROF_BAD_INPUT: *error says what is wrong
 * in which of them. */
enum p11prof_status p11prof_objectives_read(struct p11prof_objectives *out, const char *text,
                                            struct p11prof_error *error);

/* The column of results that an objective of a time is about ("p99_ns"); NULL: it is of no time. */
const char *p11prof_objective_time_column(const struct p11prof_objective *objective);

/* Looks at what is selected of the runs. Adds a row for each objective to *out: columns objective,
 * value and limit (for people), measured and bound (numbers: ns or share), missed_by (how far
 * beyond the limit, as a share of it), verdict ("met" or
 * "missed"). P11PROF_BAD_INPUT if the runs have no such
 * subject: *error names the nearest. */
enum p11prof_status p11prof_objectives_check(const struct p11prof_objectives *objectives,
                                             struct sqlite3 *db, const struct p11prof_run_set *runs,
                                             const struct p11prof_selection *selection,
                                             struct p11prof_table *out,
                                             struct p11prof_error *error);

#endif
