/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "comparison_parts.h"
#include "student.h"

#include <math.h>
#include <string.h>

static const char *const metric_names[P11PROF_METRICS] = {
    [P11PROF_METRIC_THROUGHPUT] = "ops_per_s",
    [P11PROF_METRIC_P50] = "p50",
    [P11PROF_METRIC_P95] = "p95",
    [P11PROF_METRIC_P99] = "p99",
    [P11PROF_METRIC_ERRORS] = "errors",
};

const char *p11prof_metric_name(enum p11prof_metric metric)
{
    return metric_names[metric];
}

enum p11prof_metric p11prof_metric_named(const char *name)
{
    for (int i = 0; i < P11PROF_METRICS; i++)
        if (strcmp(metric_names[i], name) == 0)
            return i;
    return strcmp(name, "throughput") == 0 ? P11PROF_METRIC_THROUGHPUT : P11PROF_METRICS;
}

static const char *const verdict_names[P11PROF_VERDICTS] = {
    [P11PROF_VERDICT_SAME] = "same",           [P11PROF_VERDICT_INSUFFICIENT] = "insufficient",
    [P11PROF_VERDICT_UNCLEAR] = "unclear",     [P11PROF_VERDICT_IMPROVED] = "improved",
    [P11PROF_VERDICT_REGRESSED] = "regressed",
};

const char *p11prof_verdict_name(enum p11prof_verdict verdict)
{
    return verdict_names[verdict];
}

enum p11prof_verdict p11prof_verdict_named(const char *name)
{
    for (int i = 0; i < P11PROF_VERDICTS; i++)
        if (strcmp(verdict_names[i], name) == 0)
            return i;
    return P11PROF_VERDICTS;
}

/* The logarithm of the ratio of time, and its standard error with Welch and Satterthwaite's degrees
 * of freedom. */
struct ratio {
    double logarithm, error, freedom;
};

static struct ratio ratio_of(const struct p11prof_metric_result *result, enum p11prof_metric metric)
{
    double a = result->base.variance, b = result->current.variance, sum = a + b;
    double logarithm = log(result->current_value / result->base_value);
    double squares = a * a / result->base.freedom + b * b / result->current.freedom;
    return (struct ratio){.logarithm = metric == P11PROF_METRIC_THROUGHPUT ? -logarithm : logarithm,
                          .error = sqrt(sum),
                          .freedom = squares > 0 && isfinite(squares) ? sum * sum / squares : 1};
}

static void interval_of_ratio(const struct p11prof_metric_result *result,
                              enum p11prof_metric metric, double tail, double *low, double *high)
{
    struct ratio ratio = ratio_of(result, metric);
    double half = ratio.error > 0 ? ratio.error * p11prof_student_quantile(tail, ratio.freedom) : 0;
    *low = expm1(ratio.logarithm - half);
    *high = expm1(ratio.logarithm + half);
}

/* Failures that come in groups count as fewer independent ones; a side without failures cannot
 * tell, so both are taken alike. */
static void interval_of_errors(const struct p11prof_row_result *row, double tail, double *low,
                               double *high)
{
    const struct p11prof_error_estimate *base = &row->base_errors, *current = &row->current_errors;
    const struct p11prof_error_estimate *most = base->grouping > current->grouping ? base : current;
    const struct p11prof_proportion first = {base->share.part / most->grouping,
                                             base->share.whole / most->grouping};
    const struct p11prof_proportion second = {current->share.part / most->grouping,
                                              current->share.whole / most->grouping};
    p11prof_newcombe(&first, &second, p11prof_student_quantile(tail, most->freedom), low, high);
}

void p11prof_metric_interval(const struct p11prof_row_result *row, enum p11prof_metric metric,
                             double tail, double *low, double *high)
{
    if (metric == P11PROF_METRIC_ERRORS)
        interval_of_errors(row, tail, low, high);
    else
        interval_of_ratio(&row->metrics[metric], metric, tail, low, high);
}

static enum p11prof_lack first_lack(enum p11prof_lack a, enum p11prof_lack b)
{
    return a != P11PROF_LACK_NOTHING ? a : b;
}

void p11prof_compare_metric(struct p11prof_row_result *row, enum p11prof_metric metric)
{
    struct p11prof_metric_result *result = &row->metrics[metric];
    p11prof_estimate_make(&result->base, row->base, metric);
    p11prof_estimate_make(&result->current, row->current, metric);
    p11prof_estimate_widen(&result->base, &result->current);
    p11prof_estimate_widen(&result->current, &result->base);
    result->lack = first_lack(result->base.lack, result->current.lack);
    result->known = result->base.known && result->current.known;
    result->base_value = result->base.value;
    result->current_value = result->current.value;
    result->p_value = -1;
    if (!result->known)
        return;
    struct ratio ratio = ratio_of(result, metric);
    result->effect = expm1(ratio.logarithm);
    result->p_value = p11prof_student_tail(ratio.logarithm / ratio.error, ratio.freedom);
}

/* The smallest tail whose interval leaves 0 out. */
static double error_p_value(const struct p11prof_row_result *row, double difference)
{
    double least = -60, most = 0; /* logarithms of tails */
    if (difference == 0)
        return 1;
    for (int i = 0; i < 60; i++) {
        double low, high, middle = (least + most) / 2;
        interval_of_errors(row, exp(middle), &low, &high);
        if (low > 0 || high < 0)
            most = middle;
        else
            least = middle;
    }
    return exp(most);
}

void p11prof_compare_errors(struct p11prof_row_result *row)
{
    struct p11prof_metric_result *result = &row->metrics[P11PROF_METRIC_ERRORS];
    const struct p11prof_proportion *base = &row->base_errors.share;
    const struct p11prof_proportion *current = &row->current_errors.share;
    result->lack = first_lack(row->base_errors.lack, row->current_errors.lack);
    result->known = base->whole > 0 && current->whole > 0;
    result->p_value = -1;
    if (!result->known)
        return;
    result->base_value = base->part / base->whole;
    result->current_value = current->part / current->whole;
    result->effect = result->current_value - result->base_value;
    if (base->part + current->part > 0)
        result->p_value = error_p_value(row, result->effect);
}

enum p11prof_verdict p11prof_metric_verdict(const struct p11prof_metric_result *result,
                                            enum p11prof_metric metric)
{
    bool errors = metric == P11PROF_METRIC_ERRORS;
    double same = errors && result->threshold < 0.01 ? 0.01 : result->threshold;
    if (!result->known || result->lack != P11PROF_LACK_NOTHING)
        return P11PROF_VERDICT_INSUFFICIENT;
    if (errors && result->p_value < 0) /* nothing failed */
        return P11PROF_VERDICT_SAME;
    if (result->effect > result->threshold && result->corrected_low > 0)
        return P11PROF_VERDICT_REGRESSED;
    if (result->effect < -result->threshold && result->corrected_high < 0)
        return P11PROF_VERDICT_IMPROVED;
    if (result->corrected_low >= -same && result->corrected_high <= same)
        return P11PROF_VERDICT_SAME;
    return P11PROF_VERDICT_UNCLEAR;
}
