/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "bench_rates.h"
#include "bench_mixes.h"
#include "bench_text.h"
#include "ramp.h"
#include "units.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Random arrivals differ from their mean by so many standard deviations once in a thousand runs. */
static const double deviations = 3.3, enough = 0.99;
/* Threads that are in the module for less of their time wait for something else. */
static const double busy_least = 0.75;

static double real(const struct p11prof_table *table, size_t row, const char *column)
{
    const struct p11prof_cell *cell = p11prof_table_get(table, row, column);
    return cell->kind == P11PROF_CELL_REAL ? cell->real : 0;
}

/* Of successes, and of all that were done. */
static double done_per_s(const struct p11prof_table *loads, size_t row, int64_t count)
{
    int64_t successes = count - p11prof_table_integer(loads, row, "error_count", 0);
    double per_s = real(loads, row, "ops_per_s");
    return successes > 0 ? per_s * (double)count / (double)successes : per_s;
}

/* By how much all calls were longer than the usual one. Without a median nothing is known of it. */
static double excess_ns(const struct p11prof_table *loads, size_t row, int64_t count)
{
    int64_t usual_ns = p11prof_table_integer(loads, row, "service_p50_ns", 0);
    double excess =
        (double)p11prof_table_integer(loads, row, "total_ns", 0) - (double)usual_ns * (double)count;
    return usual_ns > 0 ? fmax(excess, 0) : 0;
}

/* Whether as much as is needed would have been done without the time of long calls. */
static bool has_stalled(const struct p11prof_bench_rate *rate, int64_t count, double excess)
{
    if (rate->done_per_s <= 0)
        return false;
    double stalled_s = excess / 1e9 / (double)rate->thread_count;
    return (double)count >= rate->needed_per_s * ((double)count / rate->done_per_s - stalled_s);
}

/* Of what was wanted. Of few operations one may fall behind the end. */
static double needed_part(double count, bool random)
{
    if (random)
        return count > 0 ? enough - deviations / sqrt(count) : enough;
    return fmin(enough, count / (count + 1));
}

bool p11prof_bench_rate_of(struct p11prof_bench_rate *out, const struct p11prof_table *loads,
                           size_t row)
{
    int64_t count = 0;
    double total_ns = 0, excess = 0;
    *out = (struct p11prof_bench_rate){0};
    if (p11prof_table_get(loads, row, "missed_count")->kind != P11PROF_CELL_INTEGER)
        return false;
    for (size_t i = 0; i < loads->row_count; i++) {
        if (i != row && !p11prof_same_mix(loads, row, i))
            continue;
        int64_t own = p11prof_table_integer(loads, i, "count", 0);
        count += own;
        out->wanted_per_s += real(loads, i, "rate");
        out->done_per_s += done_per_s(loads, i, own);
        out->missed_count += p11prof_table_integer(loads, i, "missed_count", 0);
        total_ns += (double)p11prof_table_integer(loads, i, "total_ns", 0);
        excess += excess_ns(loads, i, own);
    }
    out->thread_count = p11prof_table_integer(loads, row, "threads", 1) *
                        p11prof_table_integer(loads, row, "processes", 1);
    if (count > 0)
        out->busy = total_ns / 1e9 / (double)count * out->done_per_s / (double)out->thread_count;
    bool random = strcmp(p11prof_table_text(loads, row, "arrivals", ""), "poisson") == 0;
    out->needed_per_s = needed_part((double)count, random) * out->wanted_per_s;
    out->stalled = out->busy < busy_least && has_stalled(out, count, excess);
    out->held = out->missed_count == 0 && (out->done_per_s >= out->needed_per_s || out->stalled);
    return true;
}

void p11prof_bench_rate_text(char out[P11PROF_BENCH_RATE_BYTES],
                             const struct p11prof_bench_rate *rate)
{
    char wanted[P11PROF_UNIT_TEXT_BYTES], done[P11PROF_UNIT_TEXT_BYTES], missed[64] = "";
    char saturated[64];
    const char *reason = "";
    p11prof_format_rate(wanted, rate->wanted_per_s);
    p11prof_format_rate(done, rate->done_per_s);
    if (rate->missed_count > 0)
        snprintf(missed, sizeof missed, "; %" PRId64 " operation%s never began", rate->missed_count,
                 rate->missed_count == 1 ? "" : "s");
    snprintf(saturated, sizeof saturated, ": the token is saturated with %" PRId64 " thread%s",
             rate->thread_count, rate->thread_count == 1 ? "" : "s");
    if (!rate->held && rate->busy >= busy_least)
        reason = saturated;
    else if (!rate->held && rate->stalled)
        reason = ": the token stalled, some calls took much longer than others";
    else if (!rate->held)
        reason = ": the threads were kept from it by other work, not by the token";
    snprintf(out, P11PROF_BENCH_RATE_BYTES, "%s/s were wanted, %s/s were done%s%s", wanted, done,
             missed, reason);
}

void p11prof_bench_rates_page(struct p11prof_page *page, const struct p11prof_table *loads)
{
    struct p11prof_bench_rate rate;
    char load[512], text[P11PROF_BENCH_RATE_BYTES];
    bool titled = false;
    for (size_t i = 0; i < loads->row_count; i++) {
        bool alone = p11prof_load_is_alone(loads, i);
        if ((!alone && !p11prof_mix_begins(loads, i)) || !p11prof_bench_rate_of(&rate, loads, i) ||
            rate.held || p11prof_load_is_ramp(loads, i))
            continue;
        if (!titled)
            p11prof_page_section(page, "Rates that were not held");
        titled = true;
        p11prof_bench_describe(load, sizeof load, loads, i);
        if (!alone)
            snprintf(load, sizeof load, "mix %" PRId64, p11prof_table_integer(loads, i, "mix", 0));
        p11prof_bench_rate_text(text, &rate);
        p11prof_page_note(page, "%s: %s", load, text);
    }
}
