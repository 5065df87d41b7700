/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "output.h"

#include "../chart_options.h"
#include "../message.h"
#include "../output_file.h"
#include "../report/allocate.h"
#include "../report/metrics.h"
#include "../report/run_report.h"

#include <cjson/cJSON.h>
#include <stdlib.h>

int output_check(const struct bench_settings *settings)
{
    struct output_file file;
    int code = output_file_open(&file, settings->output);
    if (code == 0)
        output_file_discard(&file);
    return code;
}

/* One table in the format that was asked for. */
static int table_write(const struct bench_settings *settings, const struct p11prof_table *table)
{
    struct output_file file;
    int code = output_file_open(&file, settings->output);
    if (code)
        return code;
    struct p11prof_writer writer = {.stream = file.stream,
                                    .format = settings->format,
                                    .width_limit = p11prof_terminal_width(file.stream)};
    p11prof_writer_rows(&writer, table);
    p11prof_writer_end(&writer, table);
    return output_file_close(&file);
}

int output_tests(struct bench_run *run)
{
    struct p11prof_table table = {.columns = NULL};
    char reason[512];
    size_t count;
    const struct p11prof_bench_test *tests = p11prof_bench_tests(&count);
    p11prof_table_add_columns(&table, "test name offered reason");
    for (size_t i = 0; i < count && !run->signal_number; i++) {
        struct p11prof_cell *row = p11prof_table_add_row(&table);
        bool offered = run_offers(run, &tests[i], reason, sizeof reason);
        p11prof_table_set_text(&table, row, "test", tests[i].id);
        p11prof_table_set_text(&table, row, "name", tests[i].name);
        p11prof_table_set_text(&table, row, "offered", offered ? "yes" : "no");
        if (!offered)
            p11prof_table_set_text(&table, row, "reason", reason);
    }
    int code = table_write(run->settings, &table);
    p11prof_table_clear(&table);
    return code;
}

int output_plan(struct bench_run *run)
{
    struct p11prof_table table = {.columns = NULL};
    bool rate = false, think_time = false;
    for (size_t i = 0; i < run->schedule.load_count; i++) {
        rate = rate || run->schedule.loads[i].rate > 0;
        think_time = think_time || run->schedule.loads[i].think_time_ns > 0;
    }
    p11prof_table_add_columns(&table, "test data_bytes threads processes");
    p11prof_table_add_columns(&table, rate ? "rate" : "");
    p11prof_table_add_columns(&table, think_time ? "think_time_ns" : "");
    p11prof_table_add_columns(&table, "slices iteration_ns");
    for (size_t i = 0; i < run->schedule.load_count; i++) {
        const struct bench_load *load = &run->schedule.loads[i];
        if (!load->ready)
            continue;
        struct p11prof_cell *row = p11prof_table_add_row(&table);
        p11prof_table_set_text(&table, row, "test", load->test.id);
        if (load->data_bytes)
            p11prof_table_set_integer(&table, row, "data_bytes", (int64_t)load->data_bytes);
        p11prof_table_set_integer(&table, row, "threads", load->threads);
        p11prof_table_set_integer(&table, row, "processes", load->processes);
        if (load->rate > 0)
            p11prof_table_set_real(&table, row, "rate",
                                   load->mix ? load->rate * load->weight : load->rate);
        if (load->think_time_ns > 0)
            p11prof_table_set_integer(&table, row, "think_time_ns", (int64_t)load->think_time_ns);
        p11prof_table_set_integer(&table, row, "slices", load->slices);
        p11prof_table_set_integer(&table, row, "iteration_ns", (int64_t)load->iteration_ns);
    }
    int code = table_write(run->settings, &table);
    p11prof_table_clear(&table);
    return code;
}

void output_estimate(const struct bench_run *run)
{
    double seconds = (double)run->schedule.planned_ns / 1e9;
    if (run->settings->quiet)
        return;
    p11prof_note("%s%zu test%s in %zu slice%s, about %.0f %s",
                 run->schedule.mix_count > 0 ? "a mix: " : "", run->ready_count,
                 run->ready_count == 1 ? "" : "s", run->schedule.slice_count,
                 run->schedule.slice_count == 1 ? "" : "s", seconds < 120 ? seconds : seconds / 60,
                 seconds < 120 ? "s" : "minutes");
    p11prof_note("own work: %llu ns an operation, outside the measured durations",
                 (unsigned long long)run->own_cost_ns);
}

/* Each run has a report of its own. */
static enum p11prof_status reports_write(FILE *stream, const struct bench_settings *settings,
                                         struct sqlite3 *db, const int64_t *run_ids, size_t count,
                                         struct p11prof_error *error)
{
    static const struct p11prof_chart_options usual = {.width = 0};
    const struct p11prof_report_options options = {
        .results_only = true,
        .chart = p11prof_chart_style_choose(&usual, stream, settings->format),
        .intervals_said = !settings->output && settings->format == P11PROF_FORMAT_TEXT};
    struct p11prof_run_set *sets = p11prof_zalloc(count, sizeof *sets);
    for (size_t i = 0; i < count; i++)
        sets[i] = (struct p11prof_run_set){.run_ids = &run_ids[i], .run_count = 1};
    enum p11prof_status status =
        p11prof_report_run(stream, db, sets, count, settings->format, &options, error);
    free(sets);
    return status;
}

/* The runs in the database that they went to. */
static enum p11prof_status results_write(FILE *stream, const struct bench_settings *settings,
                                         const char *db, const int64_t *run_ids, size_t count,
                                         struct p11prof_error *error)
{
    struct p11prof_store *store;
    enum p11prof_status status = p11prof_store_open(&store, db, P11PROF_STORE_READ_ONLY, error);
    if (status == P11PROF_OK && settings->metrics)
        status =
            p11prof_metrics_write(stream, p11prof_store_sqlite(store), run_ids, count, true, error);
    else if (status == P11PROF_OK)
        status =
            reports_write(stream, settings, p11prof_store_sqlite(store), run_ids, count, error);
    p11prof_store_close(store);
    return status;
}

int output_results(const struct bench_settings *settings, const char *db, const int64_t *run_ids,
                   size_t count)
{
    struct output_file file;
    struct p11prof_error error;
    int code = output_file_open(&file, settings->output);
    if (code)
        return code;
    if (results_write(file.stream, settings, db, run_ids, count, &error) != P11PROF_OK) {
        output_file_discard(&file);
        return p11prof_complain_of(&error);
    }
    return output_file_close(&file);
}
