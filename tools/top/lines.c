/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "lines.h"
#include "p11prof/calls.h"
#include "report/units.h"
#include "report/writer.h"

#include <inttypes.h>
#include <time.h>

const struct top_sort top_sorts[TOP_SORTS] = {
    {'b', "busy", {"busy", NULL}},
    {'r', "rate", {"calls_per_s", "calls_per_s"}},
    {'e', "errors", {"errors_per_s", "lost_count"}},
    {'9', "p99", {"p99_ns", NULL}},
    {'o', "oldest", {"oldest_ns", "oldest_ns"}},
    {'n', "name", {"function", "program"}},
};

static void write_oldest(FILE *stream, const struct top_figures *figures)
{
    char age[P11PROF_UNIT_TEXT_BYTES];
    if (figures->all.in_flight_count == 0)
        return;
    p11prof_format_ns(age, figures->all.oldest_ns);
    fprintf(stream, ", oldest %s %s", p11prof_calls[figures->all.oldest_function].name, age);
}

void top_lines_head(FILE *stream, const struct top_figures *figures)
{
    char clock[16], duration[P11PROF_UNIT_TEXT_BYTES], calls[P11PROF_UNIT_TEXT_BYTES],
        errors[P11PROF_UNIT_TEXT_BYTES];
    time_t seconds = figures->all.wall_ns / 1000000000;
    struct tm local;
    strftime(clock, sizeof clock, "%H:%M:%S", localtime_r(&seconds, &local));
    p11prof_format_ns(duration, figures->all.duration_ns);
    p11prof_format_rate(calls, figures->all.calls_per_s);
    p11prof_format_rate(errors, figures->all.errors_per_s);
    fprintf(stream, "p11prof top  %s  last %s  processes %zu  %s calls/s  %s errors/s\n", clock,
            duration, figures->all.process_count, calls, errors);
    fprintf(stream, "in flight %zu", figures->all.in_flight_count);
    write_oldest(stream, figures);
    if (figures->all.lost_count > 0)
        fprintf(stream, "  lost %" PRIu64, figures->all.lost_count);
    if (figures->all.keeping_count > 0)
        fprintf(stream, "  known at their end: %zu", figures->all.keeping_count);
    fputc('\n', stream);
}

void top_lines_table(FILE *stream, struct top_figures *figures, enum top_page page,
                     const struct top_sort *sort, size_t width)
{
    static const char *const optional[2][6] = {
        {"error_count", "count", "busy", "errors_per_s", "oldest_ns", NULL},
        {"state", "lost_count", "run_id", "count", "oldest_function", NULL},
    };
    struct p11prof_table *table =
        page == TOP_PAGE_FUNCTIONS ? &figures->functions : &figures->processes;
    struct p11prof_writer writer = {.stream = stream,
                                    .format = P11PROF_FORMAT_TEXT,
                                    .width_limit = width,
                                    .optional = optional[page]};
    if (sort->columns[page])
        p11prof_table_sort(table, sort->columns[page]);
    p11prof_writer_rows(&writer, table);
    p11prof_writer_end(&writer, table);
}
