/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "ramp_steps.h"
#include "allocate.h"
#include "bench_mixes.h"
#include "bench_rates.h"
#include "estimate.h"
#include "stats.h"
#include "stats_table.h"
#include "student.h"
#include "window_read.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double tail = 0.05; /* of intervals */

/* What the loads of a step did, slice by slice. Those of a mix share their slices. */
struct slices {
    struct p11prof_sample sample;
    struct p11prof_buckets buckets;
    struct p11prof_sums sums; /* of these */
    size_t next;              /* slice of the load in hand */
    bool follows;             /* it is not the first one of the step */
};

static double number_of(const struct p11prof_table *table, size_t row, const char *column)
{
    const struct p11prof_cell *cell = p11prof_table_get(table, row, column);
    return cell->kind == P11PROF_CELL_REAL      ? cell->real
           : cell->kind == P11PROF_CELL_INTEGER ? (double)cell->integer
                                                : 0;
}

static void take_slice(void *payload, const struct p11prof_window_row *row)
{
    struct slices *slices = payload;
    bool known = slices->follows && slices->next < slices->sample.window_count;
    struct p11prof_window *window =
        known ? &slices->sample.windows[slices->next] : p11prof_sample_add_window(&slices->sample);
    slices->next++;
    window->start_ns = row->start_ns;
    window->duration_ns = row->duration_ns;
    window->count += row->count;
    window->error_count += row->error_count;
    slices->sample.count += row->count;
    slices->sample.error_count += row->error_count;
    slices->sums.sum_ns += row->sum_ns;
    slices->sums.count += row->buckets.count;
    p11prof_buckets_merge(&slices->buckets, &row->buckets);
}

static bool is_of_step(const struct p11prof_table *loads, size_t row, int64_t run_id, int64_t step)
{
    return p11prof_table_integer(loads, row, "run_id", -1) == run_id &&
           p11prof_table_integer(loads, row, "ramp", -1) == step;
}

static enum p11prof_status read_slices(struct slices *out, const struct p11prof_table *loads,
                                       int64_t run_id, int64_t step, struct sqlite3 *db,
                                       struct p11prof_error *error)
{
    enum p11prof_status status = P11PROF_OK;
    for (size_t i = 0; i < loads->row_count && status == P11PROF_OK; i++) {
        if (!is_of_step(loads, i, run_id, step))
            continue;
        out->next = 0;
        status = p11prof_slices_read(db, run_id, p11prof_table_integer(loads, i, "load", 0),
                                     take_slice, out, error);
        out->follows = true;
    }
    return status;
}

/* --- a row --- */

/* How sure its throughput is. */
static void set_interval(const struct p11prof_table *table, struct p11prof_cell *row,
                         struct p11prof_ramp_step *step, struct slices *slices)
{
    struct p11prof_sample_row sample = {.samples = &slices->sample, .sample_count = 1};
    struct p11prof_estimate estimate;
    p11prof_estimate_make(&estimate, &sample, P11PROF_METRIC_THROUGHPUT);
    step->variance = INFINITY;
    if (!estimate.known || estimate.lack != P11PROF_LACK_NOTHING || !isfinite(estimate.variance))
        return;
    step->variance = estimate.variance;
    step->freedom = estimate.freedom;
    double half = sqrt(step->variance) * p11prof_student_quantile(tail, step->freedom);
    p11prof_table_set_real(table, row, "ops_per_s_low", step->ops_per_s * exp(-half));
    p11prof_table_set_real(table, row, "ops_per_s_high", step->ops_per_s * exp(half));
}

static void set_sum(const struct p11prof_table *table, struct p11prof_cell *row,
                    const struct p11prof_table *loads, size_t first, const char *column)
{
    struct p11prof_cell *cell = &row[p11prof_table_find(table, column)];
    for (size_t i = first + 1; i < loads->row_count; i++) {
        if (!p11prof_same_mix(loads, first, i))
            continue;
        if (cell->kind == P11PROF_CELL_INTEGER)
            cell->integer += p11prof_table_integer(loads, i, column, 0);
        else if (cell->kind == P11PROF_CELL_REAL)
            cell->real += number_of(loads, i, column);
    }
}

/* Percentiles of all operations of a mix, whichever they are. */
static void set_mixed_times(const struct p11prof_table *table, struct p11prof_cell *row,
                            const struct p11prof_stats *stats)
{
    static const struct {
        const char *column;
        enum p11prof_quantile quantile;
    } quantiles[] = {{"p50_ns", P11PROF_P50}, {"p99_ns", P11PROF_P99}};
    for (size_t i = 0; i < sizeof quantiles / sizeof quantiles[0]; i++) {
        struct p11prof_cell *cell = &row[p11prof_table_find(table, quantiles[i].column)];
        *cell = (struct p11prof_cell){
            .kind = stats->count > 0 ? P11PROF_CELL_INTEGER : P11PROF_CELL_NULL,
            .doubtful = !stats->supported[quantiles[i].quantile],
            .integer = (int64_t)stats->quantile_ns[quantiles[i].quantile]};
    }
    row[p11prof_table_find(table, "mean_ns")].kind = P11PROF_CELL_NULL;
    if (stats->count > 0)
        p11prof_table_set_integer(table, row, "mean_ns", (int64_t)stats->mean_ns);
}

static double mixed_objective(const struct p11prof_stats *stats, const char *column)
{
    static const struct {
        const char *column;
        enum p11prof_quantile quantile;
    } quantiles[] = {{"p50_ns", P11PROF_P50},
                     {"p90_ns", P11PROF_P90},
                     {"p95_ns", P11PROF_P95},
                     {"p99_ns", P11PROF_P99},
                     {"p999_ns", P11PROF_P999}};
    for (size_t i = 0; column && i < sizeof quantiles / sizeof quantiles[0]; i++)
        if (strcmp(quantiles[i].column, column) == 0)
            return (double)stats->quantile_ns[quantiles[i].quantile];
    return column ? (double)stats->mean_ns : 0;
}

/* What the edges of the buckets say of the shortest and the longest. */
static void sums_bound(struct slices *slices)
{
    struct p11prof_bucket bucket = {0};
    slices->sums.min_ns = UINT64_MAX;
    while (p11prof_buckets_next(&slices->buckets, &bucket)) {
        if (slices->sums.min_ns == UINT64_MAX)
            slices->sums.min_ns = bucket.low_ns;
        slices->sums.max_ns = bucket.high_ns - 1;
    }
}

static void set_mix(const struct p11prof_table *table, struct p11prof_cell *row,
                    struct p11prof_ramp_step *step, const struct p11prof_table *loads, size_t first,
                    struct slices *slices, const char *column)
{
    static const char *const sums[] = {"count", "error_count", "missed_count", "ops_per_s", "rate"};
    struct p11prof_stats stats;
    for (size_t i = 0; i < sizeof sums / sizeof sums[0]; i++)
        set_sum(table, row, loads, first, sums[i]);
    struct p11prof_cell *test = &row[p11prof_table_find(table, "test")];
    free((char *)test->text);
    p11prof_table_set_text(table, row, "test", "mix");
    sums_bound(slices);
    p11prof_stats_of_buckets(&stats, &slices->sums, &slices->buckets);
    set_mixed_times(table, row, &stats);
    step->objective_ns = mixed_objective(&stats, column);
}

/* An interval between two starts is seldom a whole part of a slice: one start more or less in each
 * says nothing. */
static bool is_held(const struct p11prof_bench_rate *rate, const struct slices *slices)
{
    const struct p11prof_sample *sample = &slices->sample;
    double span_s = 0;
    for (size_t i = 0; i < sample->window_count; i++)
        span_s += (double)sample->windows[i].duration_ns / 1e9;
    return rate->held ||
           (rate->missed_count == 0 && span_s > 0 &&
            rate->done_per_s + (double)sample->window_count / span_s >= rate->needed_per_s);
}

static void step_take(struct p11prof_ramp_step *step, const struct p11prof_table *table, size_t row,
                      enum p11prof_ramp_of of)
{
    step->value = number_of(table, row, p11prof_ramp_word(of));
    step->ops_per_s = number_of(table, row, "ops_per_s");
    step->mean_ns = number_of(table, row, "mean_ns");
    step->p99_ns = number_of(table, row, "p99_ns");
    step->count = (uint64_t)number_of(table, row, "count");
    step->error_count = (uint64_t)number_of(table, row, "error_count");
    step->missed_count = (uint64_t)number_of(table, row, "missed_count");
}

static enum p11prof_status add_step(struct p11prof_table *table, struct p11prof_ramp_step *step,
                                    const struct p11prof_ramp *ramp,
                                    const struct p11prof_table *loads, size_t first,
                                    const char *column, struct sqlite3 *db,
                                    struct p11prof_error *error)
{
    struct slices slices = {.next = 0};
    struct p11prof_bench_rate rate;
    enum p11prof_status status = read_slices(
        &slices, loads, ramp->run_id, p11prof_table_integer(loads, first, "ramp", -1), db, error);
    if (status == P11PROF_OK) {
        struct p11prof_cell *row = p11prof_table_add_row(table);
        p11prof_table_copy_row(table, row, loads, first);
        if (ramp->of == P11PROF_RAMP_RATE)
            row[p11prof_table_find(table, "efficiency")].kind = P11PROF_CELL_NULL;
        if (column)
            step->objective_ns = number_of(loads, first, column);
        if (!p11prof_load_is_alone(loads, first))
            set_mix(table, row, step, loads, first, &slices, column);
        step_take(step, table, table->row_count - 1, ramp->of);
        step->scheduled = p11prof_bench_rate_of(&rate, loads, first);
        step->held = step->scheduled && is_held(&rate, &slices);
        set_interval(table, row, step, &slices);
    }
    p11prof_buckets_clear(&slices.buckets);
    free(slices.sample.windows);
    return status;
}

/* --- all of them --- */

static double value_of(const struct p11prof_table *loads, size_t row, enum p11prof_ramp_of of)
{
    const char *column = p11prof_ramp_word(of);
    double sum = number_of(loads, row, column);
    for (size_t i = 0; of == P11PROF_RAMP_RATE && i < loads->row_count; i++)
        if (i != row && p11prof_same_mix(loads, row, i))
            sum += number_of(loads, i, column);
    return sum;
}

/* Whether it is the first load of a step of which something is known: none was cut short. */
static bool begins_step(const struct p11prof_table *loads, size_t row, int64_t run_id)
{
    return p11prof_table_integer(loads, row, "run_id", -1) == run_id &&
           p11prof_load_is_ramp(loads, row) &&
           (p11prof_load_is_alone(loads, row) || p11prof_mix_begins(loads, row)) &&
           p11prof_table_get(loads, row, "ops_per_s")->kind != P11PROF_CELL_NULL;
}

/* The first load of each value's last step, in ascending order; returns how many. */
static size_t order_steps(size_t *out, const struct p11prof_table *loads,
                          const struct p11prof_ramp *ramp)
{
    size_t count = 0;
    for (size_t i = 0; i < loads->row_count; i++) {
        if (!begins_step(loads, i, ramp->run_id))
            continue;
        double value = value_of(loads, i, ramp->of);
        size_t place = count;
        while (place > 0 && value_of(loads, out[place - 1], ramp->of) > value)
            place--;
        if (place > 0 && value_of(loads, out[place - 1], ramp->of) == value) {
            out[place - 1] = i;
            continue;
        }
        memmove(&out[place + 1], &out[place], (count++ - place) * sizeof *out);
        out[place] = i;
    }
    return count;
}

enum p11prof_status p11prof_ramp_steps_load(struct p11prof_ramp *ramp, struct p11prof_table *table,
                                            const struct p11prof_table *loads, const char *column,
                                            struct sqlite3 *db, struct p11prof_error *error)
{
    size_t *order = p11prof_zalloc(loads->row_count + 1, sizeof *order);
    enum p11prof_status status = P11PROF_OK;
    ramp->first = table->row_count;
    ramp->count = order_steps(order, loads, ramp);
    ramp->steps = p11prof_zalloc(ramp->count + 1, sizeof *ramp->steps);
    for (size_t i = 0; i < ramp->count && status == P11PROF_OK; i++)
        status = add_step(table, &ramp->steps[i], ramp, loads, order[i], column, db, error);
    free(order);
    return status;
}
