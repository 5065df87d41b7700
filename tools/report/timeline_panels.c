/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "timeline_panels.h"
#include "round_steps.h"
#include "safe_text.h"
#include "units.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { LABEL_ROOM = 8, LEVELS = 2 /* of a line */ };

/* A log scale of `levels`, from the bottom. */
struct scale {
    double low, high;
    size_t levels;
};

static void fit(struct scale *scale, const struct p11prof_plot *plot, bool with_most)
{
    double least = INFINITY, most = 1;
    for (size_t i = 0; i < plot->timeline->count; i++) {
        const struct p11prof_stats *stats = &plot->stats[i];
        if (stats->count == 0)
            continue;
        least = fmin(least, (double)stats->quantile_ns[P11PROF_P50]);
        most = fmax(most, (double)(with_most ? stats->max_ns : stats->quantile_ns[P11PROF_P99]));
    }
    scale->low = p11prof_round_down(fmax(fmin(least, most), 1));
    scale->high = p11prof_round_up(most);
    if (scale->high <= scale->low)
        scale->high = 1.5 * scale->low;
    scale->levels = LEVELS * plot->height;
}

static size_t level_of(const struct scale *scale, double ns)
{
    double part = log(fmax(ns, 1) / scale->low) / log(scale->high / scale->low);
    double level = floor(part * (double)scale->levels);
    return level < 0 ? 0 : level < (double)scale->levels ? (size_t)level : scale->levels - 1;
}

static size_t line_of(const struct p11prof_plot *plot, size_t level)
{
    return plot->top + plot->height - 1 - level / LEVELS;
}

static void put(const struct p11prof_plot *plot, size_t step, size_t line, enum p11prof_ink ink,
                uint32_t character)
{
    for (size_t i = 0; i < plot->cells; i++)
        p11prof_canvas_put(plot->canvas, plot->left + step * plot->cells + i, line, ink, character);
}

/* Labels where round values are, rounder ones first, with a line between each two. */
static void label_scale(const struct p11prof_plot *plot, const struct scale *scale)
{
    static const double mantissas[] = {1, 5, 2, 3, 1.5, 7};
    uint64_t taken = 0;
    for (size_t i = 0; i < sizeof mantissas / sizeof mantissas[0]; i++) {
        for (double ns = mantissas[i]; ns <= 1.001 * scale->high; ns *= 10) {
            char text[P11PROF_UNIT_TEXT_BYTES];
            size_t line = level_of(scale, ns) / LEVELS;
            if (ns < 0.999 * scale->low || taken & UINT64_C(7) << line)
                continue;
            taken |= UINT64_C(2) << line;
            p11prof_format_round_ns(text, (uint64_t)(ns + 0.5), 2);
            p11prof_canvas_text_before(plot->canvas, plot->left - 1,
                                       plot->top + plot->height - 1 - line, P11PROF_INK_FRAME,
                                       text);
        }
    }
}

static uint32_t band_character(const struct p11prof_plot *plot, size_t line, size_t low,
                               size_t high)
{
    bool has_low = line_of(plot, low) == line, has_high = line_of(plot, high) == line;
    if (plot->ascii)
        return has_low && has_high ? '*' : has_low ? 'o' : has_high ? '+' : ':';
    if (has_low && low % LEVELS == 1)
        return 0x2580; /* its upper half */
    return has_high && high % LEVELS == 0 ? 0x2584 : 0x2588;
}

void p11prof_plot_band(const struct p11prof_plot *plot, bool with_most)
{
    struct scale scale;
    fit(&scale, plot, with_most);
    label_scale(plot, &scale);
    for (size_t i = 0; i < plot->timeline->count; i++) {
        const struct p11prof_stats *stats = &plot->stats[i];
        if (stats->count == 0)
            continue;
        size_t low = level_of(&scale, (double)stats->quantile_ns[P11PROF_P50]);
        size_t high = level_of(&scale, (double)stats->quantile_ns[P11PROF_P99]);
        size_t most = line_of(plot, level_of(&scale, (double)stats->max_ns));
        for (size_t line = line_of(plot, high); line <= line_of(plot, low); line++)
            put(plot, i, line, line == line_of(plot, low) ? P11PROF_INK_MARK : P11PROF_INK_BAR,
                band_character(plot, line, low, high));
        if (with_most && most < line_of(plot, high))
            put(plot, i, most, P11PROF_INK_PLAIN, 0xB7);
    }
}

void p11prof_plot_values(const struct p11prof_plot *plot, const double *values,
                         enum p11prof_ink ink)
{
    char text[P11PROF_UNIT_TEXT_BYTES];
    double most = 0;
    for (size_t i = 0; i < plot->timeline->count; i++)
        most = fmax(most, values[i]);
    double top = p11prof_round_up(most);
    p11prof_format_rate(text, top);
    p11prof_canvas_text_before(plot->canvas, plot->left - 1, plot->top, P11PROF_INK_FRAME, text);
    p11prof_canvas_text_before(plot->canvas, plot->left - 1, plot->top + plot->height - 1,
                               P11PROF_INK_FRAME, "0");
    for (size_t i = 0; i < plot->timeline->count && top > 0; i++)
        for (size_t cell = 0; cell < plot->cells; cell++)
            p11prof_canvas_column(plot->canvas, plot->left + i * plot->cells + cell, plot->top,
                                  plot->height, ink, values[i] / top, plot->ascii);
}

static void tick_text(char *out, uint64_t value, uint64_t tick, bool of_time)
{
    if (of_time)
        p11prof_format_tick(out, value, tick);
    else
        snprintf(out, P11PROF_UNIT_TEXT_BYTES, "%" PRIu64, value == 0 ? 1 : value);
}

void p11prof_plot_axis(const struct p11prof_plot *plot, bool of_time)
{
    const struct p11prof_timeline *timeline = plot->timeline;
    size_t length = timeline->count * plot->cells;
    uint64_t all = timeline->end_ns - timeline->start_ns;
    uint64_t tick = p11prof_round_tick(all, length > LABEL_ROOM ? length / LABEL_ROOM : 1);
    size_t free_from = 0; /* column where a label may stand */
    uint64_t first = (timeline->start_ns + tick - 1) / tick * tick;
    p11prof_canvas_put(plot->canvas, plot->left - 1, plot->top, P11PROF_INK_FRAME, 0x2514);
    for (size_t i = 0; i < length; i++)
        p11prof_canvas_put(plot->canvas, plot->left + i, plot->top, P11PROF_INK_FRAME, 0x2500);
    for (uint64_t value = first; value < timeline->start_ns + all; value += tick) {
        char text[P11PROF_UNIT_TEXT_BYTES];
        size_t x =
            plot->left + (size_t)((value - timeline->start_ns) / timeline->step_ns) * plot->cells;
        tick_text(text, value, tick, of_time);
        p11prof_canvas_put(plot->canvas, x, plot->top, P11PROF_INK_FRAME, 0x252C);
        if (x < free_from || x + strlen(text) > plot->canvas->width)
            continue;
        p11prof_canvas_text(plot->canvas, x, plot->top + 1, P11PROF_INK_FRAME, text);
        free_from = x + strlen(text) + 1;
    }
}
