/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "metrics.h"

#include "run_report.h"

#include <inttypes.h>
#include <string.h>

/* A sample of a family: a column of the results in its base unit. */
struct sample {
    const char *suffix; /* of the family's name */
    const char *quantile;
    const char *column;
    double scale;
};

struct family {
    const char *name, *type, *help;
    struct sample samples[6];
};

static const struct family families[] = {
    {"hsm_ops_per_sec", "gauge", "Successful operations a second.", {{"", NULL, "ops_per_s", 1}}},
    {"hsm_latency_p99_ms",
     "gauge",
     "99th percentile of the latency in ms.",
     {{"", NULL, "p99_ns", 1e-6}}},
    {"p11prof_bench_operations_total",
     "counter",
     "Operations that completed in the measured part.",
     {{"", NULL, "count", 1}}},
    {"p11prof_bench_errors_total",
     "counter",
     "Those that failed or gave a wrong result.",
     {{"", NULL, "error_count", 1}}},
    {"p11prof_bench_throughput_bytes_per_second",
     "gauge",
     "Data worked on.",
     {{"", NULL, "bytes_per_s", 1}}},
    {"p11prof_bench_latency_seconds",
     "summary",
     "Time in the module of an operation.",
     {{"", "0.5", "p50_ns", 1e-9},
      {"", "0.9", "p90_ns", 1e-9},
      {"", "0.95", "p95_ns", 1e-9},
      {"", "0.99", "p99_ns", 1e-9},
      {"", "0.999", "p999_ns", 1e-9}}},
    {"p11prof_bench_latency_mean_seconds", "gauge", "Its mean.", {{"", NULL, "mean_ns", 1e-9}}},
};

/* A label's value: backslash, quote and newline are escaped. */
static void label_write(FILE *stream, const char *name, const char *value, bool first)
{
    fprintf(stream, "%s%s=\"", first ? "" : ",", name);
    for (; *value; value++) {
        if (*value == '\\' || *value == '"')
            fputc('\\', stream);
        if (*value == '\n')
            fputs("\\n", stream);
        else
            fputc(*value, stream);
    }
    fputc('"', stream);
}

static void labels_write(FILE *stream, const struct p11prof_table *loads, size_t row,
                         const char *quantile)
{
    static const char *const columns[] = {"test",       "token",   "mechanism",
                                          "data_bytes", "threads", "processes"};
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
        char number[24];
        snprintf(number, sizeof number, "%" PRId64,
                 p11prof_table_integer(loads, row, columns[i], 0));
        label_write(stream, columns[i],
                    p11prof_table_text(loads, row, columns[i], i < 3 ? "" : number), i == 0);
    }
    if (quantile)
        label_write(stream, "quantile", quantile, false);
}

static void sample_write(FILE *stream, const struct family *family, const struct sample *sample,
                         const struct p11prof_table *loads, size_t row)
{
    const struct p11prof_cell *cell = p11prof_table_get(loads, row, sample->column);
    if (!cell || cell->kind == P11PROF_CELL_NULL)
        return;
    double value = cell->kind == P11PROF_CELL_INTEGER ? (double)cell->integer : cell->real;
    fprintf(stream, "%s%s{", family->name, sample->suffix);
    labels_write(stream, loads, row, sample->quantile);
    fprintf(stream, "} %.12g\n", value * sample->scale);
}

/* All samples of a family stand together. */
static void family_write(FILE *stream, const struct family *family,
                         const struct p11prof_table *loads)
{
    fprintf(stream, "# HELP %s %s\n# TYPE %s %s\n", family->name, family->help, family->name,
            family->type);
    for (size_t row = 0; row < loads->row_count; row++)
        for (const struct sample *sample = family->samples; sample->column; sample++)
            sample_write(stream, family, sample, loads, row);
}

/* Whether two rows would be the same sample. */
static bool same(const struct p11prof_table *loads, size_t row, size_t other)
{
    static const char *const numbers[] = {"data_bytes", "threads", "processes"};
    if (strcmp(p11prof_table_text(loads, row, "test", ""),
               p11prof_table_text(loads, other, "test", "")) != 0)
        return false;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (p11prof_table_integer(loads, row, numbers[i], -1) !=
            p11prof_table_integer(loads, other, numbers[i], -1))
            return false;
    return true;
}

static bool has_later(const struct p11prof_table *loads, size_t row)
{
    for (size_t other = row + 1; other < loads->row_count; other++)
        if (same(loads, row, other))
            return true;
    return false;
}

/* Adds the results of a run to those of the runs before it. */
static enum p11prof_status loads_add(struct p11prof_table *out, struct sqlite3 *db, int64_t run_id,
                                     struct p11prof_error *error)
{
    const struct p11prof_report_options options = {.results_only = true};
    struct p11prof_run_report report = {.exact = false};
    enum p11prof_status status = p11prof_run_report_load_one(&report, db, run_id, &options, error);
    const struct p11prof_table *loads = &report.results.loads;
    if (status == P11PROF_OK && out->column_count == 0) {
        for (size_t i = 0; i < loads->column_count; i++)
            p11prof_table_add_column(out, loads->columns[i].name, false);
        p11prof_table_add_column(out, "token", false);
    }
    for (size_t i = 0; status == P11PROF_OK && i < loads->row_count; i++) {
        struct p11prof_cell *row = p11prof_table_add_row(out);
        p11prof_table_copy_row(out, row, loads, i);
        p11prof_table_set_text(out, row, "token",
                               p11prof_table_text(&report.run, 0, "token_label", ""));
    }
    p11prof_run_report_clear(&report);
    return status;
}

enum p11prof_status p11prof_metrics_write(FILE *stream, struct sqlite3 *db, const int64_t *run_ids,
                                          size_t count, struct p11prof_error *error)
{
    struct p11prof_table all = {.columns = NULL}, last = {.columns = NULL};
    enum p11prof_status status = P11PROF_OK;
    for (size_t i = 0; i < count && status == P11PROF_OK; i++)
        status = loads_add(&all, db, run_ids[i], error);
    for (size_t i = 0; i < all.column_count; i++)
        p11prof_table_add_column(&last, all.columns[i].name, false);
    for (size_t i = 0; i < all.row_count; i++)
        if (!has_later(&all, i))
            p11prof_table_copy_row(&last, p11prof_table_add_row(&last), &all, i);
    for (size_t i = 0; status == P11PROF_OK && i < sizeof families / sizeof *families; i++)
        family_write(stream, &families[i], &last);
    p11prof_table_clear(&all);
    p11prof_table_clear(&last);
    return status;
}
