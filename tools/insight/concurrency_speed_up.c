/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "concurrency_speed_up.h"
#include "concurrency_work.h"
#include "report/student.h"

#include <math.h>
#include <stdlib.h>

static const double in_turn_most = 1.15, in_turn_high = 1.3; /* times as fast as one by one */
static const double in_turn_least = 0.6;             /* slower yet: processors that others have */
static const double all_least = 0.85, all_low = 0.7; /* of what serving all would bring */
static const double some_high = 0.97;                /* of that, at most, where not all are */
static const double some_width = 1.2;                /* of the interval of how many */
static const double late_least = 1.08;               /* of a wait that is none by chance */
static const double overlap_least = 0.02;            /* of the busy time */
static const double kind_share = 0.1;                /* of the time: a kind that matters */
static const double trimmed = 0.1;                   /* of the blocks, at either end */
static const double sure = 0.4;                      /* of one more that is served */
static const double slower = 0.1;                    /* as much is no wait */
enum { KIND_ALONE = 5 };                             /* served at once, of such a kind */

/* --- blocks --- */

struct block_rate {
    double times;
    size_t block;
};

static int by_times(const void *a, const void *b)
{
    const struct block_rate *first = a, *second = b;
    return (first->times > second->times) - (first->times < second->times);
}

/* Leaves out the tenth of the blocks in which least, and in which most, was done at a time: a
 * machine that stalls says nothing about the module. Returns how many are left. */
static size_t trim(bool *left_in, const struct p11prof_levels *levels,
                   const struct p11prof_level_block *all, unsigned at_once)
{
    struct block_rate rates[P11PROF_LEVEL_BLOCKS];
    size_t count = 0;
    for (size_t i = 0; i < levels->block_count; i++) {
        const struct p11prof_level_block *block = p11prof_levels_block(levels, i);
        double busy_ns = 0;
        for (unsigned level = 1; level <= P11PROF_LEVEL_MAX; level++)
            busy_ns += block->level_ns[level];
        double overlapped_ns = busy_ns - block->level_ns[1];
        left_in[i] = true;
        if (overlapped_ns > overlap_least * busy_ns)
            rates[count++] = (struct block_rate){
                (p11prof_work_ns(block, all, levels->group_count, at_once) - block->level_ns[1]) /
                    overlapped_ns,
                i};
    }
    qsort(rates, count, sizeof *rates, by_times);
    size_t cut = (size_t)(trimmed * (double)count);
    for (size_t i = 0; i < cut; i++)
        left_in[rates[i].block] = left_in[rates[count - 1 - i].block] = false;
    return levels->block_count - 2 * cut;
}

static struct p11prof_range range_of(double value, const double *without, size_t count,
                                     double freedom)
{
    double mean = 0, squares = 0;
    for (size_t i = 0; i < count; i++)
        mean += without[i] / (double)count;
    for (size_t i = 0; i < count; i++)
        squares += (without[i] - mean) * (without[i] - mean);
    double half = p11prof_student_quantile(0.05, freedom) *
                  sqrt(squares * ((double)count - 1) / (double)count) / (1 - 2 * trimmed);
    return (struct p11prof_range){value, value - half, value + half};
}

static uint64_t served_at_once(const struct p11prof_level_block *sum,
                               const struct p11prof_levels *levels, unsigned at_once)
{
    uint64_t count = 0;
    for (size_t i = 0; i < levels->group_count; i++)
        count += p11prof_at_once_count(&sum->calls[i], at_once);
    return count;
}

/* The jackknife: each block left out in turn. */
static void ranges_make(struct p11prof_speed_up *out, const struct p11prof_levels *levels,
                        const struct p11prof_level_block *all)
{
    bool left_in[P11PROF_LEVEL_BLOCKS];
    double times[P11PROF_LEVEL_BLOCKS], parallel[P11PROF_LEVEL_BLOCKS];
    struct p11prof_balance balance;
    size_t count = 0, left = trim(left_in, levels, all, out->at_once);
    struct p11prof_level_block *sum = p11prof_levels_sum(levels, left_in, levels->block_count);
    p11prof_balance_make(&balance, sum, levels->group_count, out->most, out->at_once);
    double value = balance.times, at_a_time = balance.parallel;
    out->in_flight = balance.in_flight_ns / fmax(balance.overlapped_ns, 1);
    free(sum);
    for (size_t i = 0; i < levels->block_count; i++) {
        if (!left_in[i])
            continue;
        sum = p11prof_levels_sum(levels, left_in, i);
        p11prof_balance_make(&balance, sum, levels->group_count, out->most, out->at_once);
        times[count] = balance.times;
        parallel[count++] = balance.parallel;
        free(sum);
    }
    double freedom = fmin((double)left, (double)served_at_once(all, levels, out->at_once)) - 1;
    out->times = range_of(value, times, left, freedom);
    out->parallel = range_of(at_a_time, parallel, left, freedom);
    out->parallel.low = fmax(out->parallel.low, 1);
    out->parallel.high = fmin(out->parallel.high, out->most);
    out->known = true;
}

/* Whether of each kind that matters enough calls were served at once. */
static bool service_is_known(const struct p11prof_level_block *sum,
                             const struct p11prof_levels *levels, unsigned at_once)
{
    double total_ns = 0;
    for (size_t i = 0; i < levels->group_count; i++)
        total_ns += sum->calls[i].total_ns;
    for (size_t i = 0; i < levels->group_count; i++)
        if (sum->calls[i].total_ns > kind_share * total_ns &&
            p11prof_at_once_count(&sum->calls[i], at_once) < KIND_ALONE)
            return false;
    return served_at_once(sum, levels, at_once) >= P11PROF_SPEED_UP_ALONE;
}

/* Whether calls that began with fewer than at_once take longer than those that began alone, by more
 * than chance. */
static bool takes_longer(const struct p11prof_level_block *sum, const struct p11prof_levels *levels,
                         unsigned at_once)
{
    double alone_ns = 0, begun_ns = 0, variance = 0;
    for (size_t i = 0; i < levels->group_count; i++) {
        const struct p11prof_level_calls *calls = &sum->calls[i];
        double count = (double)calls->begun_count[0], weight = (double)calls->count;
        if (count < 2)
            continue;
        double mean_ns = p11prof_service_ns(calls, 1);
        alone_ns += weight * mean_ns;
        begun_ns += weight * p11prof_service_ns(calls, at_once);
        variance += weight * weight * fmax(calls->alone_squares / count - mean_ns * mean_ns, 0) /
                    (count - 1);
    }
    return begun_ns - alone_ns > fmax(slower * alone_ns, 2 * sqrt(variance));
}

/* How much longer calls take that find all servers busy: 1 where all are served at once. */
static double lateness_of(const struct p11prof_level_block *sum,
                          const struct p11prof_levels *levels, const struct p11prof_speed_up *of)
{
    unsigned first = of->parallel.value + 0.25 < P11PROF_LEVEL_BEGUN
                         ? (unsigned)(of->parallel.value + 0.25)
                         : P11PROF_LEVEL_BEGUN;
    double late_ns = 0, service_ns = 0;
    for (size_t i = 0; i < levels->group_count; i++) {
        const struct p11prof_level_calls *calls = &sum->calls[i];
        double early_ns = 0;
        for (unsigned j = 0; j < first; j++)
            early_ns += calls->begun_ns[j];
        late_ns += calls->total_ns - early_ns;
        service_ns += (double)(calls->count - p11prof_at_once_count(calls, first)) *
                      p11prof_service_ns(calls, of->at_once);
    }
    return service_ns > 0 ? late_ns / service_ns : 1;
}

static enum p11prof_served judge(const struct p11prof_speed_up *of)
{
    double gain = of->in_flight - 1; /* of serving all that were in flight */
    double share = (of->times.value - 1) / gain, low = (of->times.low - 1) / gain;
    double high = (of->times.high - 1) / gain;
    bool fewer = !of->slows && of->lateness > late_least && high < 1 &&
                 of->parallel.high - of->parallel.low < some_width &&
                 of->parallel.high < of->most - 0.5;
    if (gain <= 0) /* what overlapped was in blocks that are left out */
        return P11PROF_SERVED_UNCLEAR;
    if (of->times.value >= in_turn_least && of->times.value <= in_turn_most &&
        of->times.high <= in_turn_high)
        return P11PROF_SERVED_IN_TURN;
    if (of->times.low > in_turn_most && (fewer || (share < all_least && high < some_high)))
        return P11PROF_SERVED_SOME;
    if (share >= all_least && low >= all_low)
        return P11PROF_SERVED_ALL;
    return of->times.low > in_turn_high ? P11PROF_SERVED_TOGETHER : P11PROF_SERVED_UNCLEAR;
}

/* As it becomes sure that so many are served at a time, more calls are known to be served at once;
 * what one takes is known better, and so on. */
static void climb(struct p11prof_speed_up *out, const struct p11prof_levels *levels,
                  const struct p11prof_level_block *sum, unsigned at_once)
{
    for (;; at_once++) {
        struct p11prof_speed_up next = *out;
        next.at_once = at_once;
        ranges_make(&next, levels, sum);
        *out = next;
        if (at_once >= P11PROF_LEVEL_BEGUN || at_once + 1 >= out->most ||
            out->times.low <= at_once + sure)
            break;
        out->slows = takes_longer(sum, levels, at_once + 1);
        if (out->slows)
            break;
    }
    out->lateness = lateness_of(sum, levels, out);
}

/* Where what a call takes by itself says too little: how calls end says whether the module serves
 * several. */
static void judge_spacing(struct p11prof_speed_up *out, const struct p11prof_levels *levels,
                          const struct p11prof_level_block *sum,
                          const struct p11prof_spacing *spacing)
{
    enum p11prof_spaced spaced = spacing ? p11prof_spacing_judge(spacing) : P11PROF_SPACED_UNKNOWN;
    bool at_odds = out->known && out->times.low > in_turn_most;
    if (spaced == P11PROF_SPACED_UNKNOWN || (spaced == P11PROF_SPACED_EVENLY && at_odds))
        return;
    *out = (struct p11prof_speed_up){.served = P11PROF_SERVED_IN_TURN,
                                     .by_spacing = true,
                                     .busy_ns = out->busy_ns,
                                     .overlapped_ns = out->overlapped_ns,
                                     .in_flight = out->in_flight,
                                     .most = out->most,
                                     .call_count = out->call_count,
                                     .alone_count = out->alone_count,
                                     .mean_ns = out->mean_ns};
    if (spaced == P11PROF_SPACED_EVENLY)
        return;
    out->served = P11PROF_SERVED_TOGETHER;
    if (out->most < 3 || !service_is_known(sum, levels, 2))
        return;
    climb(out, levels, sum, 2);
    enum p11prof_served served = judge(out);
    if (served == P11PROF_SERVED_SOME || served == P11PROF_SERVED_ALL)
        out->served = served;
    else
        out->known = false;
}

/* An interval that reaches below 0, or is as wide as from none to all that were in flight, tells
 * nothing. */
static void drop_wide(struct p11prof_speed_up *out)
{
    bool wide = out->times.low < 0 || out->times.high - out->times.low > out->in_flight;
    if (out->served != P11PROF_SERVED_UNCLEAR || !wide)
        return;
    out->served = P11PROF_SERVED_UNKNOWN;
    out->lack = P11PROF_LACK_SURE;
    out->known = false;
}

static void sums_take(struct p11prof_speed_up *out, const struct p11prof_levels *levels,
                      const struct p11prof_level_block *sum)
{
    struct p11prof_balance all;
    p11prof_balance_make(&all, sum, levels->group_count, out->most, 1);
    for (size_t i = 0; i < levels->group_count; i++) {
        out->alone_count += sum->calls[i].begun_count[0];
        out->mean_ns += sum->count > 0 ? sum->calls[i].total_ns / (double)sum->count : 0;
    }
    out->call_count = sum->count;
    out->busy_ns = all.busy_ns;
    out->overlapped_ns = all.overlapped_ns;
    out->in_flight = all.overlapped_ns > 0 ? all.in_flight_ns / all.overlapped_ns : 0;
}

void p11prof_speed_up_estimate(struct p11prof_speed_up *out, const struct p11prof_levels *levels,
                               const struct p11prof_spacing *spacing)
{
    struct p11prof_level_block *sum = p11prof_levels_sum(levels, NULL, levels->block_count);
    *out = (struct p11prof_speed_up){.most = levels->most < P11PROF_LEVEL_MAX ? levels->most
                                                                              : P11PROF_LEVEL_MAX};
    sums_take(out, levels, sum);
    if (out->most < 2 || out->overlapped_ns < overlap_least * out->busy_ns)
        out->lack = P11PROF_LACK_OVERLAP;
    else if (levels->block_count < P11PROF_SPEED_UP_BLOCKS)
        out->lack = P11PROF_LACK_CALLS;
    else if (service_is_known(sum, levels, 1)) {
        climb(out, levels, sum, 1);
        out->served = judge(out);
    } else
        out->lack = P11PROF_LACK_ALONE;
    if (out->lack == P11PROF_LACK_ALONE || out->served == P11PROF_SERVED_UNCLEAR)
        judge_spacing(out, levels, sum, spacing);
    drop_wide(out);
    if (out->known)
        out->service_ns =
            p11prof_work_ns(sum, sum, levels->group_count, out->at_once) / (double)sum->count;
    free(sum);
}

bool p11prof_speed_up_step(struct p11prof_speed_up_step *out, const struct p11prof_levels *levels,
                           unsigned level, unsigned at_once)
{
    struct p11prof_level_block *sum = p11prof_levels_sum(levels, NULL, levels->block_count);
    double work_ns = 0, in_flight_ns = 0;
    *out = (struct p11prof_speed_up_step){.busy_ns = 0};
    for (size_t i = 0; i < levels->block_count; i++) {
        const struct p11prof_level_block *block = p11prof_levels_block(levels, i);
        double busy_ns = 0, held_ns = 0;
        for (unsigned j = 1; j <= P11PROF_LEVEL_MAX; j++) {
            busy_ns += block->level_ns[j];
            held_ns += j * block->level_ns[j];
        }
        if (busy_ns <= 0 || (unsigned)(held_ns / busy_ns + 0.5) != level)
            continue;
        out->busy_ns += busy_ns;
        in_flight_ns += held_ns;
        work_ns += p11prof_work_ns(block, sum, levels->group_count, at_once);
        out->call_count += block->count;
    }
    free(sum);
    if (out->busy_ns <= 0)
        return false;
    out->speed_up = work_ns / out->busy_ns;
    out->in_flight = in_flight_ns / out->busy_ns;
    return true;
}
