/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The panels of a timeline, for timeline_draw.c only. A plot is the part of a canvas that a
 * panel's values stand in; its labels stand left of it. */
#ifndef P11PROF_REPORT_TIMELINE_PANELS_H
#define P11PROF_REPORT_TIMELINE_PANELS_H

#include "canvas.h"
#include "timeline.h"

struct p11prof_plot {
    struct p11prof_canvas *canvas;
    const struct p11prof_timeline *timeline;
    const struct p11prof_stats *stats; /* of each step */
    size_t left;                       /* first column */
    size_t cells;                      /* columns of a step */
    size_t top, height;                /* lines */
    bool ascii;
};

/* The band from p50 to p99 on a log scale. with_most: the longest too. */
void p11prof_plot_band(const struct p11prof_plot *plot, bool with_most);

/* Columns from 0 to the largest value. */
void p11prof_plot_values(const struct p11prof_plot *plot, const double *values,
                         enum p11prof_ink ink);

/* The axis of steps, in the lines `top` and the one below it: times, or numbers. */
void p11prof_plot_axis(const struct p11prof_plot *plot, bool of_time);

#endif
