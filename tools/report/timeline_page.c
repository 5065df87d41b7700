/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "imported.h"
#include "run_report.h"
#include "timeline_draw.h"
#include "timeline_load.h"
#include "units.h"

#include <cjson/cJSON.h>
#include <inttypes.h>

static const char columns_of_time[] =
    "run_id start_ns duration_ns count error_count ops_per_s in_flight p50_ns p99_ns max_ns";
static const char columns_of_loads[] =
    "run_id test load threads processes data_bytes first_operation count error_count p50_ns "
    "p99_ns max_ns";

static void print_title(struct p11prof_page *page, const struct p11prof_table *run)
{
    const char *name = p11prof_table_text(run, 0, "name", NULL);
    p11prof_page_title(page, "Run %" PRId64 "%s%s (%s, %s), started %s",
                       p11prof_table_integer(run, 0, "run_id", 0), name ? " " : "",
                       name ? name : "", p11prof_table_text(run, 0, "kind", "-"),
                       p11prof_table_text(run, 0, "state", "-"),
                       p11prof_table_text(run, 0, "started_at", "-"));
}

static void print_chart(struct p11prof_page *page, const struct p11prof_run_timelines *timelines,
                        size_t index, const struct p11prof_chart_style *style)
{
    bool markdown = page->format == P11PROF_FORMAT_MARKDOWN;
    struct p11prof_canvas canvas;
    if (timelines->by_iteration)
        p11prof_iterations_draw(&canvas, &timelines->timelines[index], style);
    else
        p11prof_timeline_draw(&canvas, &timelines->timelines[index], style);
    fputs(markdown ? "\n```text\n" : "", page->stream);
    p11prof_canvas_print(&canvas, page->stream, style);
    fputs(markdown ? "```\n\n" : "", page->stream);
    page->blank = markdown;
    p11prof_canvas_clear(&canvas);
}

static uint64_t count_of(const struct p11prof_timeline *timeline)
{
    uint64_t count = 0;
    for (size_t i = 0; i < timeline->count; i++)
        count += timeline->steps[i].count;
    return count;
}

static void print_calls(struct p11prof_page *page, const struct p11prof_run_timelines *timelines,
                        const struct p11prof_chart_style *style)
{
    char step[P11PROF_UNIT_TEXT_BYTES], format[32];
    p11prof_format_round_ns(step, timelines->timelines[0].step_ns, 5);
    p11prof_page_fact(page, "calls", "%" PRIu64 ", in steps of %s%s",
                      count_of(&timelines->timelines[0]), step,
                      timelines->of_windows ? ": windows of time are all that is kept" : "");
    if (p11prof_imported_from(p11prof_table_text(&timelines->run, 0, "options", NULL), format,
                              sizeof format) &&
        !p11prof_timeline_is_timed(&timelines->timelines[0]))
        p11prof_page_fact(page, "latency", "no durations: imported from %s", format);
    print_chart(page, timelines, 0, style);
}

static void print_load(struct p11prof_page *page, const struct p11prof_run_timelines *timelines,
                       size_t index, const struct p11prof_chart_style *style)
{
    const struct p11prof_table *loads = &timelines->loads;
    int64_t threads = p11prof_table_integer(loads, index, "threads", 1);
    p11prof_page_section(page, "%s, %s", p11prof_table_text(loads, index, "test", "-"),
                         p11prof_table_text(loads, index, "name", "-"));
    p11prof_page_fact(page, "operations", "%" PRIu64 ", in steps of %" PRIu64 "; threads: %" PRId64,
                      count_of(&timelines->timelines[index]), timelines->timelines[index].step_ns,
                      threads * p11prof_table_integer(loads, index, "processes", 1));
    print_chart(page, timelines, index, style);
}

void p11prof_run_timelines_page(struct p11prof_page *page,
                                const struct p11prof_run_timelines *timelines,
                                const struct p11prof_chart_style *style)
{
    print_title(page, &timelines->run);
    if (!timelines->by_iteration)
        print_calls(page, timelines, style);
    for (size_t i = 0; timelines->by_iteration && i < timelines->count; i++)
        print_load(page, timelines, i, style);
}

static void add_time(const struct p11prof_table *table, struct p11prof_cell *row,
                     const struct p11prof_timeline *timeline, size_t step, bool timed)
{
    p11prof_table_set_integer(table, row, "start_ns",
                              (int64_t)(timeline->start_ns + step * timeline->step_ns));
    p11prof_table_set_integer(table, row, "duration_ns",
                              (int64_t)p11prof_timeline_step_ns(timeline, step));
    p11prof_table_set_real(table, row, "ops_per_s", p11prof_timeline_rate(timeline, step));
    if (timed)
        p11prof_table_set_real(table, row, "in_flight", p11prof_timeline_in_flight(timeline, step));
}

static void add_step(const struct p11prof_table *table, const struct p11prof_run_timelines *from,
                     size_t index, size_t step, bool timed, struct p11prof_cell *row)
{
    const struct p11prof_timeline *timeline = &from->timelines[index];
    const struct p11prof_timeline_step *at = &timeline->steps[step];
    struct p11prof_stats stats;
    p11prof_stats_of_buckets(&stats, &at->sums, &at->buckets);
    if (from->by_iteration) {
        p11prof_table_copy_row(table, row, &from->loads, index);
        p11prof_table_set_integer(table, row, "first_operation",
                                  (int64_t)(step * timeline->step_ns + 1));
    } else {
        p11prof_table_set_integer(table, row, "run_id",
                                  p11prof_table_integer(&from->run, 0, "run_id", 0));
        add_time(table, row, timeline, step, timed);
    }
    p11prof_table_set_integer(table, row, "count", (int64_t)at->count);
    p11prof_table_set_integer(table, row, "error_count", (int64_t)at->error_count);
    if (stats.count == 0)
        return;
    p11prof_table_set_integer(table, row, "p50_ns", (int64_t)stats.quantile_ns[P11PROF_P50]);
    p11prof_table_set_integer(table, row, "p99_ns", (int64_t)stats.quantile_ns[P11PROF_P99]);
    p11prof_table_set_integer(table, row, "max_ns", (int64_t)stats.max_ns);
}

void p11prof_run_timelines_table(struct p11prof_table *out,
                                 const struct p11prof_run_timelines *timelines)
{
    p11prof_table_add_columns(out, timelines->by_iteration ? columns_of_loads : columns_of_time);
    for (size_t i = 0; i < timelines->count; i++) {
        bool timed = p11prof_timeline_is_timed(&timelines->timelines[i]);
        for (size_t step = 0; step < timelines->timelines[i].count; step++)
            add_step(out, timelines, i, step, timed, p11prof_table_add_row(out));
    }
}

void p11prof_run_timelines_csv(FILE *stream, const struct p11prof_run_timelines *timelines)
{
    struct p11prof_table table = {.columns = NULL};
    p11prof_run_timelines_table(&table, timelines);
    p11prof_write_table(stream, &table, P11PROF_FORMAT_CSV);
    p11prof_table_clear(&table);
}

void p11prof_run_timelines_json(FILE *stream, const struct p11prof_run_timelines *timelines)
{
    struct p11prof_table table = {.columns = NULL};
    cJSON *document = cJSON_CreateObject();
    p11prof_run_timelines_table(&table, timelines);
    cJSON_AddStringToObject(document, "schema", "p11prof/timeline/v1");
    cJSON_AddStringToObject(document, "source", timelines->of_windows ? "windows" : "calls");
    cJSON_AddItemToObject(document, "steps", p11prof_json_rows(&table));
    p11prof_document_print(stream, document);
    cJSON_Delete(document);
    p11prof_table_clear(&table);
}
