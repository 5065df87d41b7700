/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "bench_results.h"
#include "bench_mixes.h"
#include "bench_suites.h"
#include "bench_threads.h"
#include "bench_windows.h"
#include "p11prof/load.h"
#include "query.h"
#include "stats_table.h"
#include "writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct p11prof_grouping p11prof_load_grouping = {
    {P11PROF_BY_RUN, P11PROF_BY_PART, P11PROF_BY_OPERATION, P11PROF_BY_THREAD}, 4};

static const char loads_sql[] = "SELECT l.*, b.operation AS operation_code FROM loads AS l "
                                "JOIN bench_load AS b ON b.run = l.run_id AND b.load = l.load "
                                "WHERE l.run_id = ?1 ORDER BY l.load";
static const char figures_sql[] =
    "SELECT load, ops_per_s, bytes_per_s, mean_ns, stddev_ns, min_ns, p95_ns, "
    "p99_ns, max_ns FROM bench_figure WHERE run = ?1 ORDER BY load";
static const char skipped_sql[] = "SELECT test, reason, run_id FROM skipped WHERE run_id = ?1";

/* What one row is made of. */
struct parts {
    struct p11prof_tally_group measured, cooldown, service;
    struct p11prof_bench_threads threads;
    struct p11prof_bench_windows windows;
    bool narrowed; /* what the threads counted themselves is more than what is selected */
};

/* Whether a selection takes only some of the operations of a load. */
static bool narrows(const struct p11prof_selection *selection)
{
    bool narrowed = selection &&
                    (selection->since.kind != P11PROF_MOMENT_NONE ||
                     selection->until.kind != P11PROF_MOMENT_NONE || selection->slower_than_ns > 0);
    for (size_t i = 0; selection && i < selection->filter_count; i++)
        narrowed = narrowed || selection->filters[i].id != P11PROF_BY_TEST;
    return narrowed;
}

static void merge(struct p11prof_tally_group *into, const struct p11prof_tally *tally,
                  struct p11prof_load_key key, enum p11prof_phase phase)
{
    key.part = p11prof_part((uint32_t)key.load, phase);
    for (size_t i = 0; i < tally->group_count; i++)
        if (p11prof_load_group_is(tally, &tally->groups[i], &key))
            p11prof_tally_merge(into, &tally->groups[i]);
}

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

uint64_t p11prof_load_count(const struct p11prof_load_counts *counts)
{
    return larger(counts->count, counts->thread_count);
}

uint64_t p11prof_load_error_count(const struct p11prof_load_counts *counts)
{
    uint64_t count = p11prof_load_count(counts);
    uint64_t errors = larger(counts->error_count, counts->failed_count) + counts->wrong_count;
    return errors < count ? errors : count;
}

/* Operations of slices that did not end: they have no time to be divided by. */
static uint64_t outside_slices(const struct parts *parts)
{
    uint64_t in_slices = parts->windows.count;
    return in_slices > 0 && parts->measured.count > in_slices ? parts->measured.count - in_slices
                                                              : 0;
}

static void set_rates(const struct p11prof_table *table, struct p11prof_cell *row,
                      const struct parts *parts, uint64_t successes)
{
    const struct p11prof_cell *data_bytes = &row[p11prof_table_find(table, "data_bytes")];
    uint64_t outside = outside_slices(parts);
    uint64_t timed = successes > outside ? successes - outside : 0;
    if (parts->windows.duration_ns == 0)
        return;
    double rate = (double)timed / ((double)parts->windows.duration_ns / 1e9);
    p11prof_table_set_real(table, row, "ops_per_s", rate);
    if (data_bytes->kind == P11PROF_CELL_INTEGER)
        p11prof_table_set_real(table, row, "bytes_per_s", (double)data_bytes->integer * rate);
}

static void set_counts(const struct p11prof_table *table, struct p11prof_cell *row,
                       const struct parts *parts)
{
    const struct p11prof_bench_threads none = {.count = 0};
    const struct p11prof_bench_threads *threads = parts->narrowed ? &none : &parts->threads;
    struct p11prof_load_counts counts = {parts->measured.count, parts->measured.error_count,
                                         threads->count, threads->failed_count,
                                         threads->wrong_count};
    uint64_t count = p11prof_load_count(&counts), errors = p11prof_load_error_count(&counts);
    p11prof_table_set_integer(table, row, "count", (int64_t)count);
    p11prof_table_set_integer(table, row, "error_count", (int64_t)errors);
    p11prof_table_set_integer(table, row, "wrong_count", (int64_t)threads->wrong_count);
    set_rates(table, row, parts, count - errors);
}

static void set_cooldown(const struct p11prof_table *table, struct p11prof_cell *row,
                         struct parts *parts)
{
    struct p11prof_stats measured, cooldown;
    p11prof_tally_stats(&parts->measured, &measured);
    p11prof_tally_stats(&parts->cooldown, &cooldown);
    if (measured.count > 0 && measured.mean_ns > 0 && cooldown.count > 0)
        p11prof_table_set_real(table, row, "cooldown_change",
                               (double)cooldown.mean_ns / (double)measured.mean_ns - 1);
}

/* A percentile, which is listed as unsupported if it is. */
static void set_quantile(const struct p11prof_table *table, struct p11prof_cell *row,
                         const char *column, const struct p11prof_stats *stats,
                         enum p11prof_quantile quantile)
{
    struct p11prof_cell *before = &row[p11prof_table_find(table, "unsupported")];
    char unsupported[128];
    row[p11prof_table_find(table, column)] =
        (struct p11prof_cell){.kind = P11PROF_CELL_INTEGER,
                              .doubtful = !stats->supported[quantile],
                              .integer = (int64_t)stats->quantile_ns[quantile]};
    if (stats->supported[quantile])
        return;
    snprintf(unsupported, sizeof unsupported, "%s%s%s",
             before->kind == P11PROF_CELL_TEXT ? before->text : "",
             before->kind == P11PROF_CELL_TEXT ? " " : "", column);
    if (before->kind == P11PROF_CELL_TEXT)
        free((char *)before->text);
    p11prof_table_set_text(table, row, "unsupported", unsupported);
}

/* An open loop's latencies have their service times beside them; time in the module is of these. */
static void set_service(const struct p11prof_table *table, struct p11prof_cell *row,
                        struct p11prof_tally_group *service)
{
    struct p11prof_stats stats;
    if (service->count == 0)
        return;
    p11prof_tally_stats(service, &stats);
    p11prof_table_set_integer(table, row, "total_ns", (int64_t)service->total_ns);
    if (stats.count == 0)
        return;
    p11prof_table_set_integer(table, row, "service_mean_ns", (int64_t)stats.mean_ns);
    set_quantile(table, row, "service_p50_ns", &stats, P11PROF_P50);
    set_quantile(table, row, "service_p99_ns", &stats, P11PROF_P99);
}

/* The array per_thread of a load: the last rows of the table of threads. */
static char *threads_text(const struct p11prof_table *threads, size_t first)
{
    struct p11prof_table part = {.columns = NULL};
    p11prof_table_add_columns(&part, "thread count ops_per_s mean_ns p99_ns");
    for (size_t i = first; i < threads->row_count; i++)
        p11prof_table_copy_row(&part, p11prof_table_add_row(&part), threads, i);
    char *text = p11prof_json_text(&part);
    p11prof_table_clear(&part);
    return text;
}

/* What another tool says of the load, where nothing better is known. */
static void set_figures(const struct p11prof_table *table, struct p11prof_cell *row,
                        const struct p11prof_table *figures, int64_t load)
{
    size_t figure = 0;
    while (figure < figures->row_count &&
           p11prof_table_integer(figures, figure, "load", -1) != load)
        figure++;
    for (size_t i = 0; figure < figures->row_count && i < figures->column_count; i++) {
        const char *name = figures->columns[i].name;
        struct p11prof_cell *into = &row[p11prof_table_find(table, name)];
        if (into->kind == P11PROF_CELL_NULL)
            *into = *p11prof_table_get(figures, figure, name);
    }
}

static bool is_scheduled(const struct p11prof_table *table, const struct p11prof_cell *row)
{
    return row[p11prof_table_find(table, "rate")].kind != P11PROF_CELL_NULL;
}

static void add_row(struct p11prof_bench_results *out, const struct p11prof_table *loads,
                    size_t load, struct parts *parts, size_t first_thread,
                    const struct p11prof_table *figures)
{
    struct p11prof_table *table = &out->loads;
    struct p11prof_cell *row = p11prof_table_add_row(table);
    char *histogram = p11prof_tally_histogram(&parts->measured);
    char *threads = threads_text(&out->threads, first_thread);
    p11prof_table_copy_row(table, row, loads, load);
    p11prof_stats_row(table, row, &parts->measured);
    set_counts(table, row, parts);
    if (parts->measured.count > 0)
        set_figures(table, row, figures, p11prof_table_integer(loads, load, "load", 0));
    if (parts->narrowed) /* what never began is in no selection */
        row[p11prof_table_find(table, "missed_count")] =
            (struct p11prof_cell){.kind = P11PROF_CELL_NULL};
    set_cooldown(table, row, parts);
    set_service(table, row, &parts->service);
    if (parts->threads.contention_known &&
        !is_scheduled(table, row)) /* which thread is free is chance */
        p11prof_table_set_real(table, row, "contention", parts->threads.contention);
    p11prof_table_set_text(table, row, "histogram", histogram);
    p11prof_table_set_text(table, row, "windows", parts->windows.json);
    p11prof_table_set_text(table, row, "per_thread", threads);
    free(histogram);
    free(threads);
}

static enum p11prof_status add_load(struct p11prof_bench_results *out,
                                    const struct p11prof_scan *scan, struct sqlite3 *db,
                                    int64_t run_id, const struct p11prof_table *loads, size_t row,
                                    const struct p11prof_table *figures,
                                    struct p11prof_error *error)
{
    struct parts parts = {.narrowed = narrows(scan->selection)};
    struct p11prof_load_key key = {.run_id = run_id,
                                   .load = p11prof_table_integer(loads, row, "load", 0),
                                   .operation =
                                       p11prof_table_integer(loads, row, "operation_code", 0)};
    size_t first_thread = out->threads.row_count;
    merge(&parts.measured, &scan->loads, key, P11PROF_PHASE_MEASURED);
    merge(&parts.cooldown, &scan->loads, key, P11PROF_PHASE_COOLDOWN);
    merge(&parts.service, &scan->loads, key, P11PROF_PHASE_NONE);
    bool selected =
        parts.measured.count > 0 || !scan->selection || p11prof_selection_is_all(scan->selection);
    enum p11prof_status status = P11PROF_OK;
    if (selected)
        status = p11prof_bench_threads_load(&parts.threads, &out->threads, scan, &key, db, error);
    if (status == P11PROF_OK && selected)
        status = p11prof_bench_windows_load(&parts.windows, db, run_id, key.load, error);
    if (status == P11PROF_OK && selected)
        add_row(out, loads, row, &parts, first_thread, figures);
    p11prof_tally_group_clear(&parts.measured);
    p11prof_tally_group_clear(&parts.cooldown);
    p11prof_tally_group_clear(&parts.service);
    free(parts.windows.json);
    return status;
}

static int64_t thread_count(const struct p11prof_table *loads, size_t row)
{
    return p11prof_table_integer(loads, row, "threads", 1) *
           p11prof_table_integer(loads, row, "processes", 1);
}

static bool same_real(const struct p11prof_table *table, size_t a, size_t b, const char *column)
{
    const struct p11prof_cell *left = p11prof_table_get(table, a, column);
    const struct p11prof_cell *right = p11prof_table_get(table, b, column);
    return left->kind == right->kind &&
           (left->kind == P11PROF_CELL_NULL || left->real == right->real);
}

/* Rate of one thread with the same test, data and weight; 0 if nobody measured it. */
static double single_rate(const struct p11prof_table *loads, size_t row)
{
    const char *test = p11prof_table_text(loads, row, "test", "");
    int64_t data_bytes = p11prof_table_integer(loads, row, "data_bytes", -1);
    int64_t run_id = p11prof_table_integer(loads, row, "run_id", -1);
    for (size_t i = 0; i < loads->row_count; i++) {
        const struct p11prof_cell *rate = p11prof_table_get(loads, i, "ops_per_s");
        if (thread_count(loads, i) == 1 && !is_scheduled(loads, p11prof_table_row(loads, i)) &&
            rate->kind == P11PROF_CELL_REAL &&
            strcmp(p11prof_table_text(loads, i, "test", ""), test) == 0 &&
            p11prof_table_integer(loads, i, "data_bytes", -1) == data_bytes &&
            p11prof_table_integer(loads, i, "run_id", -1) == run_id &&
            same_real(loads, i, row, "weight"))
            return rate->real;
    }
    return 0;
}

static void set_efficiencies(const struct p11prof_table *loads)
{
    for (size_t i = 0; i < loads->row_count; i++) {
        const struct p11prof_cell *rate = p11prof_table_get(loads, i, "ops_per_s");
        int64_t threads = thread_count(loads, i);
        bool free = !is_scheduled(loads, p11prof_table_row(loads, i));
        double single = threads > 1 && free ? single_rate(loads, i) : 0;
        if (single > 0 && rate->kind == P11PROF_CELL_REAL)
            p11prof_table_set_real(loads, p11prof_table_row(loads, i), "efficiency",
                                   rate->real / ((double)threads * single));
    }
}

enum p11prof_status p11prof_bench_results_load(struct p11prof_bench_results *out,
                                               const struct p11prof_scan *scan, struct sqlite3 *db,
                                               int64_t run_id, struct p11prof_error *error)
{
    struct p11prof_table loads = {.columns = NULL}, figures = {.columns = NULL};
    if (out->loads.column_count == 0) {
        p11prof_table_add_columns(&out->loads, P11PROF_RESULT_COLUMNS);
        p11prof_table_add_columns(&out->threads, P11PROF_THREAD_COLUMNS);
    }
    enum p11prof_status status = p11prof_query_table(db, skipped_sql, run_id, &out->skipped, error);
    if (status == P11PROF_OK)
        status = p11prof_query_table(db, loads_sql, run_id, &loads, error);
    if (status == P11PROF_OK && loads.row_count > 0)
        status = p11prof_query_table(db, figures_sql, run_id, &figures, error);
    for (size_t i = 0; status == P11PROF_OK && i < loads.row_count; i++)
        status = add_load(out, scan, db, run_id, &loads, i, &figures, error);
    if (status == P11PROF_OK)
        status = p11prof_bench_suites_load(out, db, run_id, error);
    set_efficiencies(&out->loads);
    p11prof_mixes_complete(out);
    p11prof_table_clear(&figures);
    p11prof_table_clear(&loads);
    return status;
}

void p11prof_bench_results_clear(struct p11prof_bench_results *results)
{
    p11prof_table_clear(&results->loads);
    p11prof_table_clear(&results->threads);
    p11prof_table_clear(&results->suites);
    p11prof_table_clear(&results->skipped);
}

const char *p11prof_contention_word(double contention)
{
    return contention < 0.05 ? "low" : contention < 0.20 ? "moderate" : "high";
}
