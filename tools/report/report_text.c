/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "bench_text.h"
#include "page.h"
#include "run_report.h"
#include "units.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* The value of a column of the run, as text shows it, in one of a few buffers used in turn. */
static const char *shown(const struct p11prof_run_report *report, const char *name)
{
    enum { TURNS = 8 };
    static char texts[TURNS][256];
    static unsigned turn;
    char *out = texts[turn++ % TURNS];
    size_t column = p11prof_table_find(&report->run, name);
    if (column == report->run.column_count)
        return "-";
    char *text = p11prof_cell_text(&report->run.columns[column],
                                   &p11prof_table_row(&report->run, 0)[column]);
    snprintf(out, sizeof texts[0], "%s", *text ? text : "-");
    free(text);
    return out;
}

static bool known(const struct p11prof_run_report *report, const char *name)
{
    return p11prof_table_get(&report->run, 0, name)->kind != P11PROF_CELL_NULL;
}

static void print_calls(struct p11prof_page *page, const struct p11prof_run_report *report)
{
    char time[P11PROF_UNIT_TEXT_BYTES];
    p11prof_format_ns(time, report->module_ns);
    p11prof_page_fact(page, "calls", "%s, %s lost; %s in the module", shown(report, "call_count"),
                      shown(report, "lost_count"), time);
}

static void print_token(struct p11prof_page *page, const struct p11prof_run_report *report)
{
    if (known(report, "token_label") || known(report, "token_model"))
        p11prof_page_fact(page, "token", "%s: %s, serial %s, firmware %s",
                          shown(report, "token_label"), shown(report, "token_model"),
                          shown(report, "token_serial"), shown(report, "token_firmware"));
    if (known(report, "library"))
        p11prof_page_fact(page, "library", "%s, PKCS#11 %s", shown(report, "library"),
                          shown(report, "cryptoki_version"));
}

static void print_clock(struct p11prof_page *page, const struct p11prof_run_report *report)
{
    char overhead[96] = "";
    int64_t overhead_ns = -1;
    for (size_t i = 0; i < report->processes.row_count; i++) {
        int64_t ns = p11prof_table_integer(&report->processes, i, "overhead_ns", -1);
        overhead_ns = ns > overhead_ns ? ns : overhead_ns;
    }
    if (overhead_ns >= 0)
        snprintf(overhead, sizeof overhead,
                 "; each duration contains about %" PRId64 " ns of measuring", overhead_ns);
    p11prof_page_fact(page, "clock", "%s%s", shown(report, "clock"), overhead);
}

static void print_title(struct p11prof_page *page, const struct p11prof_run_report *report)
{
    p11prof_page_title(page, "Run %s%s%s (%s, %s)", shown(report, "run_id"),
                       known(report, "name") ? " " : "",
                       known(report, "name") ? shown(report, "name") : "", shown(report, "kind"),
                       shown(report, "state"));
}

static void print_measuring(struct p11prof_page *page, const struct p11prof_run_report *report)
{
    print_clock(page, report);
    p11prof_page_fact(page, "percentiles", "%s",
                      report->exact ? "exact" : "from histograms (within 0.5 %)");
}

static void print_head(struct p11prof_page *page, const struct p11prof_run_report *report)
{
    print_title(page, report);
    p11prof_page_fact(page, "program", "%s, processes: %s", shown(report, "program"),
                      shown(report, "process_count"));
    p11prof_page_fact(page, "started", "%s, %s", shown(report, "started_at"),
                      shown(report, "duration_ns"));
    print_calls(page, report);
    print_token(page, report);
    p11prof_page_fact(page, "host", "%s: %s, %s, %s CPUs, %s", shown(report, "host"),
                      shown(report, "kernel"), shown(report, "cpu"), shown(report, "cpu_count"),
                      shown(report, "memory_bytes"));
    print_measuring(page, report);
}

static void print_table(struct p11prof_page *page, const char *title,
                        const struct p11prof_table *table, const char *columns)
{
    if (table->row_count == 0)
        return;
    p11prof_page_section(page, "%s", title);
    p11prof_page_table(page, table, columns);
}

static void print_losses(struct p11prof_page *page, const struct p11prof_run_report *report)
{
    print_table(page, "Lost: counted, but without duration or result", &report->losses,
                "cause function count");
}

/* The columns of the groups, and the statistics that fit a line. */
static void print_groups(struct p11prof_page *page, const char *title,
                         const struct p11prof_table *table, bool with_kind)
{
    char columns[512] = "";
    for (size_t i = 1; strcmp(table->columns[i].name, "count") != 0; i++) {
        bool shown_column = with_kind || strcmp(table->columns[i].name, "kind") != 0;
        strcat(columns, shown_column ? table->columns[i].name : "");
        strcat(columns, " ");
    }
    strcat(columns, "count error_count share total_ns mean_ns p50_ns p95_ns p99_ns max_ns");
    print_table(page, title, table, columns);
}

static void print_rest(struct p11prof_page *page, const struct p11prof_run_report *report)
{
    print_head(page, report);
    print_groups(page, "Calls", &report->functions, false);
    print_groups(page, "Size queries, too small buffers, calls that wait", &report->others, true);
    print_table(page, "Operations", &report->operations,
                "operation mechanism key_type key_bits count error_count total_ns mean_ns p50_ns "
                "p95_ns p99_ns max_ns");
    print_table(page, "Errors", &report->errors, "function rv count mean_ns max_ns");
    print_losses(page, report);
    print_table(page, "Not returned", &report->in_flight,
                "function age_ns state program pid thread_id");
}

/* What a bench prints of itself. */
static void print_results(struct p11prof_page *page, const struct p11prof_run_report *report)
{
    const char *module = p11prof_table_text(&report->processes, 0, "module_path", NULL);
    print_title(page, report);
    if (module)
        p11prof_page_fact(page, "module", "%s", module);
    print_token(page, report);
    print_measuring(page, report);
    p11prof_bench_page(page, &report->results);
    print_losses(page, report);
}

static bool has_doubtful(const struct p11prof_table *table)
{
    for (size_t i = 0; i < table->row_count; i++)
        if (p11prof_table_get(table, i, "p95_ns")->doubtful ||
            p11prof_table_get(table, i, "p99_ns")->doubtful)
            return true;
    return false;
}

void p11prof_run_report_print(struct p11prof_page *page, const struct p11prof_run_report *report,
                              bool results_only)
{
    bool doubtful = has_doubtful(&report->results.loads) || has_doubtful(&report->results.threads);
    if (results_only) {
        print_results(page, report);
    } else {
        p11prof_bench_page(page, &report->results);
        print_rest(page, report);
        doubtful = doubtful || has_doubtful(&report->functions) || has_doubtful(&report->others) ||
                   has_doubtful(&report->operations);
    }
    if (doubtful)
        p11prof_page_paragraph(page, "~ fewer than 10 durations lie beyond this percentile");
}
