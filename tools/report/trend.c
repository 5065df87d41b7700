/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "trend.h"
#include "allocate.h"
#include "nearest.h"
#include "scan_ways.h"
#include "trend_loads.h"

#include <stdlib.h>
#include <string.h>

static const struct metric {
    const char *name, *column, *heading;
    enum p11prof_unit unit;
    enum p11prof_type type;
} metrics[P11PROF_TREND_METRICS] = {
    [P11PROF_TREND_P50] = {"p50", "p50_ns", "P50", P11PROF_UNIT_NS, P11PROF_TYPE_INTEGER},
    [P11PROF_TREND_P90] = {"p90", "p90_ns", "P90", P11PROF_UNIT_NS, P11PROF_TYPE_INTEGER},
    [P11PROF_TREND_P95] = {"p95", "p95_ns", "P95", P11PROF_UNIT_NS, P11PROF_TYPE_INTEGER},
    [P11PROF_TREND_P99] = {"p99", "p99_ns", "P99", P11PROF_UNIT_NS, P11PROF_TYPE_INTEGER},
    [P11PROF_TREND_P999] = {"p999", "p999_ns", "P99.9", P11PROF_UNIT_NS, P11PROF_TYPE_INTEGER},
    [P11PROF_TREND_MEAN] = {"mean", "mean_ns", "MEAN", P11PROF_UNIT_NS, P11PROF_TYPE_INTEGER},
    [P11PROF_TREND_MIN] = {"min", "min_ns", "MIN", P11PROF_UNIT_NS, P11PROF_TYPE_INTEGER},
    [P11PROF_TREND_MAX] = {"max", "max_ns", "MAX", P11PROF_UNIT_NS, P11PROF_TYPE_INTEGER},
    [P11PROF_TREND_COUNT] = {"count", "count", "CALLS", P11PROF_UNIT_COUNT, P11PROF_TYPE_INTEGER},
    [P11PROF_TREND_ERRORS] = {"errors", "error_share", "FAILED", P11PROF_UNIT_SHARE,
                              P11PROF_TYPE_REAL},
    [P11PROF_TREND_OPS_PER_S] = {"ops_per_s", "ops_per_s", "OPS/S", P11PROF_UNIT_PER_S,
                                 P11PROF_TYPE_REAL},
};

bool p11prof_trend_metric_read(const char *name, enum p11prof_trend_metric *out,
                               const char **nearest)
{
    const char *names[P11PROF_TREND_METRICS];
    for (size_t i = 0; i < P11PROF_TREND_METRICS; i++) {
        names[i] = metrics[i].name;
        *out = (enum p11prof_trend_metric)i;
        if (strcmp(name, metrics[i].name) == 0 || strcmp(name, metrics[i].column) == 0)
            return true;
    }
    *nearest = p11prof_nearest(name, names, P11PROF_TREND_METRICS);
    return false;
}

/* What a run has of the calls that are asked for. */
struct part {
    struct p11prof_tally_group calls; /* all together */
    uint64_t count, error_count;
    uint64_t success_count, duration_ns; /* that a rate is made of */
};

static void add_all(struct part *part, const struct p11prof_tally *tally, uint64_t duration_ns)
{
    for (size_t i = 0; i < tally->group_count; i++)
        p11prof_tally_merge(&part->calls, &tally->groups[i]);
    part->count = part->calls.count;
    part->error_count = part->calls.error_count;
    part->success_count = part->count - part->error_count;
    part->duration_ns = duration_ns;
}

static enum p11prof_status add_loads(struct part *part, const struct p11prof_tally *tally,
                                     struct sqlite3 *db, int64_t run_id, bool mix,
                                     struct p11prof_error *error)
{
    struct p11prof_trend_loads loads = {.count = 0};
    enum p11prof_status status = p11prof_trend_loads_read(&loads, tally, db, run_id, mix, error);
    p11prof_tally_merge(&part->calls, &loads.measured);
    part->count = loads.count;
    part->error_count = loads.error_count;
    part->success_count = loads.timed_count;
    part->duration_ns = loads.duration_ns;
    p11prof_tally_group_clear(&loads.measured);
    return status;
}

static enum p11prof_status read_part(struct part *out, struct sqlite3 *db, int64_t run_id,
                                     uint64_t duration_ns, const struct p11prof_trend *trend,
                                     struct p11prof_error *error)
{
    struct p11prof_scan scan = {.selection = &trend->selection};
    struct p11prof_condition condition;
    struct p11prof_scan_runs runs = {
        .scan = &scan, .db = db, .run_ids = &run_id, .conditions = &condition, .run_count = 1};
    struct p11prof_tally tally = {.groups = NULL};
    if (trend->tests)
        tally.grouping = p11prof_trend_loads_grouping;
    if (p11prof_selection_resolve(&trend->selection, db, run_id, &condition, error) != P11PROF_OK)
        return error->status;
    enum p11prof_status status = p11prof_scan_groups(&runs, 0, &tally, trend->operations, error);
    if (status == P11PROF_OK && trend->tests)
        status = add_loads(out, &tally, db, run_id, trend->mix, error);
    else if (status == P11PROF_OK)
        add_all(out, &tally, duration_ns);
    p11prof_tally_clear(&tally);
    p11prof_condition_clear(&condition);
    return status;
}

static struct p11prof_cell integer(uint64_t value)
{
    return (struct p11prof_cell){.kind = P11PROF_CELL_INTEGER, .integer = (int64_t)value};
}

static struct p11prof_cell ratio(uint64_t value, double of)
{
    if (of <= 0)
        return (struct p11prof_cell){.kind = P11PROF_CELL_NULL};
    return (struct p11prof_cell){.kind = P11PROF_CELL_REAL, .real = (double)value / of};
}

/* Of durations: unknown where every call failed. */
static struct p11prof_cell duration(struct part *part, enum p11prof_trend_metric metric)
{
    struct p11prof_stats stats;
    p11prof_tally_stats(&part->calls, &stats);
    if (stats.count == 0)
        return (struct p11prof_cell){.kind = P11PROF_CELL_NULL};
    if (metric > P11PROF_TREND_P999)
        return integer(metric == P11PROF_TREND_MEAN  ? stats.mean_ns
                       : metric == P11PROF_TREND_MIN ? stats.min_ns
                                                     : stats.max_ns);
    struct p11prof_cell cell = integer(stats.quantile_ns[metric]);
    cell.doubtful = !stats.supported[metric];
    return cell;
}

static struct p11prof_cell value_of(struct part *part, enum p11prof_trend_metric metric)
{
    switch (metric) {
    case P11PROF_TREND_COUNT:
        return integer(part->count);
    case P11PROF_TREND_ERRORS:
        return ratio(part->error_count, (double)part->count);
    case P11PROF_TREND_OPS_PER_S:
        return ratio(part->success_count, (double)part->duration_ns / 1e9);
    default:
        return duration(part, metric);
    }
}

/* A number of a cell that has one. */
static bool number(const struct p11prof_cell *cell, double *out)
{
    *out = cell->kind == P11PROF_CELL_INTEGER ? (double)cell->integer : cell->real;
    return cell->kind == P11PROF_CELL_INTEGER || cell->kind == P11PROF_CELL_REAL;
}

static void set_change(const struct p11prof_table *table, struct p11prof_cell *row)
{
    size_t value = p11prof_table_find(table, "value");
    double now, before;
    if (table->row_count > 1 && number(&row[value], &now) &&
        number(&p11prof_table_row(table, table->row_count - 2)[value], &before) && before > 0)
        p11prof_table_set_real(table, row, "change", now / before - 1);
}

static void add_row(struct p11prof_table *out, const struct p11prof_table *runs, size_t run,
                    struct part *part, enum p11prof_trend_metric metric)
{
    struct p11prof_cell *row = p11prof_table_add_row(out);
    struct p11prof_cell value = value_of(part, metric);
    p11prof_table_copy_row(out, row, runs, run);
    p11prof_table_set_integer(out, row, "count", (int64_t)part->count);
    p11prof_table_set_integer(out, row, "error_count", (int64_t)part->error_count);
    p11prof_table_set_text(out, row, "metric", metrics[metric].column);
    p11prof_table_set_text(out, row, "unsupported", value.doubtful ? metrics[metric].column : NULL);
    row[p11prof_table_find(out, "value")] = value;
    set_change(out, row);
}

/* The column `value` is of the metric's unit. */
static void add_columns(struct p11prof_table *out, enum p11prof_trend_metric metric)
{
    p11prof_table_add_columns(out, P11PROF_TREND_COLUMNS);
    struct p11prof_column *value = &out->columns[p11prof_table_find(out, "value")];
    value->heading = metrics[metric].heading;
    value->unit = metrics[metric].unit;
    value->type = metrics[metric].type;
}

enum p11prof_status p11prof_trend_load(struct p11prof_table *out, struct sqlite3 *db,
                                       const struct p11prof_table *runs,
                                       const struct p11prof_trend *trend,
                                       struct p11prof_error *error)
{
    enum p11prof_status status = P11PROF_OK;
    add_columns(out, trend->metric);
    for (size_t i = runs->row_count; i-- > 0 && status == P11PROF_OK;) {
        struct part part = {.count = 0};
        int64_t duration_ns = p11prof_table_integer(runs, i, "duration_ns", 0);
        status = read_part(&part, db, p11prof_table_integer(runs, i, "run_id", 0),
                           (uint64_t)duration_ns, trend, error);
        if (status == P11PROF_OK && part.count > 0)
            add_row(out, runs, i, &part, trend->metric);
        p11prof_tally_group_clear(&part.calls);
    }
    return status;
}

/* The largest is `width` characters; eighths of one, but for ASCII. */
static char *bar(double share, size_t width, bool ascii)
{
    static const char *const eighths[] = {"",       "\u258f", "\u258e", "\u258d",
                                          "\u258c", "\u258b", "\u258a", "\u2589"};
    char *text;
    size_t bytes;
    size_t parts = (size_t)(share * (double)(8 * width) + 0.5);
    FILE *stream = p11prof_text_open(&text, &bytes);
    for (size_t i = 0; i < parts / 8; i++)
        fputs(ascii ? "#" : "\u2588", stream);
    if (!ascii)
        fputs(eighths[parts % 8], stream);
    else if (parts % 8 >= 4)
        fputs("#", stream);
    fclose(stream);
    return text;
}

void p11prof_trend_bars(const struct p11prof_table *table, size_t width, bool ascii)
{
    double largest = 0, value;
    for (size_t i = 0; i < table->row_count; i++)
        if (number(p11prof_table_get(table, i, "value"), &value) && value > largest)
            largest = value;
    for (size_t i = 0; i < table->row_count && largest > 0; i++) {
        bool known = number(p11prof_table_get(table, i, "value"), &value);
        char *text = bar(known ? value / largest : 0, width, ascii);
        p11prof_table_set_text(table, p11prof_table_row(table, i), "bar", text);
        free(text);
    }
}
