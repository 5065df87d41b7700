/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "timeline_draw.h"
#include "allocate.h"
#include "timeline_panels.h"
#include "units.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>

enum { LEFT = 9, CELLS_MOST = 8, BAND = 7, ITERATIONS_BAND = 12, VALUES = 3, ERRORS = 2 };
enum { LINES = 1 + ITERATIONS_BAND + 2 * (1 + VALUES) + 1 + ERRORS + 2 };

size_t p11prof_timeline_room(const struct p11prof_chart_style *style)
{
    size_t room = style->width > LEFT ? style->width - LEFT : 1;
    return room < P11PROF_STEPS_MOST ? room : P11PROF_STEPS_MOST;
}

static struct p11prof_stats *stats_of(const struct p11prof_timeline *timeline)
{
    struct p11prof_stats *stats = p11prof_zalloc(timeline->count, sizeof *stats);
    for (size_t i = 0; i < timeline->count; i++)
        p11prof_stats_of_buckets(&stats[i], &timeline->steps[i].sums, &timeline->steps[i].buckets);
    return stats;
}

/* Starts a panel of that many lines below the last one, under a line of text. */
__attribute__((format(printf, 3, 4))) static void next_panel(struct p11prof_plot *plot,
                                                             size_t height, const char *format, ...)
{
    char text[128];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    plot->top += plot->height;
    p11prof_canvas_text(plot->canvas, 0, plot->top++, P11PROF_INK_PLAIN, text);
    plot->height = height;
}

static void draw_band(struct p11prof_plot *plot, size_t height, bool with_most)
{
    next_panel(plot, height, "latency: %s%s", plot->ascii ? "o p50, + p99, * both" : "p50 to p99",
               with_most ? plot->ascii ? ", . max" : ", \u00B7 max" : "");
    p11prof_plot_band(plot, with_most);
}

/* Columns of values, under a line that says their mean and the largest. */
static void draw_values(struct p11prof_plot *plot, const char *name,
                        double (*value)(const struct p11prof_timeline *, size_t))
{
    const struct p11prof_timeline *timeline = plot->timeline;
    char mean_text[P11PROF_UNIT_TEXT_BYTES], most_text[P11PROF_UNIT_TEXT_BYTES];
    double *values = p11prof_zalloc(timeline->count, sizeof *values);
    double sum = 0, most = 0;
    for (size_t i = 0; i < timeline->count; i++) {
        values[i] = value(timeline, i);
        sum += values[i];
        most = fmax(most, values[i]);
    }
    p11prof_format_rate(mean_text, sum / (double)timeline->count);
    p11prof_format_rate(most_text, most);
    next_panel(plot, VALUES, "%s: mean %s, most %s", name, mean_text, most_text);
    p11prof_plot_values(plot, values, P11PROF_INK_BAR);
    free(values);
}

static void draw_errors(struct p11prof_plot *plot)
{
    const struct p11prof_timeline *timeline = plot->timeline;
    double *values = p11prof_zalloc(timeline->count, sizeof *values);
    double sum = 0;
    for (size_t i = 0; i < timeline->count; i++) {
        values[i] = (double)timeline->steps[i].error_count;
        sum += values[i];
    }
    next_panel(plot, sum > 0 ? ERRORS : 0, sum > 0 ? "errors: %.0f" : "errors: none", sum);
    if (sum > 0)
        p11prof_plot_values(plot, values, P11PROF_INK_BAD);
    free(values);
}

static void draw_axis(struct p11prof_plot *plot, bool of_time)
{
    plot->top += plot->height;
    p11prof_plot_axis(plot, of_time);
    plot->canvas->height = plot->top + 2;
}

static void start(struct p11prof_plot *plot, struct p11prof_canvas *canvas,
                  const struct p11prof_timeline *timeline, const struct p11prof_stats *stats,
                  const struct p11prof_chart_style *style)
{
    size_t cells = p11prof_timeline_room(style) / timeline->count;
    p11prof_canvas_make(canvas, style->width, LINES);
    *plot = (struct p11prof_plot){
        .canvas = canvas,
        .timeline = timeline,
        .stats = stats,
        .left = LEFT,
        .cells = cells < 1            ? 1
                 : cells < CELLS_MOST ? cells
                                      : CELLS_MOST,
        .ascii = style->ascii,
    };
}

void p11prof_timeline_draw(struct p11prof_canvas *canvas, const struct p11prof_timeline *timeline,
                           const struct p11prof_chart_style *style)
{
    struct p11prof_stats *stats = stats_of(timeline);
    struct p11prof_plot plot;
    start(&plot, canvas, timeline, stats, style);
    bool timed = p11prof_timeline_is_timed(timeline);
    if (timed)
        draw_band(&plot, BAND, false);
    draw_values(&plot, "calls/s", p11prof_timeline_rate);
    if (timed)
        draw_values(&plot, "in flight", p11prof_timeline_in_flight);
    draw_errors(&plot);
    draw_axis(&plot, true);
    free(stats);
}

void p11prof_iterations_draw(struct p11prof_canvas *canvas, const struct p11prof_timeline *timeline,
                             const struct p11prof_chart_style *style)
{
    struct p11prof_stats *stats = stats_of(timeline);
    struct p11prof_plot plot;
    start(&plot, canvas, timeline, stats, style);
    draw_band(&plot, ITERATIONS_BAND, true);
    draw_errors(&plot);
    draw_axis(&plot, false);
    free(stats);
}
