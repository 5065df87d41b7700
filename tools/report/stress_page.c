/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "stress.h"
#include "units.h"

#include <inttypes.h>
#include <math.h>

/* What is less is none: windows differ by that for many reasons. */
static const double effect_least = 0.01, unclear_beyond = 0.1, rise_least_celsius = 3,
                    fall_least = 0.03;
enum { LINES_MOST = 60 };

static bool real_of(const struct p11prof_table *table, size_t row, const char *column, double *out)
{
    const struct p11prof_cell *cell = p11prof_table_get(table, row, column);
    *out = cell->kind == P11PROF_CELL_REAL ? cell->real : 0;
    return cell->kind == P11PROF_CELL_REAL;
}

static bool any_stolen(const struct p11prof_table *intervals)
{
    double share;
    for (size_t i = 0; i < intervals->row_count; i++)
        if (real_of(intervals, i, "steal_share", &share) && share > 0)
            return true;
    return false;
}

static void print_intervals(struct p11prof_page *page, const struct p11prof_table *intervals)
{
    struct p11prof_table shown = {.columns = NULL};
    p11prof_table_select(&shown, intervals, P11PROF_INTERVAL_COLUMNS);
    p11prof_table_cut(&shown, LINES_MOST);
    p11prof_page_section(page, "Intervals");
    p11prof_page_table(page, &shown,
                       any_stolen(intervals)
                           ? "until_ns ops_per_s p50_ns p99_ns error_count cpu_share steal_share "
                             "temperature_celsius rss_bytes session_count"
                           : "until_ns ops_per_s p50_ns p99_ns error_count cpu_share "
                             "temperature_celsius rss_bytes session_count");
    if (intervals->row_count > LINES_MOST)
        p11prof_page_note(page, "… %zu more (view intervals)", intervals->row_count - LINES_MOST);
    p11prof_table_clear(&shown);
}

/* --- sentences --- */

static void print_sum(struct p11prof_page *page, const struct p11prof_table *findings, size_t row)
{
    char duration[P11PROF_UNIT_TEXT_BYTES];
    int64_t errors = p11prof_table_integer(findings, row, "error_count", 0);
    p11prof_format_ns(duration, (uint64_t)p11prof_table_integer(findings, row, "until_ns", 0));
    p11prof_page_note(page, "%s: %" PRId64 " operations, %" PRId64 " error%s in %s",
                      p11prof_table_text(findings, row, "test", ""),
                      p11prof_table_integer(findings, row, "count", 0), errors,
                      errors == 1 ? "" : "s", duration);
}

/* Too much varies to say more. */
static void print_unclear(struct p11prof_page *page, double effect, double low, double high)
{
    char size[P11PROF_UNIT_TEXT_BYTES], from[P11PROF_UNIT_TEXT_BYTES];
    char to[P11PROF_UNIT_TEXT_BYTES];
    p11prof_format_change(size, effect);
    p11prof_format_change(from, low);
    p11prof_format_change(to, high);
    p11prof_page_note(
        page, "degradation: unclear: time of an operation %s in the last tenth (95 %%: %s … %s)",
        size, from, to);
}

/* "4.10 % slower in the last tenth (95 %: 2.00 % … 6.30 %)"; negative numbers are faster. */
static void print_effect(struct p11prof_page *page, double effect, double low, double high)
{
    char size[P11PROF_UNIT_TEXT_BYTES], from[P11PROF_UNIT_TEXT_BYTES];
    char to[P11PROF_UNIT_TEXT_BYTES];
    bool faster = effect < 0;
    p11prof_format_change(size, fabs(effect));
    p11prof_format_change(from, faster ? -high : low);
    p11prof_format_change(to, faster ? -low : high);
    p11prof_page_note(page, "%s: %s %s in the last tenth than in the first (95 %%: %s … %s)",
                      faster ? "no degradation" : "degradation", size + (*size == '+'),
                      faster ? "faster" : "slower", from + (*from == '+'), to + (*to == '+'));
}

/* Whether it is slower for sure. */
static bool print_degradation(struct p11prof_page *page, const struct p11prof_table *findings,
                              size_t row)
{
    char most[P11PROF_UNIT_TEXT_BYTES];
    double effect, low = 0, high = 0;
    if (!real_of(findings, row, "effect", &effect)) {
        p11prof_page_note(page,
                          "degradation: unknown: %s in a tenth (a longer --duration has more)",
                          p11prof_table_text(findings, row, "reason", ""));
        return false;
    }
    real_of(findings, row, "effect_low", &low);
    real_of(findings, row, "effect_high", &high);
    if (fabs(effect) >= effect_least && (low > 0 || high < 0)) {
        print_effect(page, effect, low, high);
        return effect > 0;
    }
    if (high > unclear_beyond) {
        print_unclear(page, effect, low, high);
        return false;
    }
    p11prof_format_change(most, fmax(high, 0));
    p11prof_page_note(page, "no degradation beyond %s in the last tenth (95 %%)",
                      most + (*most == '+'));
    return false;
}

static void print_throttling(struct p11prof_page *page, const struct p11prof_table *findings,
                             size_t row)
{
    char fall[P11PROF_UNIT_TEXT_BYTES], text[128] = "";
    double rise, change;
    bool hot =
        real_of(findings, row, "temperature_change_celsius", &rise) && rise >= rise_least_celsius;
    bool slow = real_of(findings, row, "frequency_change", &change) && change <= -fall_least;
    if (!hot && !slow)
        return;
    p11prof_format_change(fall, change);
    if (slow)
        snprintf(text, sizeof text, "%sthe processors' frequency changed by %s", hot ? ", " : "",
                 fall);
    if (hot)
        p11prof_page_note(page, "thermal throttling? it got %.1f °C hotter%s", rise, text);
    else
        p11prof_page_note(page, "thermal throttling? %s", text);
}

static void print_growth(struct p11prof_page *page, const struct p11prof_table *findings,
                         size_t row)
{
    char bytes[P11PROF_UNIT_TEXT_BYTES];
    int64_t growth_bytes = p11prof_table_integer(findings, row, "rss_growth_bytes", 0);
    if (growth_bytes <= 0)
        return;
    p11prof_format_bytes(bytes, (uint64_t)growth_bytes);
    p11prof_page_note(page, "RSS grew by %s: does the module leak?", bytes);
}

void p11prof_stress_page(struct p11prof_page *page, const struct p11prof_stress *stress,
                         bool intervals)
{
    const struct p11prof_table *findings = &stress->findings;
    if (intervals && stress->intervals.row_count > 0)
        print_intervals(page, &stress->intervals);
    if (findings->row_count > 0)
        p11prof_page_section(page, "Stress");
    for (size_t i = 0; i < findings->row_count; i++) {
        print_sum(page, findings, i);
        if (print_degradation(page, findings, i))
            print_throttling(page, findings, i);
        print_growth(page, findings, i);
    }
}
