/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "allocate.h"
#include "imported.h"
#include "report_head.h"
#include "units.h"

#include <inttypes.h>
#include <stdlib.h>

static void write_ns(FILE *stream, const char *before, int64_t ns, const char *after)
{
    char text[P11PROF_UNIT_TEXT_BYTES];
    p11prof_format_ns(text, (uint64_t)(ns > 0 ? ns : 0));
    fprintf(stream, "%s%s%s", before, text, after);
}

static int64_t count_lost(const struct p11prof_table *runs)
{
    int64_t lost = 0;
    for (size_t i = 0; i < runs->row_count; i++)
        lost += p11prof_table_integer(runs, i, "lost_count", 0);
    return lost;
}

/* "27.1 ms in the module (16.3 % of the time of 8 threads), 139 ms between calls" */
static void write_threads(FILE *stream, const struct p11prof_table *times)
{
    char share[P11PROF_UNIT_TEXT_BYTES];
    int64_t threads = p11prof_table_integer(times, 0, "thread_count", 0);
    int64_t in_module_ns = p11prof_table_integer(times, 0, "in_module_ns", 0);
    int64_t waiting_ns = p11prof_table_integer(times, 0, "waiting_ns", 0);
    int64_t between_ns = p11prof_table_integer(times, 0, "between_ns", 0);
    double all_ns = (double)in_module_ns + (double)waiting_ns + (double)between_ns;
    write_ns(stream, "", in_module_ns, " in the module");
    p11prof_format_share(share, all_ns > 0 ? (double)in_module_ns / all_ns : 0);
    if (threads > 1)
        fprintf(stream, " (%s of the time of %" PRId64 " threads)", share, threads);
    else
        fprintf(stream, " (%s of its thread's time)", share);
    if (waiting_ns > 0)
        write_ns(stream, ", ", waiting_ns, " waiting");
    write_ns(stream, ", ", between_ns, " between calls");
}

/* Of runs without durations or calls: which tool did not say them. */
static bool print_untimed(struct p11prof_page *page, const struct p11prof_run_report *report)
{
    char format[32];
    const char *options = p11prof_table_text(&report->run, 0, "options", NULL);
    bool calls = p11prof_table_integer(&report->times, 0, "call_count", 0) > 0;
    if (report->calls_unknown || !p11prof_imported_from(options, format, sizeof format))
        return false;
    p11prof_page_fact(page, "time", "no %s: imported from %s", calls ? "durations" : "calls",
                      format);
    return true;
}

static void print_time(struct p11prof_page *page, const struct p11prof_run_report *report)
{
    const struct p11prof_table *times = &report->times;
    char *text;
    size_t bytes;
    int64_t total_ns = p11prof_table_integer(times, 0, "total_ns", -1);
    bool threads = p11prof_table_get(times, 0, "thread_count")->kind != P11PROF_CELL_NULL;
    if (!threads && total_ns <= 0 && print_untimed(page, report))
        return;
    if (total_ns < 0 && !threads)
        return;
    FILE *stream = p11prof_text_open(&text, &bytes);
    if (threads)
        write_threads(stream, times);
    else
        write_ns(stream, "", total_ns, " in the module");
    if (threads && count_lost(&report->run) > 0)
        fprintf(stream, "; what %" PRId64 " lost calls took is among the latter",
                count_lost(&report->run));
    if (report->untimed_count > 0)
        fprintf(stream, "; %zu of %zu runs without durations", report->untimed_count,
                report->run.row_count);
    fclose(stream);
    p11prof_page_fact(page, "time", "%s", text);
    free(text);
}

/* "12 calls, 13.5 ms in the module, 8.76 ms of it C_Initialize" */
static void write_startup(FILE *stream, const struct p11prof_table *startup, size_t row)
{
    int64_t calls = p11prof_table_integer(startup, row, "call_count", 0);
    const char *costliest = p11prof_table_text(startup, row, "costliest", NULL);
    fprintf(stream, "%" PRId64 " call%s", calls, calls == 1 ? "" : "s");
    if (p11prof_table_get(startup, row, "total_ns")->kind != P11PROF_CELL_NULL)
        write_ns(stream, ", ", p11prof_table_integer(startup, row, "total_ns", 0),
                 " in the module");
    if (costliest) {
        write_ns(stream, ", ", p11prof_table_integer(startup, row, "costliest_ns", 0), " of it ");
        fputs(costliest, stream);
    }
}

/* Of several processes, which stand with the longest first: the median, and the worst. */
static void write_startups(FILE *stream, const struct p11prof_table *startup, size_t count)
{
    const char *program = p11prof_table_text(startup, 0, "program", NULL);
    fprintf(stream, "of %zu processes until their first operation: ", count);
    write_ns(stream, "median ", p11prof_table_integer(startup, count / 2, "elapsed_ns", 0), "");
    write_ns(stream, ", worst ", p11prof_table_integer(startup, 0, "elapsed_ns", 0), "");
    fprintf(stream,
            " in process %" PRId64 "%s%s%s: ", p11prof_table_integer(startup, 0, "process_id", 0),
            program ? " (" : "", program ? program : "", program ? ")" : "");
    write_startup(stream, startup, 0);
}

/* Of several, those that did something before their first operation: forked children often do not.
 */
static size_t count_started(const struct p11prof_table *startup)
{
    size_t count = startup->row_count == 1;
    if (count > 0)
        return count;
    for (size_t i = 0; i < startup->row_count; i++)
        count += p11prof_table_integer(startup, i, "call_count", 0) > 0;
    return count;
}

static void print_startup(struct p11prof_page *page, const struct p11prof_table *startup)
{
    char *text;
    size_t bytes, count = count_started(startup), others = startup->row_count - count;
    if (startup->row_count == 0)
        return;
    FILE *stream = p11prof_text_open(&text, &bytes);
    if (count > 1) {
        write_startups(stream, startup, count);
    } else if (count == 1) {
        write_ns(stream, "", p11prof_table_integer(startup, 0, "elapsed_ns", 0), " until ");
        fprintf(stream, "%s: ", p11prof_table_text(startup, 0, "function", "-"));
        write_startup(stream, startup, 0);
    }
    if (others > 0)
        fprintf(stream, "%s%zu process%s began with an operation", count > 0 ? "; " : "", others,
                others == 1 ? "" : "es");
    fclose(stream);
    p11prof_page_fact(page, "start-up", "%s", text);
    free(text);
}

void p11prof_report_times(struct p11prof_page *page, const struct p11prof_run_report *report)
{
    print_time(page, report);
    print_startup(page, &report->startup);
}
