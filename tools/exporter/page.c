/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "page.h"

#include "p11prof/calls.h"
#include "report/metrics_parts.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <string.h>

/* The families of report/metrics.h that are shown, by the table they are of. */
static const struct {
    enum metrics_table metrics;
    enum exporter_table table;
} shared[] = {
    {METRICS_CALLS, EXPORTER_CALLS},
    {METRICS_OPERATIONS, EXPORTER_OPERATIONS},
    {METRICS_LOST, EXPORTER_LOST},
};

/* A family whose samples are being written: its head comes with the first one. */
struct writing {
    FILE *stream;
    const char *name, *type, *help;
    const char *column; /* of struct exporter_values; NULL: a histogram */
    enum exporter_table table;
    bool begun;
};

static void begin(struct writing *writing)
{
    if (!writing->begun)
        fprintf(writing->stream, "# HELP %s %s\n# TYPE %s %s\n", writing->name, writing->help,
                writing->name, writing->type);
    writing->begun = true;
}

static uint64_t value_of(const struct exporter_values *values, const char *column)
{
    const struct {
        const char *name;
        uint64_t value;
    } columns[] = {{"count", values->count},
                   {"error_count", values->error_count},
                   {"in_bytes", values->in_bytes},
                   {"out_bytes", values->out_bytes}};
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        if (strcmp(columns[i].name, column) == 0)
            return columns[i].value;
    return 0;
}

static void histogram_write(const struct writing *writing, const struct exporter_series *series)
{
    const struct exporter_values *values = &series->values;
    uint64_t below = 0;
    for (unsigned i = 0; i < EXPORTER_BOUNDS; i++) {
        below += values->buckets[i];
        fprintf(writing->stream, "%s_bucket{%s,le=\"%.12g\"} %" PRIu64 "\n", writing->name,
                series->labels, (double)(UINT64_C(1) << (EXPORTER_FIRST_OCTAVE + i)) / 1e9, below);
    }
    below += values->buckets[EXPORTER_BOUNDS];
    fprintf(writing->stream, "%s_bucket{%s,le=\"+Inf\"} %" PRIu64 "\n%s_sum{%s} ", writing->name,
            series->labels, below, writing->name, series->labels);
    metrics_number_write(writing->stream, (double)values->sum_ns / 1e9);
    fprintf(writing->stream, "\n%s_count{%s} %" PRIu64 "\n", writing->name, series->labels, below);
}

static void series_write(void *payload, struct exporter_series *series)
{
    struct writing *writing = payload;
    if (series->table != writing->table || series->values.count == 0)
        return;
    if (!writing->column && !series->values.timed)
        return;
    begin(writing);
    if (!writing->column) {
        histogram_write(writing, series);
        return;
    }
    fprintf(writing->stream, "%s{%s} ", writing->name, series->labels);
    if (writing->table == EXPORTER_LAST_CALL)
        fprintf(writing->stream, "%.3f\n", (double)series->values.count / 1e9);
    else
        fprintf(writing->stream, "%" PRIu64 "\n", value_of(&series->values, writing->column));
}

static void shared_write(FILE *stream, const struct exporter_book *book)
{
    for (size_t i = 0; i < metrics_family_count; i++)
        for (size_t j = 0; j < sizeof shared / sizeof *shared; j++) {
            const struct metrics_family *family = &metrics_families[i];
            struct writing writing = {.stream = stream,
                                      .name = family->name,
                                      .type = family->type,
                                      .help = family->help,
                                      .column = family->samples[0].column,
                                      .table = shared[j].table};
            if (family->table == shared[j].metrics)
                exporter_series_visit(book, series_write, &writing);
        }
}

static void gauge_write(FILE *stream, const char *name, const char *help, double value)
{
    fprintf(stream, "# HELP %s %s\n# TYPE %s gauge\n%s ", name, help, name, name);
    metrics_number_write(stream, value);
    fputc('\n', stream);
}

static void run_count_write(void *payload, const struct exporter_run_count *count)
{
    struct writing *writing = payload;
    begin(writing);
    fprintf(writing->stream, "%s{kind=\"%s\",state=\"%s\"} %" PRIu64 "\n", writing->name,
            count->kind, count->state, count->count);
}

/* What the database has. */
static void sums_write(FILE *stream, const struct exporter_sums *sums)
{
    struct writing results = {.stream = stream,
                              .name = "p11prof_call_errors_by_result_total",
                              .type = "counter",
                              .help = "Calls that failed, by their result.",
                              .column = "count",
                              .table = EXPORTER_RESULTS};
    struct writing last = {.stream = stream,
                           .name = "p11prof_last_call_timestamp_seconds",
                           .type = "gauge",
                           .help = "When the last call of a program that is in the database ended.",
                           .column = "count",
                           .table = EXPORTER_LAST_CALL};
    struct writing runs = {
        .stream = stream, .name = "p11prof_runs", .type = "gauge", .help = "Runs in the database."};
    shared_write(stream, &sums->book);
    exporter_series_visit(&sums->book, series_write, &results);
    exporter_series_visit(&sums->book, series_write, &last);
    exporter_run_counts_visit(sums, run_count_write, &runs);
    gauge_write(stream, "p11prof_series_folded",
                "Label sets that were folded into those of the value other.",
                (double)sums->book.folded_count);
}

static void program_write(struct writing *writing, const struct exporter_live *live, size_t program,
                          const char *function)
{
    begin(writing);
    fprintf(writing->stream, "%s{program=\"", writing->name);
    metrics_label_write(writing->stream, live->programs[program].name);
    if (function)
        fprintf(writing->stream, "\",function=\"%s", function);
    fputs("\"} ", writing->stream);
}

static void live_write(FILE *stream, const struct exporter_live *live)
{
    struct writing processes = {.stream = stream,
                                .name = "p11prof_live_processes",
                                .type = "gauge",
                                .help = "Processes that are recorded right now."};
    struct writing calls = {.stream = stream,
                            .name = "p11prof_calls_in_flight",
                            .type = "gauge",
                            .help = "Calls that have not returned yet."};
    struct writing oldest = {.stream = stream,
                             .name = "p11prof_oldest_call_in_flight_seconds",
                             .type = "gauge",
                             .help = "How long ago the oldest call that has not returned began."};
    for (size_t i = 0; i < live->program_count; i++) {
        program_write(&processes, live, i, NULL);
        fprintf(stream, "%" PRIu64 "\n", live->programs[i].process_count);
    }
    for (size_t i = 0; i < live->call_count; i++) {
        program_write(&calls, live, live->calls[i].program,
                      p11prof_calls[live->calls[i].function].name);
        fprintf(stream, "%" PRIu64 "\n", live->calls[i].in_flight_count);
    }
    for (size_t i = 0; i < live->call_count; i++) {
        program_write(&oldest, live, live->calls[i].program,
                      p11prof_calls[live->calls[i].function].name);
        metrics_number_write(stream, (double)live->calls[i].oldest_ns / 1e9);
        fputc('\n', stream);
    }
    gauge_write(stream, "p11prof_spools_waiting", "Spools that no process drains.",
                (double)live->waiting_count);
    gauge_write(stream, "p11prof_spool_waiting_bytes", "Memory that they take.",
                (double)live->waiting_bytes);
}

void exporter_page_write(FILE *stream, const struct exporter_page *page)
{
    if (page->sums)
        sums_write(stream, page->sums);
    live_write(stream, page->live);
    gauge_write(stream, "p11prof_database_size_bytes",
                "The database and its log; 0: there is none.", (double)page->database_bytes);
    fprintf(stream,
            "# HELP p11prof_build_info Versions; its value is 1.\n"
            "# TYPE p11prof_build_info gauge\n"
            "p11prof_build_info{version=\"" P11PROF_VERSION "\",sqlite=\"%s\"} 1\n",
            sqlite3_libversion());
}

void exporter_page_end(FILE *stream, bool failed, double seconds)
{
    gauge_write(stream, "p11prof_scrape_error", "Whether the database could not be read.", failed);
    gauge_write(stream, "p11prof_scrape_duration_seconds", "Time that making this page took.",
                seconds);
}
