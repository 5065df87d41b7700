/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "report_head.h"
#include "units.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { VALUES_MAX = 3 };

static bool stands_before(const struct p11prof_table *table, size_t row, size_t column,
                          const char *text)
{
    for (size_t i = 0; i < row; i++) {
        char *other =
            p11prof_cell_text(&table->columns[column], &p11prof_table_row(table, i)[column]);
        bool same = strcmp(other, text) == 0;
        free(other);
        if (same)
            return true;
    }
    return false;
}

/* The values of a column of the runs, as text shows them, each once: in one of a few buffers used
 * in turn. */
static const char *shown(const struct p11prof_run_report *report, const char *name)
{
    enum { TURNS = 8, BYTES = 256 };
    static char texts[TURNS][BYTES];
    static unsigned turn;
    char *out = texts[turn++ % TURNS];
    const struct p11prof_table *runs = &report->run;
    size_t column = p11prof_table_find(runs, name), count = 0;
    strcpy(out, "-");
    for (size_t i = 0; i < runs->row_count && column < runs->column_count; i++) {
        const struct p11prof_cell *cell = &p11prof_table_row(runs, i)[column];
        char *text = p11prof_cell_text(&runs->columns[column], cell);
        size_t used = count > 0 ? strlen(out) : 0;
        if (*text && cell->kind != P11PROF_CELL_NULL && !stands_before(runs, i, column, text) &&
            ++count <= VALUES_MAX + 1)
            snprintf(out + used, BYTES - used, "%s%s", count > 1 ? ", " : "",
                     count > VALUES_MAX ? "…" : text);
        free(text);
    }
    return out;
}

static bool known(const struct p11prof_run_report *report, const char *name)
{
    return strcmp(shown(report, name), "-") != 0;
}

static int64_t sum(const struct p11prof_table *table, const char *column)
{
    int64_t total = 0;
    for (size_t i = 0; i < table->row_count; i++)
        total += p11prof_table_integer(table, i, column, 0);
    return total;
}

static bool is_recording(const struct p11prof_run_report *report)
{
    for (size_t i = 0; i < report->run.row_count; i++)
        if (strcmp(p11prof_table_text(&report->run, i, "state", ""), "running") == 0)
            return true;
    return false;
}

static void print_title(struct p11prof_page *page, const struct p11prof_run_report *report)
{
    bool several = report->run.row_count > 1, named = known(report, "name");
    p11prof_page_title(page, "Run%s %s%s%s%s (%s, %s)", several ? "s" : "", shown(report, "run_id"),
                       named ? (several ? ": " : " ") : "", named ? shown(report, "name") : "",
                       several ? ", taken together" : "", shown(report, "kind"),
                       shown(report, "state"));
    if (is_recording(report))
        p11prof_page_fact(page, "state", "still being recorded: what is here so far");
}

static void print_calls(struct p11prof_page *page, const struct p11prof_run_report *report)
{
    char rate[P11PROF_UNIT_TEXT_BYTES];
    int64_t calls = p11prof_table_integer(&report->times, 0, "call_count", 0);
    int64_t lost = sum(&report->run, "lost_count");
    const struct p11prof_cell *per_s = p11prof_table_get(&report->times, 0, "calls_per_s");
    p11prof_format_rate(rate, per_s->kind == P11PROF_CELL_REAL ? per_s->real : 0);
    if (report->selected && report->calls_unknown)
        p11prof_page_fact(page, "calls", "unknown of %" PRId64 ", %" PRId64 " lost", calls, lost);
    else if (report->selected)
        p11prof_page_fact(page, "calls", "%" PRId64 " of %" PRId64 ", %" PRId64 " lost",
                          p11prof_table_integer(&report->times, 0, "count", 0) + report->wait_count,
                          calls, lost);
    else
        p11prof_page_fact(page, "calls", "%" PRId64 ", %" PRId64 " lost%s%s%s", calls, lost,
                          per_s->kind == P11PROF_CELL_REAL ? "; " : "",
                          per_s->kind == P11PROF_CELL_REAL ? rate : "",
                          per_s->kind == P11PROF_CELL_REAL ? "/s" : "");
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

/* "0.3 %": part of the time in the module that is the measuring itself; "" if it is unknown. */
static void measuring_share(char *out, const struct p11prof_table *times)
{
    int64_t measuring_ns = p11prof_table_integer(times, 0, "measuring_ns", -1);
    int64_t total_ns = p11prof_table_integer(times, 0, "total_ns", 0);
    out[0] = '\0';
    if (measuring_ns >= 0 && total_ns > 0)
        p11prof_format_share(out, (double)measuring_ns / (double)total_ns);
}

/* Nothing was measured in a run of an imported log. */
static bool is_untimed(const struct p11prof_run_report *report)
{
    const struct p11prof_table *times = &report->times;
    return p11prof_table_integer(times, 0, "count", 0) > 0 &&
           p11prof_table_get(times, 0, "total_ns")->kind == P11PROF_CELL_NULL;
}

static void print_measuring(struct p11prof_page *page, const struct p11prof_run_report *report)
{
    char overhead[128] = "", share[P11PROF_UNIT_TEXT_BYTES];
    int64_t overhead_ns = p11prof_table_integer(&report->times, 0, "overhead_ns", -1);
    measuring_share(share, &report->times);
    if (overhead_ns >= 0)
        snprintf(overhead, sizeof overhead,
                 "; each duration contains about %" PRId64 " ns of measuring%s%s%s", overhead_ns,
                 *share ? " (" : "", share, *share ? " of the time in the module)" : "");
    if (is_untimed(report))
        return;
    p11prof_page_fact(page, "clock", "%s%s", shown(report, "clock"), overhead);
    p11prof_page_fact(page, "percentiles", "%s",
                      report->exact ? "exact" : "from histograms (within 0.5 %)");
}

static void print_started(struct p11prof_page *page, const struct p11prof_run_report *report)
{
    char duration[P11PROF_UNIT_TEXT_BYTES];
    if (!known(report, "duration_ns")) {
        p11prof_page_fact(page, "started", "%s", shown(report, "started_at"));
        return;
    }
    int64_t duration_ns = p11prof_table_integer(&report->times, 0, "duration_ns", 0);
    p11prof_format_ns(duration, (uint64_t)(duration_ns > 0 ? duration_ns : 0));
    p11prof_page_fact(page, "started", "%s, %s%s", shown(report, "started_at"), duration,
                      report->run.row_count > 1 ? " together" : "");
}

void p11prof_report_head(struct p11prof_page *page, const struct p11prof_run_report *report)
{
    print_title(page, report);
    p11prof_page_fact(page, "program", "%s, processes: %" PRId64, shown(report, "program"),
                      sum(&report->run, "process_count"));
    print_started(page, report);
    if (report->selected)
        p11prof_page_fact(page, "only", "%s: all below is of that", report->selection);
    print_calls(page, report);
    p11prof_report_times(page, report);
    print_token(page, report);
    p11prof_page_fact(page, "host", "%s: %s, %s, %s CPUs, %s", shown(report, "host"),
                      shown(report, "kernel"), shown(report, "cpu"), shown(report, "cpu_count"),
                      shown(report, "memory_bytes"));
    print_measuring(page, report);
}

void p11prof_report_results_head(struct p11prof_page *page, const struct p11prof_run_report *report)
{
    const char *module = p11prof_table_text(&report->processes, 0, "module_path", NULL);
    print_title(page, report);
    if (module)
        p11prof_page_fact(page, "module", "%s", module);
    print_token(page, report);
    print_measuring(page, report);
}
