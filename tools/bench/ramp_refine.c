/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "ramp.h"

#include "../report/ramp.h"

#include <math.h>

/* A p99 of twice that of the best step is no accident; a tenth more threads, or a 20th more rate,
 * is as near as it pays to look. */
static const double latency_ratio = 2, count_gap = 0.1, rate_gap = 0.05;
enum { BEYOND = 2, DIGITS = 3 };

static bool fails(const struct p11prof_ramp *ramp, size_t behind)
{
    return !p11prof_ramp_step_works(&ramp->steps[ramp->count - 1 - behind]);
}

bool ramp_is_over(const struct p11prof_ramp *ramp)
{
    const struct p11prof_ramp_verdict *verdict = &ramp->verdict;
    if (ramp->count < BEYOND)
        return false;
    if (ramp->of == P11PROF_RAMP_RATE)
        return !p11prof_ramp_step_held(&ramp->steps[ramp->count - 1]) &&
               !p11prof_ramp_step_held(&ramp->steps[ramp->count - 2]);
    if (fails(ramp, 0) && fails(ramp, 1))
        return true;
    if (verdict->best == P11PROF_RAMP_NONE || ramp->count - 1 - verdict->best < BEYOND ||
        fails(ramp, 0))
        return false;
    return ramp->steps[ramp->count - 1].p99_ns >= latency_ratio * ramp->steps[verdict->best].p99_ns;
}

static double refine_count(const struct p11prof_ramp *ramp)
{
    size_t best = ramp->verdict.best;
    if (best == P11PROF_RAMP_NONE || best == 0)
        return 0;
    double high = ramp->steps[best].value, low = ramp->steps[best - 1].value;
    return high - low > fmax(1, count_gap * high) ? floor((low + high) / 2) : 0;
}

static double refine_rate(const struct p11prof_ramp *ramp)
{
    const struct p11prof_ramp_verdict *verdict = &ramp->verdict;
    if (verdict->held == P11PROF_RAMP_NONE || verdict->beyond == P11PROF_RAMP_NONE)
        return 0;
    double low = ramp->steps[verdict->held].value, high = ramp->steps[verdict->beyond].value;
    double middle = ramp_round((low + high) / 2, DIGITS);
    return high > low * (1 + rate_gap) && middle > low && middle < high ? middle : 0;
}

double ramp_refine(const struct p11prof_ramp *ramp)
{
    return ramp->of == P11PROF_RAMP_RATE ? refine_rate(ramp) : refine_count(ramp);
}
