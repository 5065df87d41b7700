/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "allocate.h"
#include "block_spread.h"
#include "estimate.h"

#include <math.h>
#include <stdlib.h>

enum { OPERATIONS_LEAST = 30 };

/* Windows of all runs, run after run. */
static struct p11prof_spread spread_of_windows(const struct p11prof_sample_row *row)
{
    double count = 0, errors = 0;
    size_t windows = 0, n = 0;
    for (size_t i = 0; i < row->sample_count; i++)
        for (size_t j = 0; j < row->samples[i].window_count; j++, windows++) {
            count += (double)row->samples[i].windows[j].count;
            errors += (double)row->samples[i].windows[j].error_count;
        }
    struct p11prof_part_of_mean *parts = p11prof_zalloc(windows, sizeof *parts);
    for (size_t i = 0; i < row->sample_count; i++)
        for (size_t j = 0; j < row->samples[i].window_count; j++) {
            const struct p11prof_window *window = &row->samples[i].windows[j];
            if (window->count == 0)
                continue;
            parts[n].weight = (double)window->count / count;
            parts[n++].residual =
                ((double)window->error_count - errors / count * (double)window->count) / count;
        }
    struct p11prof_spread spread = p11prof_block_spread(parts, n);
    free(parts);
    return spread;
}

/* Runs are independent of each other. */
static struct p11prof_spread spread_of_runs(const struct p11prof_sample_row *row,
                                            const struct p11prof_proportion *share)
{
    struct p11prof_spread spread = {.variance = 0};
    double weights = 0, residuals = 0;
    for (size_t i = 0; i < row->sample_count; i++) {
        double count = (double)row->samples[i].count, weight = count / share->whole;
        double residual = ((double)row->samples[i].error_count - weight * share->part);
        weights += weight * weight;
        residuals += residual * residual / share->whole / share->whole;
    }
    if (row->sample_count < P11PROF_RUNS_RESAMPLED || weights >= 1)
        return spread;
    spread.variance = residuals / (1 - weights);
    spread.freedom = 1 / weights - 1;
    return spread;
}

static void take_grouping(struct p11prof_error_estimate *out, const struct p11prof_spread *spread)
{
    double share = out->share.part / out->share.whole;
    double independent = share * (1 - share) / out->share.whole;
    if (!(independent > 0) || !isfinite(spread->variance) ||
        spread->variance <= out->grouping * independent)
        return;
    out->grouping = spread->variance / independent;
    out->freedom = spread->freedom;
}

void p11prof_error_estimate_make(struct p11prof_error_estimate *out,
                                 const struct p11prof_sample_row *row)
{
    *out = (struct p11prof_error_estimate){.grouping = 1, .freedom = INFINITY};
    for (size_t i = 0; i < row->sample_count; i++) {
        out->share.whole += (double)row->samples[i].count;
        out->share.part += (double)row->samples[i].error_count;
    }
    out->lack =
        out->share.whole < OPERATIONS_LEAST ? P11PROF_LACK_OPERATIONS : P11PROF_LACK_NOTHING;
    if (!(out->share.whole > 0))
        return;
    struct p11prof_spread of_windows = spread_of_windows(row),
                          of_runs = spread_of_runs(row, &out->share);
    take_grouping(out, &of_windows);
    take_grouping(out, &of_runs);
}
