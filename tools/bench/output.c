/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "output.h"

#include "../commands.h"
#include "../message.h"
#include "../report/run_report.h"
#include "../report/units.h"
#include "output_file.h"

#include <cjson/cJSON.h>
#include <string.h>

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
    p11prof_table_add_columns(&table, "test data_bytes threads processes slices iteration_ns");
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
        p11prof_table_set_integer(&table, row, "slices", load->slices);
        p11prof_table_set_integer(&table, row, "iteration_ns", (int64_t)load->iteration_ns);
    }
    int code = table_write(run->settings, &table);
    p11prof_table_clear(&table);
    output_estimate(run);
    return code;
}

void output_estimate(const struct bench_run *run)
{
    double seconds = (double)run->schedule.planned_ns / 1e9;
    if (run->settings->quiet)
        return;
    p11prof_note("%zu tests in %zu slices, about %.0f %s", run->ready_count,
                 run->schedule.slice_count, seconds < 120 ? seconds : seconds / 60,
                 seconds < 120 ? "s" : "minutes");
    p11prof_note("own work: %llu ns an operation, outside the measured durations",
                 (unsigned long long)run->own_cost_ns);
}

int output_results(struct bench_run *run, int code)
{
    struct output_file file;
    struct p11prof_run_report report = {.module_ns = 0};
    const struct p11prof_report_options options = {.top = 0};
    struct p11prof_error error;
    int failed = output_file_open(&file, run->settings->output);
    if (failed)
        return failed;
    if (p11prof_run_report_load(&report, p11prof_store_sqlite(run->recording.store),
                                run->recording.run_id, &options, &error) != P11PROF_OK)
        failed = p11prof_complain_of(&error);
    else
        p11prof_run_report_print(file.stream, &report);
    p11prof_run_report_clear(&report);
    int closed = output_file_close(&file);
    return failed ? failed : closed ? closed : code;
}
