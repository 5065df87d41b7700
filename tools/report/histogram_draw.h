/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* One histogram as a drawing: a line for each bin, with its count, a bar, the share of durations up
 * to there, and the percentiles that stand in it. Pure functions. */
#ifndef P11PROF_REPORT_HISTOGRAM_DRAW_H
#define P11PROF_REPORT_HISTOGRAM_DRAW_H

#include "bins.h"
#include "canvas.h"
#include "stats.h"

/* The least width that a drawing has room in; the greatest that makes sense. */
enum { P11PROF_CHART_WIDTH_LEAST = 40, P11PROF_CHART_WIDTH_MOST = 1000 };

/* Makes the drawing: a line of headings, then the bins from the first to the last one that is not
 * empty. `stats` are of the same durations. The caller clears it. */
void p11prof_histogram_draw(struct p11prof_canvas *canvas, const struct p11prof_bins *bins,
                            const uint64_t *counts, const struct p11prof_stats *stats,
                            const struct p11prof_chart_style *style);

#endif
