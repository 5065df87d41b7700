/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "comparison.h"
#include "allocate.h"
#include "comparison_parts.h"
#include "paired.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double usual_threshold = 0.05, tail_of_all = 0.05;

void p11prof_thresholds_init(struct p11prof_thresholds *out)
{
    *out = (struct p11prof_thresholds){.threshold = {0}};
    for (int i = 0; i < P11PROF_METRICS; i++)
        out->threshold[i] = i == P11PROF_METRIC_ERRORS ? 0 : usual_threshold;
}

/* A metric that decides about a row without being named. */
static bool decides(const struct p11prof_sample_row *row, enum p11prof_metric metric)
{
    /* How many a schedule starts says nothing of the token. */
    bool test = row->key.kind == P11PROF_SAMPLE_TEST && row->key.rate == 0;
    return metric == P11PROF_METRIC_ERRORS ||
           metric == (test ? P11PROF_METRIC_THROUGHPUT : P11PROF_METRIC_P50);
}

static void compare_row(struct p11prof_row_result *row, const struct p11prof_thresholds *thresholds)
{
    p11prof_error_estimate_make(&row->base_errors, row->base);
    p11prof_error_estimate_make(&row->current_errors, row->current);
    for (int i = 0; i < P11PROF_METRICS; i++) {
        struct p11prof_metric_result *result = &row->metrics[i];
        result->threshold = thresholds->threshold[i];
        result->gated = thresholds->named[i] || decides(row->base, i);
        if (i == P11PROF_METRIC_ERRORS)
            p11prof_compare_errors(row);
        else
            p11prof_compare_metric(row, i);
        if (result->known && result->lack == P11PROF_LACK_NOTHING)
            p11prof_metric_interval(row, i, tail_of_all, &result->low, &result->high);
        result->tail = tail_of_all;
        result->corrected_low = result->low;
        result->corrected_high = result->high;
    }
}

/* A test's own parameters stay what they are when rows are named. */
static bool matches(const struct p11prof_sample_row *a, const struct p11prof_sample_row *b,
                    bool any_row)
{
    if (!any_row)
        return p11prof_sample_key_compare(&a->key, &b->key) == 0;
    return a->key.data_bytes == b->key.data_bytes && a->key.threads == b->key.threads &&
           a->key.processes == b->key.processes && a->key.weight == b->key.weight &&
           strcmp(a->key.suite ? a->key.suite : "", b->key.suite ? b->key.suite : "") == 0 &&
           a->key.step == b->key.step && a->key.rate == b->key.rate &&
           a->key.poisson == b->key.poisson && a->key.think_time_ns == b->key.think_time_ns;
}

static void add_result(struct p11prof_comparison *out, const struct p11prof_sample_row *base,
                       const struct p11prof_sample_row *current)
{
    out->rows = p11prof_grow(out->rows, &out->row_capacity, out->row_count + 1, sizeof *out->rows);
    out->rows[out->row_count++] = (struct p11prof_row_result){
        .base = base, .current = current, .verdict = P11PROF_VERDICT_INSUFFICIENT};
}

static const struct p11prof_sample_row *partner(const struct p11prof_comparison *comparison,
                                                const struct p11prof_samples *samples,
                                                const struct p11prof_sample_row *row, bool any_row,
                                                bool of_base)
{
    if (any_row && comparison->base->row_count == 1 && comparison->current->row_count == 1)
        return &samples->rows[0];
    for (size_t i = 0; i < samples->row_count; i++)
        if (of_base ? matches(row, &samples->rows[i], any_row)
                    : matches(&samples->rows[i], row, any_row))
            return &samples->rows[i];
    return NULL;
}

static void match(struct p11prof_comparison *out, bool any_row)
{
    for (size_t i = 0; i < out->base->row_count; i++) {
        const struct p11prof_sample_row *row = &out->base->rows[i];
        const struct p11prof_sample_row *other = partner(out, out->current, row, any_row, true);
        if (other)
            add_result(out, row, other);
    }
    out->matched_count = out->row_count;
    for (size_t i = 0; i < out->base->row_count; i++)
        if (!partner(out, out->current, &out->base->rows[i], any_row, true))
            add_result(out, &out->base->rows[i], NULL);
    for (size_t i = 0; i < out->current->row_count; i++)
        if (!partner(out, out->base, &out->current->rows[i], any_row, false))
            add_result(out, NULL, &out->current->rows[i]);
}

/* Tests in their order; operations and functions by name. */
static int compare_results(const void *a, const void *b)
{
    const struct p11prof_row_result *first = a, *second = b;
    const struct p11prof_sample_row *one = first->base, *other = second->base;
    bool tests = one->key.kind == P11PROF_SAMPLE_TEST && other->key.kind == P11PROF_SAMPLE_TEST;
    return tests ? (one > other) - (one < other)
                 : p11prof_sample_key_compare(&one->key, &other->key);
}

/* The worst that a metric says; to be the same, all have to say it. */
static enum p11prof_verdict verdict_of_row(const struct p11prof_row_result *row)
{
    static const enum p11prof_verdict order[] = {P11PROF_VERDICT_REGRESSED,
                                                 P11PROF_VERDICT_IMPROVED, P11PROF_VERDICT_UNCLEAR,
                                                 P11PROF_VERDICT_INSUFFICIENT};
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++)
        for (int j = 0; j < P11PROF_METRICS; j++)
            if (row->metrics[j].gated && row->metrics[j].verdict == order[i])
                return order[i];
    return P11PROF_VERDICT_SAME;
}

/* Sets the tails of all that is tested. */
static void correct(struct p11prof_comparison *out)
{
    size_t most = out->matched_count * P11PROF_METRICS, n = 0;
    double *p_values = p11prof_zalloc(most, sizeof *p_values);
    double *tails = p11prof_zalloc(most, sizeof *tails);
    for (size_t i = 0; i < most; i++) {
        struct p11prof_metric_result *result =
            &out->rows[i / P11PROF_METRICS].metrics[i % P11PROF_METRICS];
        result->tested = result->gated && result->known && result->lack == P11PROF_LACK_NOTHING &&
                         result->p_value >= 0;
        if (result->tested)
            p_values[n++] = result->p_value;
    }
    p11prof_holm_levels(p_values, n, tail_of_all, tails);
    out->tested_count = n;
    n = 0;
    for (size_t i = 0; i < most; i++) {
        struct p11prof_row_result *row = &out->rows[i / P11PROF_METRICS];
        struct p11prof_metric_result *result = &row->metrics[i % P11PROF_METRICS];
        if (!result->tested)
            continue;
        result->tail = tails[n++];
        p11prof_metric_interval(row, (enum p11prof_metric)(i % P11PROF_METRICS), result->tail,
                                &result->corrected_low, &result->corrected_high);
    }
    free(p_values);
    free(tails);
}

static void judge(struct p11prof_comparison *out)
{
    double logs[2] = {0};
    for (size_t i = 0; i < out->matched_count; i++) {
        struct p11prof_row_result *row = &out->rows[i];
        for (int j = 0; j < P11PROF_METRICS; j++)
            row->metrics[j].verdict = p11prof_metric_verdict(&row->metrics[j], j);
        row->verdict = verdict_of_row(row);
        out->verdict_count[row->verdict]++;
        bool test = row->base->key.kind == P11PROF_SAMPLE_TEST;
        const struct p11prof_metric_result *result =
            &row->metrics[test ? P11PROF_METRIC_THROUGHPUT : P11PROF_METRIC_P50];
        if (!result->known || result->lack != P11PROF_LACK_NOTHING)
            continue;
        logs[!test] += log(result->current_value / result->base_value);
        out->mean_count[!test]++;
    }
    for (int i = 0; i < 2; i++)
        if (out->mean_count[i] > 0)
            out->mean_change[i] = exp(logs[i] / (double)out->mean_count[i]) - 1;
}

void p11prof_comparison_make(struct p11prof_comparison *out, const struct p11prof_samples *base,
                             const struct p11prof_samples *current, bool any_row,
                             const struct p11prof_thresholds *thresholds)
{
    *out = (struct p11prof_comparison){.base = base, .current = current};
    match(out, any_row);
    if (out->matched_count > 0)
        qsort(out->rows, out->matched_count, sizeof *out->rows, compare_results);
    for (size_t i = 0; i < out->matched_count; i++)
        compare_row(&out->rows[i], thresholds);
    correct(out);
    judge(out);
}

void p11prof_comparison_clear(struct p11prof_comparison *comparison)
{
    free(comparison->rows);
    *comparison = (struct p11prof_comparison){.rows = NULL};
}
