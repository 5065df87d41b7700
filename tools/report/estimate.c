/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "estimate.h"
#include "allocate.h"
#include "block_spread.h"
#include "estimate_parts.h"
#include "quantile.h"

#include <math.h>
#include <stdlib.h>

enum { WINDOWS_LEAST = 10, OPERATIONS_LEAST = 30, TAIL_WINDOWS_LEAST = 5 };

const char *p11prof_lack_text(enum p11prof_lack lack)
{
    static const char *const texts[] = {
        [P11PROF_LACK_NOTHING] = "",
        [P11PROF_LACK_WINDOWS_KNOWN] = "no windows of time are known",
        [P11PROF_LACK_WINDOWS] = "fewer than 10 windows of time",
        [P11PROF_LACK_OPERATIONS] = "fewer than 30 operations",
        [P11PROF_LACK_TAIL] = "too few operations, or windows, beyond the percentile",
    };
    return texts[lack];
}

/* Successes by time, of one run. */
static bool throughput_of(const struct p11prof_sample *sample, struct p11prof_value *out)
{
    struct p11prof_part_of_mean *parts = p11prof_zalloc(sample->window_count, sizeof *parts);
    double successes = 0, counted = 0, seconds = 0;
    for (size_t i = 0; i < sample->window_count; i++) {
        const struct p11prof_window *window = &sample->windows[i];
        counted += (double)window->count;
        successes += (double)(window->count - window->error_count);
        seconds += (double)window->duration_ns / 1e9;
    }
    bool known = successes > 0 && seconds > 0;
    for (size_t i = 0; i < sample->window_count && known; i++) {
        const struct p11prof_window *window = &sample->windows[i];
        parts[i].weight = (double)window->duration_ns / 1e9 / seconds;
        parts[i].residual =
            (double)(window->count - window->error_count) / successes - parts[i].weight;
    }
    if (known) {
        /* Wrong results are errors of the row, not of its windows; what lies outside of windows has
         * no time. */
        double all = (double)(sample->count - sample->error_count);
        double outside = fmax(0, (double)sample->count - counted);
        out->spread = p11prof_block_spread(parts, sample->window_count);
        out->value = fmax(0, all - outside) / seconds;
        out->count = fmax(0, all - outside);
        out->windows = sample->window_count;
    }
    free(parts);
    return known && out->value > 0;
}

static bool value_of(const struct p11prof_sample *sample, enum p11prof_metric metric,
                     struct p11prof_value *out)
{
    static const uint32_t millionths[P11PROF_METRICS] = {[P11PROF_METRIC_P50] = 500000,
                                                         [P11PROF_METRIC_P95] = 950000,
                                                         [P11PROF_METRIC_P99] = 990000};
    *out = (struct p11prof_value){.value = 0};
    return metric == P11PROF_METRIC_THROUGHPUT
               ? throughput_of(sample, out)
               : p11prof_window_quantile(sample, millionths[metric] / 1e6, out);
}

/* What all runs of the row have. */
struct totals {
    double count, log_sum;
    double variance, freedom_sum; /* sums of the runs' variances, and of their squares by freedom */
    double beyond, beyond_squares; /* operations beyond the percentile, by window */
    size_t windows, blocks, runs, known_windows;
};

static void add_value(struct totals *totals, const struct p11prof_value *value)
{
    double logarithm = log(value->value), variance = value->spread.variance;
    totals->runs++;
    totals->count += value->count;
    totals->windows += value->windows;
    totals->blocks += value->spread.block_count;
    totals->beyond += value->beyond;
    totals->beyond_squares += value->beyond_squares;
    totals->log_sum += logarithm;
    totals->variance += variance;
    totals->freedom_sum += variance * variance / value->spread.freedom;
}

static enum p11prof_lack lack_of(const struct totals *totals, enum p11prof_metric metric)
{
    if (totals->known_windows == 0)
        return P11PROF_LACK_WINDOWS_KNOWN;
    if (totals->count < OPERATIONS_LEAST)
        return P11PROF_LACK_OPERATIONS;
    if (totals->runs < P11PROF_RUNS_RESAMPLED && totals->windows < WINDOWS_LEAST)
        return P11PROF_LACK_WINDOWS;
    bool tail = metric == P11PROF_METRIC_P95 || metric == P11PROF_METRIC_P99;
    double share = metric == P11PROF_METRIC_P95 ? 0.05 : 0.01;
    if (tail && (totals->count * share < 10 ||
                 totals->beyond * totals->beyond < TAIL_WINDOWS_LEAST * totals->beyond_squares))
        return P11PROF_LACK_TAIL;
    return P11PROF_LACK_NOTHING;
}

/* Of the runs' logarithms; deviations first, since a difference of squares would lose digits. */
static double variance_of_runs(const struct p11prof_sample_row *row, enum p11prof_metric metric,
                               double mean, size_t runs)
{
    double squares = 0;
    for (size_t i = 0; i < row->sample_count; i++) {
        struct p11prof_value value;
        if (value_of(&row->samples[i], metric, &value))
            squares += (log(value.value) - mean) * (log(value.value) - mean);
    }
    return squares / (double)(runs - 1);
}

void p11prof_estimate_make(struct p11prof_estimate *out, const struct p11prof_sample_row *row,
                           enum p11prof_metric metric)
{
    struct totals totals = {.runs = 0};
    *out = (struct p11prof_estimate){.variance = INFINITY, .run_variance = -1};
    for (size_t i = 0; i < row->sample_count; i++) {
        struct p11prof_value value;
        totals.known_windows += row->samples[i].window_count;
        if (value_of(&row->samples[i], metric, &value))
            add_value(&totals, &value);
    }
    out->lack = lack_of(&totals, metric);
    out->run_count = totals.runs;
    out->block_count = totals.blocks;
    out->known = totals.runs > 0;
    if (!out->known)
        return;
    double n = (double)totals.runs;
    out->value = exp(totals.log_sum / n);
    out->variance = totals.variance / (n * n);
    bool spread = totals.freedom_sum > 0 && isfinite(totals.freedom_sum);
    out->freedom = spread ? totals.variance * totals.variance / totals.freedom_sum : n;
    double between =
        totals.runs > 1 ? variance_of_runs(row, metric, totals.log_sum / n, totals.runs) : 0;
    if (totals.runs < P11PROF_RUNS_RESAMPLED) {
        /* Two runs say little of how runs differ, but not less than that they do. */
        out->variance = fmax(out->variance, between / n);
        return;
    }
    out->run_variance = between;
    out->variance = between / n;
    out->freedom = n - 1;
}

void p11prof_estimate_widen(struct p11prof_estimate *estimate, const struct p11prof_estimate *other)
{
    if (estimate->run_variance >= 0 || other->run_variance < 0 || estimate->run_count == 0)
        return;
    double variance = other->run_variance / (double)estimate->run_count;
    if (variance <= estimate->variance)
        return;
    estimate->variance = variance;
    estimate->freedom = (double)other->run_count - 1;
}
