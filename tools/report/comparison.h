/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Two sides, row by row: how much slower or faster, how sure that is, and a verdict. The method is
 * in docs/statistics.md. One thread. */
#ifndef P11PROF_REPORT_COMPARISON_H
#define P11PROF_REPORT_COMPARISON_H

#include "estimate.h"

enum p11prof_verdict {
    P11PROF_VERDICT_SAME,         /* within the threshold */
    P11PROF_VERDICT_INSUFFICIENT, /* too little was measured */
    P11PROF_VERDICT_UNCLEAR,
    P11PROF_VERDICT_IMPROVED,  /* faster by more than the threshold */
    P11PROF_VERDICT_REGRESSED, /* slower by more than it, or more failures */
    P11PROF_VERDICTS
};

/* "regressed"; P11PROF_VERDICTS if a word is none. */
const char *p11prof_verdict_name(enum p11prof_verdict verdict);
enum p11prof_verdict p11prof_verdict_named(const char *name);

/* "ops_per_s", "p50", …, "errors". */
const char *p11prof_metric_name(enum p11prof_metric metric);
enum p11prof_metric p11prof_metric_named(const char *name);

/* What decides. */
struct p11prof_thresholds {
    double threshold[P11PROF_METRICS]; /* ratios of time less 1; errors: a difference of shares */
    bool named[P11PROF_METRICS];       /* decides for every row */
};

/* 5 % of time; any failure more. Throughput decides for tests, p50 for operations, functions
 * and tests that follow a schedule, failures for all. */
void p11prof_thresholds_init(struct p11prof_thresholds *out);

/* One metric of a row. */
struct p11prof_metric_result {
    struct p11prof_estimate base, current; /* not of errors */
    bool known;                            /* there is a value on both sides */
    bool gated;                            /* it has a part in the verdict */
    bool tested;                           /* it is one of those that Holm's correction counts */
    enum p11prof_lack lack;                /* of either side */
    double base_value, current_value;
    double effect;    /* ratio of time less 1, > 0: slower; errors: difference */
    double low, high; /* 95 % interval of the effect */
    double p_value;
    double tail; /* 1 less the level of the corrected interval: 0.05 or less */
    double corrected_low, corrected_high;
    double threshold;
    enum p11prof_verdict verdict; /* also where it is not gated, without correction */
};

struct p11prof_row_result {
    const struct p11prof_sample_row *base, *current; /* borrowed; one may be NULL: unmatched */
    struct p11prof_error_estimate base_errors, current_errors;
    struct p11prof_metric_result metrics[P11PROF_METRICS];
    enum p11prof_verdict verdict;
};

/* Of one current side with the base. Borrows from both. */
struct p11prof_comparison {
    const struct p11prof_samples *base, *current;
    struct p11prof_row_result *rows; /* matched ones first */
    size_t row_count, row_capacity, matched_count;
    size_t tested_count;                    /* metrics of rows that the correction counts */
    size_t verdict_count[P11PROF_VERDICTS]; /* of matched rows */
    double mean_change[2]; /* geometric mean: of ops/s of tests; of p50 of the rest */
    size_t mean_count[2];  /* rows in it: that have enough */
};

/* any_row: each side has rows that were named: they are compared whatever their test and key are.
 * The caller clears *out. */
void p11prof_comparison_make(struct p11prof_comparison *out, const struct p11prof_samples *base,
                             const struct p11prof_samples *current, bool any_row,
                             const struct p11prof_thresholds *thresholds);
void p11prof_comparison_clear(struct p11prof_comparison *comparison);

/* The interval of a metric's effect that misses it with probability `tail`. */
void p11prof_metric_interval(const struct p11prof_row_result *row, enum p11prof_metric metric,
                             double tail, double *low, double *high);

/* Judges a metric by its threshold and its corrected interval. */
enum p11prof_verdict p11prof_metric_verdict(const struct p11prof_metric_result *result,
                                            enum p11prof_metric metric);

#endif
