/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* A timeline as a drawing: panels above one another, a column or a few for each step. Pure
 * functions. */
#ifndef P11PROF_REPORT_TIMELINE_DRAW_H
#define P11PROF_REPORT_TIMELINE_DRAW_H

#include "canvas.h"
#include "timeline.h"

/* How many steps a line has room for. */
size_t p11prof_timeline_room(const struct p11prof_chart_style *style);

/* Makes the drawing of a finished timeline: the band of p50 to p99 (a gap where nothing was
 * called), successes a second, calls in flight, errors where there are any; 21 lines at most.
 * The caller clears it. */
void p11prof_timeline_draw(struct p11prof_canvas *canvas, const struct p11prof_timeline *timeline,
                           const struct p11prof_chart_style *style);

/* The same of operations in their order: a step is step_ns of them, start_ns their number before
 * the first. The band, with the longest of each step as a dot, and errors. */
void p11prof_iterations_draw(struct p11prof_canvas *canvas, const struct p11prof_timeline *timeline,
                             const struct p11prof_chart_style *style);

#endif
