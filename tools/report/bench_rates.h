/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Loads that follow a schedule, among the results of a bench: whether the token kept up. */
#ifndef P11PROF_REPORT_BENCH_RATES_H
#define P11PROF_REPORT_BENCH_RATES_H

#include "page.h"
#include "table.h"

/* What was wanted and what was done, of a load or of the whole mix that it is in. */
struct p11prof_bench_rate {
    double wanted_per_s, done_per_s; /* failed operations are done, too */
    double needed_per_s;             /* that are to be done at least */
    int64_t missed_count;            /* that were due and never began */
    int64_t thread_count;            /* of all processes */
    double busy;                     /* part of their time in the module */
    bool stalled; /* the token has time to spare, and what was late was so for long calls */
    bool held; /* none was missed, and 99 % of what was wanted, or all but one, or as many as chance
                  explains, were done in the time in which they were due, or later for a stall */
};

/* False: the row follows no schedule, or a selection took only a part of it. */
bool p11prof_bench_rate_of(struct p11prof_bench_rate *out, const struct p11prof_table *loads,
                           size_t row);

/* "500/s were wanted, 312/s were done; 1880 operations never began: the token is saturated with 1
 * thread" */
enum { P11PROF_BENCH_RATE_BYTES = 256 };
void p11prof_bench_rate_text(char out[P11PROF_BENCH_RATE_BYTES],
                             const struct p11prof_bench_rate *rate);

/* Says which loads were not done as fast as their schedule wanted, if there are any. */
void p11prof_bench_rates_page(struct p11prof_page *page, const struct p11prof_table *loads);

#endif
