/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "allocate.h"
#include "bench_text.h"
#include "report_head.h"
#include "report_tables.h"
#include "units.h"

#include <inttypes.h>
#include <stdlib.h>

static const struct p11prof_rest no_rest = {.row_count = 0};

/* The columns that calls are grouped by. The caller frees it. */
static char *grouping_columns(const struct p11prof_report_options *options, bool with_kind)
{
    const struct p11prof_grouping *by =
        options->by.count > 0 ? &options->by : &p11prof_default_grouping;
    char *names;
    size_t bytes;
    FILE *stream = p11prof_text_open(&names, &bytes);
    for (size_t i = 0; i < by->count; i++)
        if (with_kind || by->ids[i] != P11PROF_BY_KIND)
            fprintf(stream, "%s ", p11prof_dimensions[by->ids[i]].column);
    fclose(stream);
    return names;
}

/* Keys and sessions are numbered in each process: rows of several processes are of several. */
static void print_numbering(struct p11prof_page *page, const struct p11prof_run_report *report,
                            const struct p11prof_grouping *by)
{
    bool keys = p11prof_grouping_has(by, P11PROF_BY_KEY);
    bool sessions = p11prof_grouping_has(by, P11PROF_BY_SESSION);
    if ((keys || sessions) && !p11prof_grouping_has(by, P11PROF_BY_PROCESS) &&
        report->processes.row_count > 1 && report->functions.row_count > 0)
        p11prof_page_note(page,
                          "%s%s%s are numbered in each process: a row may add up those of several; "
                          "--by process besides tells them apart",
                          keys ? "keys" : "", keys && sessions ? " and " : "",
                          sessions ? "sessions" : "");
}

static void print_calls(struct p11prof_report_tables *tables,
                        const struct p11prof_run_report *report,
                        const struct p11prof_report_options *options)
{
    char *identity = grouping_columns(options, false);
    p11prof_report_table_print(
        tables, &(struct p11prof_report_table){
                    "Calls", &report->functions, identity,
                    "count error_count share mean_ns p50_ns p90_ns p95_ns p99_ns p999_ns max_ns",
                    &report->rest.functions});
    print_numbering(tables->page, report, &options->by);
    free(identity);
}

/* "size queries 0.2 %, too small buffers <0.1 % of the time in the module; waiting 4.00 s" */
static void print_cost_of_others(struct p11prof_page *page, const struct p11prof_table *times)
{
    static const struct {
        const char *column, *name;
    } kinds[] = {{"size_query_ns", "size queries"}, {"too_small_ns", "too small buffers"}};
    char *text, number[P11PROF_UNIT_TEXT_BYTES];
    size_t bytes;
    int64_t total_ns = p11prof_table_integer(times, 0, "total_ns", 0);
    int64_t blocking_ns = p11prof_table_integer(times, 0, "blocking_ns", 0);
    FILE *stream = p11prof_text_open(&text, &bytes);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        int64_t ns = p11prof_table_integer(times, 0, kinds[i].column, 0);
        if (ns <= 0)
            continue;
        p11prof_format_share(number, total_ns > 0 ? (double)ns / (double)total_ns : 0);
        fprintf(stream, "%s%s %s", ftell(stream) > 0 ? ", " : "", kinds[i].name, number);
    }
    if (ftell(stream) > 0)
        fputs(" of the time in the module", stream);
    if (blocking_ns > 0) {
        p11prof_format_ns(number, (uint64_t)blocking_ns);
        fprintf(stream, "%swaits %s, in no share", ftell(stream) > 0 ? "; " : "", number);
    }
    fclose(stream);
    if (bytes > 0)
        p11prof_page_note(page, "%s", text);
    free(text);
}

static void print_others(struct p11prof_report_tables *tables,
                         const struct p11prof_run_report *report,
                         const struct p11prof_report_options *options)
{
    char *identity = grouping_columns(options, true);
    p11prof_report_table_print(
        tables, &(struct p11prof_report_table){
                    "Size queries, too small buffers, calls that wait", &report->others, identity,
                    "count error_count share total_ns mean_ns max_ns", &report->rest.others});
    free(identity);
    if (report->others.row_count > 0)
        print_cost_of_others(tables->page, &report->times);
}

/* Whether a rate of bytes says anything: an operation works on a KB or more, not on a hash. */
static bool has_throughput(const struct p11prof_table *operations)
{
    for (size_t i = 0; i < operations->row_count; i++) {
        int64_t kilobytes = 1024 * p11prof_table_integer(operations, i, "count", 1);
        if (p11prof_table_integer(operations, i, "in_bytes", 0) >= kilobytes ||
            p11prof_table_integer(operations, i, "out_bytes", 0) >= kilobytes)
            return true;
    }
    return false;
}

static void print_operations(struct p11prof_report_tables *tables,
                             const struct p11prof_run_report *report)
{
    bool bytes = has_throughput(&report->operations);
    p11prof_report_table_print(
        tables,
        &(struct p11prof_report_table){
            "Operations", &report->operations, "operation mechanism key_type key_bits",
            bytes ? "count error_count ops_per_s bytes_per_s mean_ns p50_ns p90_ns p95_ns p99_ns "
                    "p999_ns max_ns"
                  : "count error_count ops_per_s mean_ns p50_ns p90_ns p95_ns p99_ns p999_ns "
                    "max_ns",
            &report->rest.operations});
}

/* Errors, losses and calls that have not returned; those of several runs stay apart. */
static void print_troubles(struct p11prof_report_tables *tables,
                           const struct p11prof_run_report *report)
{
    bool several = report->run.row_count > 1;
    const struct p11prof_report_table troubles[] = {
        {"Errors", &report->errors, several ? "run_id function rv" : "function rv",
         "count mean_ns max_ns meaning", &report->rest.errors},
        {report->selected ? "Lost of the whole run: counted, but without duration or result"
                          : "Lost: counted, but without duration or result",
         &report->losses, several ? "run_id cause function" : "cause function", "count",
         &report->rest.losses},
        {"Not returned", &report->in_flight, several ? "run_id function" : "function",
         "age_ns state program pid thread_id", &report->rest.in_flight},
    };
    for (size_t i = 0; i < sizeof troubles / sizeof troubles[0]; i++)
        p11prof_report_table_print(tables, &troubles[i]);
}

static void print_unknown(struct p11prof_page *page, const struct p11prof_run_report *report)
{
    if (report->calls_unknown || report->operations_unknown)
        p11prof_page_paragraph(page,
                               "%s: they are not kept one by one, and histograms do not tell "
                               "apart what is selected",
                               report->calls_unknown ? "Calls are unknown"
                                                     : "Operations are unknown");
    else if (report->functions.row_count + report->others.row_count +
                 report->operations.row_count ==
             0)
        p11prof_page_paragraph(page, "No PKCS#11 call was recorded.");
}

static void print_objectives(struct p11prof_page *page, const struct p11prof_run_report *report)
{
    if (report->objectives.row_count == 0)
        return;
    p11prof_page_section(page, "Objectives");
    p11prof_page_table(page, &report->objectives, "objective value limit missed_by verdict");
}

static void print_rest(struct p11prof_report_tables *tables,
                       const struct p11prof_run_report *report,
                       const struct p11prof_report_options *options)
{
    p11prof_report_head(tables->page, report);
    print_objectives(tables->page, report);
    print_unknown(tables->page, report);
    print_calls(tables, report, options);
    print_operations(tables, report);
    print_others(tables, report, options);
    print_troubles(tables, report);
}

static bool has_doubtful(const struct p11prof_table *table)
{
    for (size_t i = 0; i < table->row_count; i++)
        if (p11prof_table_get(table, i, "p95_ns")->doubtful ||
            p11prof_table_get(table, i, "p99_ns")->doubtful)
            return true;
    return false;
}

static void print_insights(struct p11prof_page *page, const struct p11prof_run_report *report,
                           const struct p11prof_report_options *options)
{
    for (size_t i = 0; i < P11PROF_INSIGHTS; i++)
        p11prof_section_print(page, &report->insights[i], options->top);
    if (report->uninspected_count > 0)
        p11prof_page_paragraph(page,
                               "Advice, concurrency, latency and trend of %" PRIu64
                               " calls: --sections advice,concurrency,latency,history",
                               report->uninspected_count);
}

/* The sections that were asked for, alone. */
static void print_asked(struct p11prof_page *page, const struct p11prof_run_report *report,
                        const struct p11prof_report_options *options)
{
    bool any = false;
    for (size_t i = 0; i < P11PROF_INSIGHTS; i++)
        any = any || p11prof_section_has(&report->insights[i]);
    p11prof_report_head(page, report);
    if (report->run.row_count > 1)
        p11prof_page_paragraph(page, "--sections takes one run at a time.");
    else if (!any)
        p11prof_page_paragraph(page, "There is nothing to say of what was asked for.");
    print_insights(page, report, options);
}

void p11prof_run_report_print(struct p11prof_page *page, const struct p11prof_run_report *report,
                              const struct p11prof_report_options *options)
{
    struct p11prof_report_tables tables = {
        .page = page,
        .chosen = options->columns,
        .module_ns = (uint64_t)p11prof_table_integer(&report->times, 0, "total_ns", 0),
        .doubtful = has_doubtful(&report->results.loads) || has_doubtful(&report->results.threads)};
    if (options->insights)
        return print_asked(page, report, options);
    if (options->results_only)
        p11prof_report_results_head(page, report);
    p11prof_ramp_page(page, &report->ramps, &options->chart);
    p11prof_bench_page(page, &report->results);
    p11prof_stress_page(page, &report->stress, !options->intervals_said);
    if (options->results_only)
        p11prof_report_table_print(
            &tables,
            &(struct p11prof_report_table){"Lost: counted, but without duration or result",
                                           &report->losses, "cause function", "count", &no_rest});
    else
        print_rest(&tables, report, options);
    if (!page->take)
        print_insights(page, report, options);
    p11prof_report_tables_end(&tables);
}
