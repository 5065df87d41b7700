/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "stress.h"
#include "allocate.h"
#include "comparison.h"
#include "query.h"
#include "window_read.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { TENTH = 10, GROWTH_INTERVALS_LEAST = 6, FALLS_PART = 5 };
static const int64_t growth_least_bytes = 1 << 20;

static const char intervals_sql[] =
    "SELECT run_id, load, test, interval, start_ns, duration_ns, until_ns, measured_ns, count, "
    "error_count, ops_per_s, p50_ns, p99_ns, cpu_share, steal_share, temperature_celsius, "
    "frequency_hz, rss_bytes, session_count FROM intervals WHERE run_id = ?1 "
    "ORDER BY load, interval";

/* --- the last tenth of the slices against the first one --- */

struct slices {
    struct p11prof_sample sample;
    bool scheduled;
};

/* How many operations a schedule starts says nothing of the token: how long they take does. */
static void take_window(void *payload, const struct p11prof_window_row *row)
{
    struct slices *slices = payload;
    struct p11prof_window *window = p11prof_sample_add_window(&slices->sample);
    window->start_ns = row->start_ns;
    window->duration_ns = slices->scheduled ? row->sum_ns : row->duration_ns;
    window->count = row->count;
    window->error_count = row->error_count;
}

/* A side of a comparison that has some of the windows, and no histograms. */
static void side_make(struct p11prof_samples *out, const struct p11prof_sample *all, size_t first,
                      size_t count)
{
    struct p11prof_sample_key key = {
        .what = p11prof_copy(""), .mechanism = p11prof_copy(""), .key_type = p11prof_copy("")};
    struct p11prof_sample *sample = p11prof_sample_of_run(p11prof_samples_row(out, &key), 0);
    for (size_t i = first; i < first + count; i++) {
        *p11prof_sample_add_window(sample) = all->windows[i];
        sample->count += all->windows[i].count;
        sample->error_count += all->windows[i].error_count;
    }
}

static void set_effect(const struct p11prof_table *table, struct p11prof_cell *row,
                       const struct p11prof_metric_result *result, bool scheduled)
{
    if (result->known && !scheduled) {
        p11prof_table_set_real(table, row, "first_ops_per_s", result->base_value);
        p11prof_table_set_real(table, row, "last_ops_per_s", result->current_value);
    }
    enum p11prof_lack lack =
        result->lack == P11PROF_LACK_WINDOWS_KNOWN ? P11PROF_LACK_WINDOWS : result->lack;
    if (lack != P11PROF_LACK_NOTHING || !result->known || !isfinite(result->low) ||
        !isfinite(result->high)) {
        p11prof_table_set_text(table, row, "reason",
                               lack != P11PROF_LACK_NOTHING ? p11prof_lack_text(lack)
                                                            : "nothing succeeded");
        return;
    }
    p11prof_table_set_real(table, row, "effect", result->effect);
    p11prof_table_set_real(table, row, "effect_low", result->low);
    p11prof_table_set_real(table, row, "effect_high", result->high);
}

static void compare_tenths(const struct p11prof_table *table, struct p11prof_cell *row,
                           const struct slices *slices)
{
    const struct p11prof_sample *all = &slices->sample;
    struct p11prof_samples first = {.rows = NULL}, last = {.rows = NULL};
    struct p11prof_comparison comparison;
    struct p11prof_thresholds thresholds;
    size_t tenth = all->window_count / TENTH;
    side_make(&first, all, 0, tenth);
    side_make(&last, all, all->window_count - tenth, tenth);
    p11prof_thresholds_init(&thresholds);
    p11prof_comparison_make(&comparison, &first, &last, true, &thresholds);
    set_effect(table, row, &comparison.rows[0].metrics[P11PROF_METRIC_THROUGHPUT],
               slices->scheduled);
    p11prof_comparison_clear(&comparison);
    p11prof_samples_clear(&first);
    p11prof_samples_clear(&last);
}

/* --- what moved meanwhile --- */

/* The rows of a load in the table of intervals. */
struct rows {
    const struct p11prof_table *table;
    size_t first, count;
};

static bool number_of(const struct rows *rows, size_t index, const char *column, double *out)
{
    const struct p11prof_cell *cell = p11prof_table_get(rows->table, rows->first + index, column);
    *out = cell->kind == P11PROF_CELL_REAL ? cell->real : (double)cell->integer;
    return cell->kind == P11PROF_CELL_REAL || cell->kind == P11PROF_CELL_INTEGER;
}

/* The mean of the known ones of `count` rows; false: there are none. */
static bool mean_of(const struct rows *rows, size_t first, size_t count, const char *column,
                    double *out)
{
    double sum = 0, value;
    size_t known = 0;
    for (size_t i = first; i < first + count; i++) {
        if (!number_of(rows, i, column, &value))
            continue;
        sum += value;
        known++;
    }
    *out = known > 0 ? sum / (double)known : 0;
    return known > 0;
}

/* Means of the first and the last tenth of the intervals, one of them at least. */
static bool ends_of(const struct rows *rows, const char *column, double *first, double *last)
{
    size_t tenth = rows->count < 2 * TENTH ? 1 : rows->count / TENTH;
    return rows->count > 1 && mean_of(rows, 0, tenth, column, first) &&
           mean_of(rows, rows->count - tenth, tenth, column, last);
}

/* From the second interval on, since caches fill in the first. It grew all the time if it seldom
 * fell and went on in the second half. */
static bool growth_of(const struct rows *rows, int64_t *out)
{
    double before, now, first = 0, middle = 0;
    size_t falls = 0;
    if (rows->count < GROWTH_INTERVALS_LEAST || !number_of(rows, 1, "rss_bytes", &before))
        return false;
    first = before;
    for (size_t i = 2; i < rows->count; i++, before = now) {
        if (!number_of(rows, i, "rss_bytes", &now))
            return false;
        falls += now < before;
        middle = i <= rows->count / 2 ? now : middle;
    }
    *out = (int64_t)(before - first);
    return *out >= growth_least_bytes && falls <= rows->count / FALLS_PART &&
           before - middle >= (before - first) / 4;
}

static void set_changes(const struct p11prof_table *table, struct p11prof_cell *row,
                        const struct rows *rows)
{
    double first, last;
    int64_t growth_bytes;
    if (ends_of(rows, "temperature_celsius", &first, &last))
        p11prof_table_set_real(table, row, "temperature_change_celsius", last - first);
    if (ends_of(rows, "frequency_hz", &first, &last) && first > 0)
        p11prof_table_set_real(table, row, "frequency_change", last / first - 1);
    if (growth_of(rows, &growth_bytes))
        p11prof_table_set_integer(table, row, "rss_growth_bytes", growth_bytes);
}

/* --- loads --- */

static int64_t sum_of(const struct rows *rows, const char *column)
{
    int64_t sum = 0;
    for (size_t i = 0; i < rows->count; i++)
        sum += p11prof_table_integer(rows->table, rows->first + i, column, 0);
    return sum;
}

static enum p11prof_status is_scheduled(struct sqlite3 *db, int64_t run_id, int64_t load, bool *out,
                                        struct p11prof_error *error)
{
    char sql[96];
    int64_t scheduled = 0;
    snprintf(sql, sizeof sql,
             "SELECT rate IS NOT NULL FROM bench_load WHERE run = ?1 AND load = %" PRId64, load);
    enum p11prof_status status = p11prof_query_integer(db, sql, run_id, 0, &scheduled, error);
    *out = scheduled != 0;
    return status;
}

static enum p11prof_status add_load(struct p11prof_stress *out, struct sqlite3 *db,
                                    const struct rows *rows, struct p11prof_error *error)
{
    struct slices all = {.scheduled = false};
    const struct p11prof_table *table = &out->findings;
    int64_t run_id = p11prof_table_integer(rows->table, rows->first, "run_id", 0);
    int64_t load = p11prof_table_integer(rows->table, rows->first, "load", 0);
    enum p11prof_status status = is_scheduled(db, run_id, load, &all.scheduled, error);
    if (status == P11PROF_OK)
        status = p11prof_slices_read(db, run_id, load, take_window, &all, error);
    if (status == P11PROF_OK) {
        struct p11prof_cell *row = p11prof_table_add_row(&out->findings);
        p11prof_table_set_integer(table, row, "run_id", run_id);
        p11prof_table_set_integer(table, row, "load", load);
        p11prof_table_set_text(table, row, "test",
                               p11prof_table_text(rows->table, rows->first, "test", ""));
        p11prof_table_set_integer(table, row, "count", sum_of(rows, "count"));
        p11prof_table_set_integer(table, row, "error_count", sum_of(rows, "error_count"));
        p11prof_table_set_integer(
            table, row, "until_ns",
            p11prof_table_integer(rows->table, rows->first + rows->count - 1, "until_ns", 0));
        compare_tenths(table, row, &all);
        set_changes(table, row, rows);
    }
    free(all.sample.windows);
    return status;
}

/* Rows from `first` on that are of the same load. */
static struct rows rows_of_load(const struct p11prof_table *table, size_t first)
{
    struct rows rows = {.table = table, .first = first};
    int64_t load = p11prof_table_integer(table, first, "load", 0);
    while (first + rows.count < table->row_count &&
           p11prof_table_integer(table, first + rows.count, "load", 0) == load)
        rows.count++;
    return rows;
}

enum p11prof_status p11prof_stress_load(struct p11prof_stress *out, struct sqlite3 *db,
                                        int64_t run_id, struct p11prof_error *error)
{
    size_t first = out->intervals.row_count;
    if (out->findings.column_count == 0)
        p11prof_table_add_columns(&out->findings, P11PROF_STRESS_COLUMNS);
    enum p11prof_status status =
        p11prof_query_table(db, intervals_sql, run_id, &out->intervals, error);
    while (status == P11PROF_OK && first < out->intervals.row_count) {
        const struct rows rows = rows_of_load(&out->intervals, first);
        status = add_load(out, db, &rows, error);
        first += rows.count;
    }
    return status;
}

void p11prof_stress_clear(struct p11prof_stress *stress)
{
    p11prof_table_clear(&stress->intervals);
    p11prof_table_clear(&stress->findings);
}
