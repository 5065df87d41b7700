/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "ramp.h"
#include "report_tables.h"
#include "units.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { NAMES_BYTES = 256 };

static bool any_known(const struct p11prof_table *table, const char *column)
{
    for (size_t i = 0; i < table->row_count; i++)
        if (p11prof_table_get(table, i, column)->kind != P11PROF_CELL_NULL)
            return true;
    return false;
}

static bool any_above(const struct p11prof_table *table, const char *column, int64_t limit)
{
    for (size_t i = 0; i < table->row_count; i++)
        if (p11prof_table_integer(table, i, column, INT64_MIN) > limit)
            return true;
    return false;
}

/* The rows of one ramp. */
static void rows_of(struct p11prof_table *out, const struct p11prof_ramps *ramps,
                    const struct p11prof_ramp *ramp)
{
    p11prof_table_add_columns(out, P11PROF_RAMP_STEP_COLUMNS);
    for (size_t i = 0; i < ramp->count; i++)
        p11prof_table_copy_row(out, p11prof_table_add_row(out), &ramps->steps, ramp->first + i);
}

static void print_steps(struct p11prof_page *page, const struct p11prof_ramps *ramps,
                        const struct p11prof_ramp *ramp)
{
    struct p11prof_table steps = {.columns = NULL};
    char names[NAMES_BYTES] = "";
    rows_of(&steps, ramps, ramp);
    const struct {
        const char *names;
        bool needed;
    } columns[] = {
        {p11prof_ramp_word(ramp->of), true},
        {"ops_per_s", true},
        {"ops_per_s_low ops_per_s_high", any_known(&steps, "ops_per_s_low")},
        {"p50_ns p99_ns", true},
        {"efficiency", any_known(&steps, "efficiency")},
        {"missed_count", any_known(&steps, "missed_count")},
        {"error_count", any_above(&steps, "error_count", 0)},
        {"verdict", any_known(&steps, "verdict")},
    };
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
        strcat(names, columns[i].needed ? columns[i].names : "");
        strcat(names, " ");
    }
    p11prof_page_table(page, &steps, names);
    p11prof_table_clear(&steps);
}

/* ", threads: 8": of rates. */
static void threads_text(char out[64], const struct p11prof_ramps *ramps,
                         const struct p11prof_ramp *ramp)
{
    int64_t threads = p11prof_table_integer(&ramps->steps, ramp->first, "threads", 1) *
                      p11prof_table_integer(&ramps->steps, ramp->first, "processes", 1);
    *out = '\0';
    if (ramp->of == P11PROF_RAMP_RATE)
        snprintf(out, 64, ", threads: %" PRId64, threads);
}

/* "Ramp: sha-256, 1 to 64 threads", "Ramp: sha-256, 8 threads", "Search: sha-256, threads: 8" */
static void print_section(struct p11prof_page *page, const struct p11prof_ramps *ramps,
                          const struct p11prof_ramp *ramp)
{
    char last[P11PROF_RAMP_TEXT_BYTES], first[P11PROF_UNIT_TEXT_BYTES], threads[64];
    const char *test = p11prof_table_text(&ramps->steps, ramp->first, "test", "");
    threads_text(threads, ramps, ramp);
    if (ramp->searched) {
        p11prof_page_section(page, "Search: %.200s%s", test, threads);
        return;
    }
    p11prof_ramp_value_text(last, ramp->of, ramp->steps[ramp->count - 1].value);
    if (ramp->count == 1) {
        p11prof_page_section(page, "Ramp: %.200s, %.40s%s", test, last, threads);
        return;
    }
    p11prof_format_rate(first, ramp->steps[0].value);
    if (ramp->of != P11PROF_RAMP_RATE)
        snprintf(first, sizeof first, "%.0f", ramp->steps[0].value);
    p11prof_page_section(page, "Ramp: %.200s, %s to %.40s%s", test, first, last, threads);
}

static void print_chart(struct p11prof_page *page, const struct p11prof_ramp *ramp,
                        const struct p11prof_chart_style *style)
{
    struct p11prof_canvas canvas = {.cells = NULL};
    bool markdown = page->format == P11PROF_FORMAT_MARKDOWN;
    if (style->width == 0 || page->take || ramp->count < 2)
        return;
    p11prof_ramp_draw(&canvas, ramp, style);
    fputs(markdown ? "\n```\n" : "\n", page->stream);
    p11prof_canvas_print(&canvas, page->stream, style);
    fputs(markdown ? "```\n" : "", page->stream);
    p11prof_canvas_clear(&canvas);
}

static void print_ramp(struct p11prof_page *page, const struct p11prof_ramps *ramps,
                       const struct p11prof_ramp *ramp, const struct p11prof_chart_style *style)
{
    char text[P11PROF_RAMP_TEXT_BYTES];
    print_section(page, ramps, ramp);
    print_steps(page, ramps, ramp);
    p11prof_ramp_objective_text(text, ramp);
    if (*text)
        p11prof_page_note(page, "%s", text);
    p11prof_ramp_text(text, ramp);
    if (*text)
        p11prof_page_note(page, "%s", text);
    print_chart(page, ramp, style);
}

void p11prof_ramp_page(struct p11prof_page *page, const struct p11prof_ramps *ramps,
                       const struct p11prof_chart_style *style)
{
    for (size_t i = 0; i < ramps->ramp_count; i++)
        print_ramp(page, ramps, &ramps->ramps[i], style);
}
