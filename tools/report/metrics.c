/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "metrics.h"

#include "allocate.h"
#include "metrics_parts.h"

#include <stdlib.h>
#include <string.h>

#define COUNTER(name, table, column, help)                                                         \
    {                                                                                              \
        name, "counter", help, table, false,                                                       \
        {                                                                                          \
            {                                                                                      \
                NULL, column, 1                                                                    \
            }                                                                                      \
        }                                                                                          \
    }
#define GAUGE(name, table, column, scale, hsm, help)                                               \
    {                                                                                              \
        name, "gauge", help, table, hsm,                                                           \
        {                                                                                          \
            {                                                                                      \
                NULL, column, scale                                                                \
            }                                                                                      \
        }                                                                                          \
    }
#define HISTOGRAM(name, table, help)                                                               \
    {                                                                                              \
        name, "histogram", help, table, false,                                                     \
        {                                                                                          \
            {                                                                                      \
                NULL, NULL, 0                                                                      \
            }                                                                                      \
        }                                                                                          \
    }

const struct metrics_family metrics_families[] = {
    GAUGE("hsm_ops_per_sec", METRICS_LOADS, "ops_per_s", 1, true,
          "Successful operations a second."),
    GAUGE("hsm_latency_p99_ms", METRICS_LOADS, "p99_ns", 1e-6, true,
          "99th percentile of the latency in ms."),
    COUNTER("p11prof_bench_operations_total", METRICS_LOADS, "count",
            "Operations that completed in the measured part."),
    COUNTER("p11prof_bench_errors_total", METRICS_LOADS, "error_count",
            "Operations that failed or gave a wrong result."),
    COUNTER("p11prof_bench_in_bytes_total", METRICS_LOADS, "in_bytes",
            "Bytes that operations were given."),
    COUNTER("p11prof_bench_out_bytes_total", METRICS_LOADS, "out_bytes",
            "Bytes that operations returned."),
    GAUGE("p11prof_bench_operations_per_second", METRICS_LOADS, "ops_per_s", 1, false,
          "Successful operations a second."),
    GAUGE("p11prof_bench_throughput_bytes_per_second", METRICS_LOADS, "bytes_per_s", 1, false,
          "Data worked on."),
    HISTOGRAM("p11prof_bench_latency_seconds", METRICS_LOADS,
              "Time in the module of an operation that did not fail; where a rate starts it, "
              "since its intended start."),
    {"p11prof_bench_latency_quantiles_seconds",
     "summary",
     "Quantiles of the same time.",
     METRICS_LOADS,
     false,
     {{"0.5", "p50_ns", 1e-9},
      {"0.9", "p90_ns", 1e-9},
      {"0.95", "p95_ns", 1e-9},
      {"0.99", "p99_ns", 1e-9},
      {"0.999", "p999_ns", 1e-9}}},
    GAUGE("p11prof_bench_latency_mean_seconds", METRICS_LOADS, "mean_ns", 1e-9, false,
          "Mean of the same time."),
    GAUGE("p11prof_bench_service_mean_seconds", METRICS_LOADS, "service_mean_ns", 1e-9, false,
          "Mean time in the module of an operation that a rate started."),
    GAUGE("p11prof_bench_service_p99_seconds", METRICS_LOADS, "service_p99_ns", 1e-9, false,
          "99th percentile of the same time."),
    COUNTER("p11prof_bench_missed_total", METRICS_LOADS, "missed_count",
            "Operations that were due by a rate and never began."),
    COUNTER("p11prof_bench_calls_total", METRICS_LOAD_CALLS, "calls",
            "Calls in the measured part."),
    COUNTER("p11prof_bench_call_errors_total", METRICS_LOAD_CALLS, "errors",
            "Calls that failed in the measured part."),
    COUNTER("p11prof_calls_total", METRICS_CALLS, "count", "Calls that completed."),
    COUNTER("p11prof_call_errors_total", METRICS_CALLS, "error_count", "Calls that failed."),
    COUNTER("p11prof_call_in_bytes_total", METRICS_CALLS, "in_bytes",
            "Bytes that calls were given."),
    COUNTER("p11prof_call_out_bytes_total", METRICS_CALLS, "out_bytes",
            "Bytes that calls returned."),
    HISTOGRAM("p11prof_call_duration_seconds", METRICS_CALLS,
              "Time in the module of a call that did not fail."),
    COUNTER("p11prof_operations_total", METRICS_OPERATIONS, "count", "Operations that completed."),
    COUNTER("p11prof_operation_errors_total", METRICS_OPERATIONS, "error_count",
            "Operations that failed."),
    COUNTER("p11prof_operation_in_bytes_total", METRICS_OPERATIONS, "in_bytes",
            "Bytes that operations were given."),
    COUNTER("p11prof_operation_out_bytes_total", METRICS_OPERATIONS, "out_bytes",
            "Bytes that operations returned."),
    HISTOGRAM("p11prof_operation_duration_seconds", METRICS_OPERATIONS,
              "Time in the module of all calls of an operation that did not fail."),
    COUNTER("p11prof_lost_calls_total", METRICS_LOST, "count",
            "Calls that were counted but not kept."),
};

const size_t metrics_family_count = sizeof metrics_families / sizeof *metrics_families;

static bool value_of(const struct p11prof_table *table, size_t row, const char *column,
                     double *value)
{
    const struct p11prof_cell *cell = p11prof_table_get(table, row, column);
    if (!cell || (cell->kind != P11PROF_CELL_INTEGER && cell->kind != P11PROF_CELL_REAL))
        return false;
    *value = cell->kind == P11PROF_CELL_INTEGER ? (double)cell->integer : cell->real;
    return true;
}

static void samples_write(FILE *stream, const struct metrics_family *family, const char *labels,
                          const struct p11prof_table *table, size_t row)
{
    double value;
    for (const struct metrics_sample *sample = family->samples; sample->column; sample++) {
        if (!value_of(table, row, sample->column, &value))
            continue;
        fprintf(stream, "%s{%s", family->name, labels);
        if (sample->quantile)
            fprintf(stream, ",quantile=\"%s\"", sample->quantile);
        fputs("} ", stream);
        metrics_number_write(stream, value * sample->scale);
        fputc('\n', stream);
    }
}

static void row_write(FILE *stream, const struct metrics_family *family,
                      const struct p11prof_table *table, size_t row)
{
    char *labels;
    size_t bytes;
    double sum_ns;
    FILE *text = p11prof_text_open(&labels, &bytes);
    metrics_labels_write(text, family->table, table, row, family->hsm);
    fclose(text);
    const char *buckets = p11prof_table_text(table, row, "histogram", "");
    if (strcmp(family->type, "histogram") != 0)
        samples_write(stream, family, labels, table, row);
    else if (value_of(table, row, "sum_ns", &sum_ns))
        metrics_histogram_write(stream, family->name, labels, buckets, sum_ns);
    free(labels);
}

/* All samples of a family stand together; one without samples is left out. */
static void family_write(FILE *stream, const struct metrics_family *family,
                         const struct p11prof_table *table)
{
    char *samples;
    size_t bytes;
    FILE *text = p11prof_text_open(&samples, &bytes);
    for (size_t row = 0; row < table->row_count; row++)
        row_write(text, family, table, row);
    fclose(text);
    if (bytes > 0)
        fprintf(stream, "# HELP %s %s\n# TYPE %s %s\n%s", family->name, family->help, family->name,
                family->type, samples);
    free(samples);
}

enum p11prof_status p11prof_metrics_write(FILE *stream, struct sqlite3 *db, const int64_t *run_ids,
                                          size_t count, bool hsm_gauges,
                                          struct p11prof_error *error)
{
    struct metrics metrics = {.tables = {{.columns = NULL}}};
    enum p11prof_status status = metrics_load(&metrics, db, run_ids, count, error);
    for (size_t i = 0; status == P11PROF_OK && i < metrics_family_count; i++)
        if (hsm_gauges || !metrics_families[i].hsm)
            family_write(stream, &metrics_families[i], &metrics.tables[metrics_families[i].table]);
    metrics_clear(&metrics);
    return status;
}
