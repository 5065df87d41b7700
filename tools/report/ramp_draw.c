/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "ramp.h"
#include "round_steps.h"
#include "units.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { LEFT = 9, CELLS_MOST = 8, HEIGHT = 6, LINES = 2 * (1 + HEIGHT) + 2, LABEL_BYTES = 32 };
enum { LINEAR_MOST = 10 };

struct plot {
    struct p11prof_canvas *canvas;
    const struct p11prof_ramp *ramp;
    size_t top, cells; /* line of the panel in hand; of a step, with the gap behind it */
    bool ascii;
};

static double rate_of(const struct p11prof_ramp_step *step)
{
    return step->ops_per_s;
}

static double p99_of(const struct p11prof_ramp_step *step)
{
    return step->p99_ns;
}

/* The step that an arrow points at. */
static size_t marked(const struct p11prof_ramp *ramp)
{
    return ramp->searched ? ramp->verdict.met : ramp->verdict.best;
}

static enum p11prof_ink ink_of(const struct p11prof_ramp *ramp, size_t step)
{
    if (!p11prof_ramp_step_works(&ramp->steps[step]))
        return P11PROF_INK_BAD;
    return step == marked(ramp) ? P11PROF_INK_MARK : P11PROF_INK_BAR;
}

static void draw_step(const struct plot *plot, size_t step, double share)
{
    size_t width = plot->cells > 1 ? plot->cells - 1 : 1;
    for (size_t i = 0; i < width; i++)
        p11prof_canvas_column(plot->canvas, LEFT + step * plot->cells + i, plot->top, HEIGHT,
                              ink_of(plot->ramp, step), share, plot->ascii);
}

/* From 0, or on a log scale where they differ by more. */
struct scale {
    double low, high;
};

static struct scale fit(const struct p11prof_ramp *ramp,
                        double (*value)(const struct p11prof_ramp_step *), bool log_allowed)
{
    double least = INFINITY, most = 0;
    for (size_t i = 0; i < ramp->count; i++) {
        double own = value(&ramp->steps[i]);
        most = fmax(most, own);
        least = own > 0 ? fmin(least, own) : least;
    }
    bool far_apart = log_allowed && most > LINEAR_MOST * least;
    return (struct scale){far_apart ? p11prof_round_down(least / 2) : 0, most};
}

static double share_of(const struct scale *scale, double value)
{
    if (scale->low > 0)
        return value > 0 ? log(value / scale->low) / log(scale->high / scale->low) : 0;
    return value / scale->high;
}

/* Columns under a line of text, with the ends of the scale beside them. */
static void draw_panel(struct plot *plot, const char *name,
                       double (*value)(const struct p11prof_ramp_step *),
                       void (*format)(char *, double))
{
    char label[P11PROF_UNIT_TEXT_BYTES];
    const struct scale scale = fit(plot->ramp, value, value == p99_of);
    p11prof_canvas_text(plot->canvas, 0, plot->top++, P11PROF_INK_PLAIN, name);
    format(label, scale.high);
    p11prof_canvas_text_before(plot->canvas, LEFT - 1, plot->top, P11PROF_INK_FRAME, label);
    strcpy(label, "0");
    if (scale.low > 0)
        format(label, scale.low);
    p11prof_canvas_text_before(plot->canvas, LEFT - 1, plot->top + HEIGHT - 1, P11PROF_INK_FRAME,
                               label);
    for (size_t i = 0; i < plot->ramp->count && scale.high > 0; i++)
        draw_step(plot, i, share_of(&scale, value(&plot->ramp->steps[i])));
    plot->top += HEIGHT;
}

static void format_time(char *out, double ns)
{
    p11prof_format_ns(out, (uint64_t)ns);
}

/* Values below their columns, as far as they find room; "max" where there was no schedule. */
static void draw_axis(const struct plot *plot)
{
    const struct p11prof_ramp *ramp = plot->ramp;
    char label[LABEL_BYTES];
    size_t free_from = 0;
    for (size_t i = 0; i < ramp->count; i++) {
        size_t x = LEFT + i * plot->cells;
        if (ramp->steps[i].value > 0)
            p11prof_format_rate(label, ramp->steps[i].value);
        else
            strcpy(label, "max");
        if (ramp->of != P11PROF_RAMP_RATE)
            snprintf(label, sizeof label, "%.0f", ramp->steps[i].value);
        if (x < free_from)
            continue;
        p11prof_canvas_text(plot->canvas, x, plot->top, P11PROF_INK_FRAME, label);
        free_from = x + strlen(label) + 1;
    }
    p11prof_canvas_text(plot->canvas, 0, plot->top, P11PROF_INK_FRAME, p11prof_ramp_word(ramp->of));
    if (marked(ramp) != P11PROF_RAMP_NONE)
        p11prof_canvas_text(plot->canvas, LEFT + marked(ramp) * plot->cells, plot->top + 1,
                            P11PROF_INK_MARK,
                            ramp->searched                  ? "^ holds it"
                            : ramp->of == P11PROF_RAMP_RATE ? "^ knee"
                                                            : "^ best");
}

void p11prof_ramp_draw(struct p11prof_canvas *canvas, const struct p11prof_ramp *ramp,
                       const struct p11prof_chart_style *style)
{
    size_t room = style->width > LEFT ? style->width - LEFT : 1;
    size_t cells = room / (ramp->count ? ramp->count : 1);
    struct plot plot = {.canvas = canvas,
                        .ramp = ramp,
                        .cells = cells < 1            ? 1
                                 : cells < CELLS_MOST ? cells
                                                      : CELLS_MOST,
                        .ascii = style->ascii};
    p11prof_canvas_make(canvas, style->width, LINES);
    draw_panel(&plot, "ops/s", rate_of, p11prof_format_rate);
    draw_panel(&plot, "p99", p99_of, format_time);
    draw_axis(&plot);
}
