/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "compare_grid.h"
#include "allocate.h"
#include "units.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_BYTES = 64, INTERVAL_BYTES = 2 * TEXT_BYTES + 8, COLUMN_NAME_BYTES = 32 };

static const char *const metric_headings[P11PROF_METRICS] = {
    [P11PROF_METRIC_THROUGHPUT] = "ops/s", [P11PROF_METRIC_P50] = "p50",
    [P11PROF_METRIC_P95] = "p95",          [P11PROF_METRIC_P99] = "p99",
    [P11PROF_METRIC_ERRORS] = "errors",
};

double p11prof_change_of(enum p11prof_metric metric, double effect)
{
    return metric == P11PROF_METRIC_THROUGHPUT ? 1 / (1 + effect) - 1 : effect;
}

void p11prof_metric_format(char *out, enum p11prof_metric metric, double value)
{
    if (metric == P11PROF_METRIC_THROUGHPUT)
        p11prof_format_rate(out, value);
    else if (metric == P11PROF_METRIC_ERRORS)
        p11prof_format_share(out, value);
    else
        p11prof_format_ns(out, (uint64_t)llround(value));
}

static void format_delta(char *out, enum p11prof_metric metric, double delta)
{
    char size[P11PROF_UNIT_TEXT_BYTES];
    p11prof_metric_format(size, metric, fabs(delta));
    snprintf(out, TEXT_BYTES, "%s%s", delta < 0 ? "-" : "+", size);
}

/* Percent; of a share of failures, percentage points. */
static void format_percent(char *out, enum p11prof_metric metric, double change)
{
    const char *unit = metric == P11PROF_METRIC_ERRORS ? "points" : "%";
    if (!isfinite(change) || change > 99)
        snprintf(out, TEXT_BYTES, "%s", change > 0 ? "+∞" : "-100.0 %");
    else
        snprintf(out, TEXT_BYTES, "%+.1f %s", 100 * change, unit);
}

static void format_interval(char *out, enum p11prof_metric metric,
                            const struct p11prof_metric_result *result)
{
    double a = p11prof_change_of(metric, result->corrected_low);
    double b = p11prof_change_of(metric, result->corrected_high);
    char low[TEXT_BYTES], high[TEXT_BYTES];
    format_percent(low, metric, fmin(a, b));
    format_percent(high, metric, fmax(a, b));
    snprintf(out, INTERVAL_BYTES, "%s … %s", low, high);
}

static void set(struct p11prof_table *grid, struct p11prof_cell *row, const char *name,
                size_t index, const char *text)
{
    char column[COLUMN_NAME_BYTES];
    snprintf(column, sizeof column, "%s_%zu", name, index);
    p11prof_table_set_text(grid, row, column, text);
}

static void set_metric(struct p11prof_table *grid, struct p11prof_cell *row, size_t index,
                       enum p11prof_metric metric, const struct p11prof_metric_result *result)
{
    char text[INTERVAL_BYTES];
    if (!result->known)
        return;
    p11prof_metric_format(text, metric, result->current_value);
    set(grid, row, "current", index, text);
    double delta = result->current_value - result->base_value;
    if (metric == P11PROF_METRIC_ERRORS)
        format_percent(text, metric, delta);
    else
        format_delta(text, metric, delta);
    set(grid, row, "delta", index, text);
    format_percent(text, metric, p11prof_change_of(metric, result->effect));
    set(grid, row, "change", index, text);
    if (result->lack != P11PROF_LACK_NOTHING ||
        (metric == P11PROF_METRIC_ERRORS && result->p_value < 0))
        return;
    format_interval(text, metric, result);
    set(grid, row, "interval", index, text);
}

static void set_verdict(struct p11prof_table *grid, struct p11prof_cell *row, size_t index,
                        const struct p11prof_metric_result *result)
{
    char text[TEXT_BYTES] = "";
    if (result->gated)
        snprintf(text, sizeof text, "%s%s", p11prof_compare_sign(result->verdict),
                 p11prof_verdict_name(result->verdict));
    set(grid, row, "verdict", index, text);
}

/* What a current side has of a row of the baseline; NULL: nothing. */
static const struct p11prof_row_result *result_of(const struct p11prof_comparison *comparison,
                                                  const struct p11prof_sample_row *base)
{
    for (size_t i = 0; i < comparison->matched_count; i++)
        if (comparison->rows[i].base == base)
            return &comparison->rows[i];
    return NULL;
}

/* Failures have a line only where something failed. */
static bool is_shown(const struct p11prof_compare_report *report,
                     const struct p11prof_sample_row *base, enum p11prof_metric metric)
{
    for (size_t i = 0; i < report->count; i++) {
        const struct p11prof_row_result *row = result_of(&report->comparisons[i], base);
        const struct p11prof_metric_result *result = row ? &row->metrics[metric] : NULL;
        if (result && result->known &&
            (metric != P11PROF_METRIC_ERRORS || result->base_value + result->current_value > 0))
            return true;
    }
    return false;
}

static void add_line(struct p11prof_table *grid, const struct p11prof_compare_report *report,
                     const struct p11prof_sample_row *base, enum p11prof_metric metric,
                     const char *name)
{
    struct p11prof_cell *row = p11prof_table_add_row(grid);
    char text[P11PROF_UNIT_TEXT_BYTES];
    p11prof_table_set_text(grid, row, "row", name);
    p11prof_table_set_text(grid, row, "metric", metric_headings[metric]);
    for (size_t i = 0; i < report->count; i++) {
        const struct p11prof_row_result *result = result_of(&report->comparisons[i], base);
        if (!result)
            continue;
        const struct p11prof_metric_result *of_metric = &result->metrics[metric];
        if (of_metric->known && !row[p11prof_table_find(grid, "baseline")].text) {
            p11prof_metric_format(text, metric, of_metric->base_value);
            p11prof_table_set_text(grid, row, "baseline", text);
        }
        set_metric(grid, row, i, metric, of_metric);
        set_verdict(grid, row, i, of_metric);
    }
}

/* The name and the verdict of a row that has nothing to be compared. */
static void add_empty_line(struct p11prof_table *grid, const struct p11prof_compare_report *report,
                           const struct p11prof_sample_row *base, const char *name)
{
    struct p11prof_cell *row = p11prof_table_add_row(grid);
    p11prof_table_set_text(grid, row, "row", name);
    for (size_t i = 0; i < report->count; i++) {
        const struct p11prof_row_result *result = result_of(&report->comparisons[i], base);
        char text[TEXT_BYTES];
        if (!result)
            continue;
        snprintf(text, sizeof text, "%s%s", p11prof_compare_sign(result->verdict),
                 p11prof_verdict_name(result->verdict));
        set(grid, row, "verdict", i, text);
    }
}

static void add_row(struct p11prof_table *grid, const struct p11prof_compare_report *report,
                    const struct p11prof_sample_row *base)
{
    char *name = p11prof_sample_key_text(&base->key);
    bool first = true;
    for (int metric = 0; metric < P11PROF_METRICS; metric++) {
        if (!is_shown(report, base, metric))
            continue;
        add_line(grid, report, base, metric, first ? name : "");
        first = false;
    }
    if (first)
        add_empty_line(grid, report, base, name);
    free(name);
}

static void add_column(struct p11prof_table *grid, const char *name, const char *heading,
                       bool right)
{
    p11prof_table_add_column(grid, name, true);
    struct p11prof_column *column = &grid->columns[grid->column_count - 1];
    column->type = P11PROF_TYPE_TEXT;
    column->unit = right ? P11PROF_UNIT_NUMBER : P11PROF_UNIT_NONE;
    column->heading = heading;
}

/* The number stands in the heading of a side's first column. */
static void add_columns(struct p11prof_table *grid, size_t index, bool alone)
{
    static const char *const currents[] = {"CURRENT 1", "CURRENT 2", "CURRENT 3", "CURRENT 4",
                                           "CURRENT 5", "CURRENT 6", "CURRENT 7", "CURRENT 8"};
    const char *heading = alone ? "CURRENT" : "CURRENT >8";
    const struct {
        const char *name, *heading;
        bool right;
    } columns[] = {{"current", heading, true},
                   {"delta", "DELTA", true},
                   {"change", "CHANGE", true},
                   {"interval", "95 % INTERVAL", true},
                   {"verdict", "VERDICT", false}};
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
        char name[COLUMN_NAME_BYTES];
        const char *shown = columns[i].heading;
        if (i == 0 && !alone && index < sizeof currents / sizeof currents[0])
            shown = currents[index];
        snprintf(name, sizeof name, "%s_%zu", columns[i].name, index);
        if (alone || i != 1)
            add_column(grid, name, shown, columns[i].right);
    }
}

/* Rows of the baseline in the order of a comparison, each once. */
static void add_rows(struct p11prof_table *grid, const struct p11prof_compare_report *report,
                     size_t index)
{
    const struct p11prof_comparison *comparison = &report->comparisons[index];
    for (size_t i = 0; i < comparison->matched_count; i++) {
        bool done = false;
        for (size_t j = 0; j < index && !done; j++)
            done = result_of(&report->comparisons[j], comparison->rows[i].base) != NULL;
        if (!done)
            add_row(grid, report, comparison->rows[i].base);
    }
}

void p11prof_compare_grid(struct p11prof_table *out, const struct p11prof_compare_report *report)
{
    add_column(out, "row", "ROW", false);
    add_column(out, "metric", "METRIC", false);
    add_column(out, "baseline", "BASELINE", true);
    for (size_t i = 0; i < report->count; i++)
        add_columns(out, i, report->count == 1);
    for (size_t i = 0; i < report->count; i++)
        add_rows(out, report, i);
}
