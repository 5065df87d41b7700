/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "allocate.h"
#include "run_report.h"
#include "safe_text.h"
#include "units.h"
#include "writer.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define LINE "  %-12s"

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

static void print_calls(FILE *stream, const struct p11prof_run_report *report)
{
    char time[P11PROF_UNIT_TEXT_BYTES];
    p11prof_format_ns(time, report->module_ns);
    fprintf(stream, LINE "%s, %s lost; %s in the module\n", "calls", shown(report, "call_count"),
            shown(report, "lost_count"), time);
}

static void print_token(FILE *stream, const struct p11prof_run_report *report)
{
    if (known(report, "token_label") || known(report, "token_model"))
        fprintf(stream, LINE "%s: %s, serial %s, firmware %s\n", "token",
                shown(report, "token_label"), shown(report, "token_model"),
                shown(report, "token_serial"), shown(report, "token_firmware"));
    if (known(report, "library"))
        fprintf(stream, LINE "%s, PKCS#11 %s\n", "library", shown(report, "library"),
                shown(report, "cryptoki_version"));
}

static void print_clock(FILE *stream, const struct p11prof_run_report *report)
{
    int64_t overhead_ns = -1;
    fprintf(stream, LINE "%s", "clock", shown(report, "clock"));
    for (size_t i = 0; i < report->processes.row_count; i++) {
        int64_t ns = p11prof_table_integer(&report->processes, i, "overhead_ns", -1);
        overhead_ns = ns > overhead_ns ? ns : overhead_ns;
    }
    if (overhead_ns >= 0)
        fprintf(stream, "; each duration contains about %" PRId64 " ns of measuring", overhead_ns);
    putc('\n', stream);
}

static void print_head(FILE *stream, const struct p11prof_run_report *report)
{
    fprintf(stream, "Run %s%s%s (%s, %s)\n", shown(report, "run_id"),
            known(report, "name") ? " " : "", known(report, "name") ? shown(report, "name") : "",
            shown(report, "kind"), shown(report, "state"));
    fprintf(stream, LINE "%s, processes: %s\n", "program", shown(report, "program"),
            shown(report, "process_count"));
    fprintf(stream, LINE "%s, %s\n", "started", shown(report, "started_at"),
            shown(report, "duration_ns"));
    print_calls(stream, report);
    print_token(stream, report);
    fprintf(stream, LINE "%s: %s, %s, %s CPUs, %s\n", "host", shown(report, "host"),
            shown(report, "kernel"), shown(report, "cpu"), shown(report, "cpu_count"),
            shown(report, "memory_bytes"));
    print_clock(stream, report);
    fprintf(stream, LINE "%s\n", "percentiles",
            report->exact ? "exact" : "from histograms (within 0.5 %)");
}

static void print_table(FILE *stream, const char *title, const struct p11prof_table *table,
                        const char *columns)
{
    struct p11prof_table part = {0};
    if (table->row_count == 0)
        return;
    p11prof_table_select(&part, table, columns);
    fprintf(stream, "\n%s\n", title);
    p11prof_write_text_table(stream, &part, "  ");
    p11prof_table_clear(&part);
}

/* The columns of the groups, and the statistics that fit a line. */
static void print_groups(FILE *stream, const char *title, const struct p11prof_table *table,
                         bool with_kind)
{
    char columns[512] = "";
    for (size_t i = 1; strcmp(table->columns[i].name, "count") != 0; i++) {
        bool shown_column = with_kind || strcmp(table->columns[i].name, "kind") != 0;
        strcat(columns, shown_column ? table->columns[i].name : "");
        strcat(columns, " ");
    }
    strcat(columns, "count error_count share total_ns mean_ns p50_ns p95_ns p99_ns max_ns");
    print_table(stream, title, table, columns);
}

static bool has_doubtful(const struct p11prof_table *table)
{
    for (size_t i = 0; i < table->row_count; i++)
        if (p11prof_table_get(table, i, "p95_ns")->doubtful ||
            p11prof_table_get(table, i, "p99_ns")->doubtful)
            return true;
    return false;
}

void p11prof_run_report_print(FILE *stream, const struct p11prof_run_report *report)
{
    print_head(stream, report);
    print_groups(stream, "Calls", &report->functions, false);
    print_groups(stream, "Size queries, too small buffers, calls that wait", &report->others, true);
    print_table(stream, "Operations", &report->operations,
                "operation mechanism key_type key_bits count error_count total_ns mean_ns p50_ns "
                "p95_ns p99_ns max_ns");
    print_table(stream, "Errors", &report->errors, "function rv count mean_ns max_ns");
    print_table(stream, "Lost: counted, but without duration or result", &report->losses,
                "cause function count");
    print_table(stream, "Not returned", &report->in_flight,
                "function age_ns state program pid thread_id");
    if (has_doubtful(&report->functions) || has_doubtful(&report->others) ||
        has_doubtful(&report->operations))
        fputs("\n~ fewer than 10 durations lie beyond this percentile\n", stream);
}
