/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "trend_changes.h"
#include "allocate.h"
#include "change_points.h"
#include "compare_facts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A row of the trend, and its run. */
struct entry {
    size_t trend_row, run_row;
    double value;
};

/* Rows of one program and token, oldest first. */
struct series {
    struct entry *entries;
    size_t count;
};

struct changes {
    struct p11prof_table *out;
    const struct p11prof_table *trend, *runs;
};

static bool value_of(const struct p11prof_table *trend, size_t row, double *out)
{
    const struct p11prof_cell *cell = p11prof_table_get(trend, row, "value");
    *out = cell->kind == P11PROF_CELL_INTEGER ? (double)cell->integer : cell->real;
    return (cell->kind == P11PROF_CELL_INTEGER || cell->kind == P11PROF_CELL_REAL) && *out > 0;
}

/* A trend has the runs from the last row to the first, without those that have no such calls. */
static size_t entries_read(struct entry *out, const struct changes *changes)
{
    size_t count = 0, run = changes->runs->row_count;
    for (size_t row = 0; row < changes->trend->row_count; row++) {
        int64_t run_id = p11prof_table_integer(changes->trend, row, "run_id", -1);
        while (run > 0 && p11prof_table_integer(changes->runs, run - 1, "run_id", -1) != run_id)
            run--;
        if (run > 0 && value_of(changes->trend, row, &out[count].value)) {
            out[count].trend_row = row;
            out[count++].run_row = run - 1;
        }
    }
    return count;
}

static bool same_text(const struct changes *changes, size_t a, size_t b, const char *column)
{
    return strcmp(p11prof_table_text(changes->runs, a, column, ""),
                  p11prof_table_text(changes->runs, b, column, "")) == 0;
}

/* A run whose application never asked for the token's description has none: it goes with its like.
 */
static bool same_series(const struct changes *changes, size_t a, size_t b)
{
    return same_text(changes, a, b, "program") && same_text(changes, a, b, "kind") &&
           same_text(changes, a, b, "token_label") && same_text(changes, a, b, "token_serial");
}

static void side_set(struct p11prof_samples *side, const struct p11prof_table *runs, size_t row)
{
    p11prof_table_add_columns(&side->runs, P11PROF_SAMPLE_RUN_COLUMNS);
    p11prof_table_copy_row(&side->runs, p11prof_table_add_row(&side->runs), runs, row);
}

/* The caller frees it. */
static char *differences(const struct p11prof_table *runs, size_t before, size_t after)
{
    struct p11prof_samples sides[2] = {{.rows = NULL}, {.rows = NULL}};
    struct p11prof_table facts = {.columns = NULL};
    char *text;
    size_t bytes;
    side_set(&sides[0], runs, before);
    side_set(&sides[1], runs, after);
    p11prof_compare_facts(&facts, &sides[0], &sides[1]);
    FILE *stream = p11prof_text_open(&text, &bytes);
    for (size_t i = 0; i < facts.row_count; i++)
        fprintf(stream, "%s%s %s -> %s", i > 0 ? "; " : "",
                p11prof_table_text(&facts, i, "what", ""),
                p11prof_table_text(&facts, i, "in_baseline", ""),
                p11prof_table_text(&facts, i, "in_current", ""));
    if (facts.row_count == 0)
        fputs("none recorded", stream);
    fclose(stream);
    p11prof_table_clear(&facts);
    p11prof_table_clear(&sides[0].runs);
    p11prof_table_clear(&sides[1].runs);
    return text;
}

/* Are half of the values or more? Then so is their median. */
static bool is_doubtful(const struct changes *changes, const struct series *series, size_t first,
                        size_t end)
{
    size_t doubtful = 0;
    for (size_t i = first; i < end; i++)
        doubtful +=
            p11prof_table_get(changes->trend, series->entries[i].trend_row, "value")->doubtful;
    return 2 * doubtful >= end - first;
}

/* A level in the unit and type of the value. */
static void set_level(const struct p11prof_table *out, struct p11prof_cell *row, const char *name,
                      double level, bool doubtful)
{
    if (out->columns[p11prof_table_find(out, name)].type == P11PROF_TYPE_INTEGER)
        p11prof_table_set_integer(out, row, name, llround(level));
    else
        p11prof_table_set_real(out, row, name, level);
    row[p11prof_table_find(out, name)].doubtful = doubtful;
}

static void row_add(const struct changes *changes, const struct series *series,
                    const struct p11prof_change_point *point)
{
    struct p11prof_table *out = changes->out;
    const struct entry *before = &series->entries[point->index - 1];
    const struct entry *at = &series->entries[point->index];
    struct p11prof_cell *row = p11prof_table_add_row(out);
    char *text = differences(changes->runs, before->run_row, at->run_row);
    p11prof_table_copy_row(out, row, changes->runs, at->run_row);
    p11prof_table_set_text(out, row, "metric",
                           p11prof_table_text(changes->trend, at->trend_row, "metric", NULL));
    set_level(out, row, "before", point->before,
              is_doubtful(changes, series, point->first, point->index));
    set_level(out, row, "after", point->after,
              is_doubtful(changes, series, point->index, point->end));
    p11prof_table_set_real(out, row, "change", point->change);
    p11prof_table_set_real(out, row, "effect_low", point->low);
    p11prof_table_set_real(out, row, "effect_high", point->high);
    p11prof_table_set_real(out, row, "p_value", point->p_value);
    p11prof_table_set_integer(out, row, "before_count", (int64_t)(point->index - point->first));
    p11prof_table_set_integer(out, row, "after_count", (int64_t)(point->end - point->index));
    p11prof_table_set_text(out, row, "differences", text);
    free(text);
}

static void series_judge(const struct changes *changes, const struct series *series)
{
    struct p11prof_change_points *points = p11prof_zalloc(1, sizeof *points);
    double *values = p11prof_zalloc(series->count, sizeof *values);
    for (size_t i = 0; i < series->count; i++)
        values[i] = series->entries[i].value;
    p11prof_change_points_find(points, values, series->count);
    for (size_t i = 0; i < points->count; i++)
        row_add(changes, series, &points->points[i]);
    free(values);
    free(points);
}

/* Levels have the unit of the value. */
static void columns_add(const struct changes *changes)
{
    static const char *const levels[] = {"before", "after"};
    const struct p11prof_column *value =
        &changes->trend->columns[p11prof_table_find(changes->trend, "value")];
    p11prof_table_add_columns(changes->out, P11PROF_TREND_CHANGE_COLUMNS);
    for (size_t i = 0; i < 2; i++) {
        struct p11prof_column *level =
            &changes->out->columns[p11prof_table_find(changes->out, levels[i])];
        level->unit = value->unit;
        level->type = value->type;
    }
}

void p11prof_trend_changes(struct p11prof_table *out, const struct p11prof_table *trend,
                           const struct p11prof_table *runs)
{
    const struct changes changes = {out, trend, runs};
    struct entry *left = p11prof_zalloc(trend->row_count + 1, sizeof *left);
    struct series series = {p11prof_zalloc(trend->row_count + 1, sizeof *left), 0};
    size_t left_count = entries_read(left, &changes);
    columns_add(&changes);
    while (left_count > 0) {
        size_t kept = 0;
        struct entry first = left[0];
        series.count = 0;
        for (size_t i = 0; i < left_count; i++)
            if (same_series(&changes, first.run_row, left[i].run_row))
                series.entries[series.count++] = left[i];
            else
                left[kept++] = left[i];
        left_count = kept;
        series_judge(&changes, &series);
    }
    free(series.entries);
    free(left);
}
