/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "histogram_draw.h"
#include "safe_text.h"
#include "units.h"

#include <inttypes.h>
#include <string.h>

enum { SHARE_WIDTH = 7, MARKS_WIDTH = 9, MARKS_BYTES = 32 };

/* Columns: edge, count, bar, share, marks, with a blank between each two. */
struct layout {
    const struct p11prof_bins *bins;
    const uint64_t *counts;
    const struct p11prof_stats *stats;
    size_t first, last; /* bins that are drawn */
    uint64_t most;      /* in a bin */
    size_t edge_end, count_end, bar_start, bar_length, share_end, marks_start;
};

static void edge_text(char *out, const struct p11prof_bins *bins, size_t bin)
{
    p11prof_format_round_ns(out, bins->edges_ns[bin], bins->digits);
}

static size_t digits_of(uint64_t number)
{
    char text[24];
    return (size_t)snprintf(text, sizeof text, "%" PRIu64, number);
}

static void find_bins(struct layout *layout)
{
    layout->first = layout->bins->count;
    for (size_t i = 0; i < layout->bins->count; i++) {
        if (layout->counts[i] == 0)
            continue;
        layout->first = i < layout->first ? i : layout->first;
        layout->last = i;
        layout->most = layout->counts[i] > layout->most ? layout->counts[i] : layout->most;
    }
}

static void lay_out(struct layout *layout, size_t width)
{
    size_t edge = strlen("from"), count = strlen("count");
    find_bins(layout);
    for (size_t i = 0; i < layout->bins->count; i++) {
        char text[P11PROF_UNIT_TEXT_BYTES];
        edge_text(text, layout->bins, i);
        edge = strlen(text) > edge ? strlen(text) : edge;
    }
    count = digits_of(layout->most) > count ? digits_of(layout->most) : count;
    layout->edge_end = edge;
    layout->count_end = edge + 1 + count;
    layout->bar_start = layout->count_end + 1;
    layout->marks_start = width - MARKS_WIDTH;
    layout->share_end = layout->marks_start - 1;
    size_t bar_end = layout->share_end - SHARE_WIDTH - 1;
    layout->bar_length = bar_end > layout->bar_start ? bar_end - layout->bar_start : 0;
}

/* "p50", or "p90–p99" where several stand in a bin: they are in order. */
static void marks_text(char *out, const struct layout *layout, size_t bin)
{
    static const char *const names[P11PROF_QUANTILES + 1] = {
        [P11PROF_P50] = "p50", [P11PROF_P90] = "p90",    [P11PROF_P95] = "p95",
        [P11PROF_P99] = "p99", [P11PROF_P999] = "p99.9", [P11PROF_QUANTILES] = "max"};
    const char *first = NULL, *last = NULL;
    out[0] = '\0';
    for (size_t i = 0; i <= P11PROF_QUANTILES; i++) {
        uint64_t ns = i < P11PROF_QUANTILES ? layout->stats->quantile_ns[i] : layout->stats->max_ns;
        if (p11prof_bins_find(layout->bins, ns) != bin)
            continue;
        first = first ? first : names[i];
        last = names[i];
    }
    if (first)
        snprintf(out, MARKS_BYTES, first == last ? "%s" : "%s\u2013%s", first, last);
}

static void share_text(char *out, uint64_t part, uint64_t all)
{
    p11prof_format_share(out, (double)part / (double)all);
    if (part < all && strcmp(out, "100.0 %") == 0)
        strcpy(out, "<100 %");
}

static void draw_bin(struct p11prof_canvas *canvas, const struct layout *layout, size_t bin,
                     uint64_t passed, bool ascii)
{
    char text[P11PROF_UNIT_TEXT_BYTES];
    size_t y = 1 + bin - layout->first;
    edge_text(text, layout->bins, bin);
    p11prof_canvas_text_before(canvas, layout->edge_end, y, P11PROF_INK_FRAME, text);
    snprintf(text, sizeof text, "%" PRIu64, layout->counts[bin]);
    p11prof_canvas_text_before(canvas, layout->count_end, y, P11PROF_INK_PLAIN, text);
    p11prof_canvas_bar(canvas, layout->bar_start, y, layout->bar_length, P11PROF_INK_BAR,
                       (double)layout->counts[bin] / (double)layout->most, ascii);
    share_text(text, passed, layout->stats->count);
    p11prof_canvas_text_before(canvas, layout->share_end, y, P11PROF_INK_PLAIN, text);
    marks_text(text, layout, bin);
    p11prof_canvas_text(canvas, layout->marks_start, y, P11PROF_INK_MARK, text);
}

void p11prof_histogram_draw(struct p11prof_canvas *canvas, const struct p11prof_bins *bins,
                            const uint64_t *counts, const struct p11prof_stats *stats,
                            const struct p11prof_chart_style *style)
{
    struct layout layout = {.bins = bins, .counts = counts, .stats = stats};
    uint64_t passed = 0;
    lay_out(&layout, style->width);
    if (layout.most == 0) {
        p11prof_canvas_make(canvas, style->width, 0);
        return;
    }
    p11prof_canvas_make(canvas, style->width, 2 + layout.last - layout.first);
    p11prof_canvas_text_before(canvas, layout.edge_end, 0, P11PROF_INK_FRAME, "from");
    p11prof_canvas_text_before(canvas, layout.count_end, 0, P11PROF_INK_FRAME, "count");
    p11prof_canvas_text_before(canvas, layout.share_end, 0, P11PROF_INK_FRAME, "so far");
    for (size_t i = layout.first; i <= layout.last; i++) {
        passed += counts[i];
        draw_bin(canvas, &layout, i, passed, style->ascii);
    }
}
