/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "concurrency_verdict.h"
#include "concurrency_work.h"
#include "p11prof/batch.h"

#include <math.h>
#include <stdlib.h>

/* Of the time with several in flight: from then on sessions are looked at by themselves. */
static const double within_least = 0.05;
/* Of all time in the module: from then on a kind of calls may stand for it. */
static const double kind_least = 0.1;
/* From then on a module that serves one at a time does so with it, whatever its calls say. */
static const double kind_rules = 0.3;
static const double slower = 0.2; /* as much is no wait */
static const uint64_t alone_least = 5;

static void find_function(struct p11prof_concurrency_verdict *out,
                          const struct p11prof_call_groups *groups)
{
    double of[P11PROF_CALLS + 1] = {0};
    for (size_t i = 0; i < out->process->group_count; i++)
        of[groups->all[i].function] += out->process->groups[i].levels.in_flight_ns;
    for (unsigned i = 0; i <= P11PROF_CALLS; i++)
        if (of[i] > of[out->function])
            out->function = i;
    if (out->process->levels.in_flight_ns > 0)
        out->function_share = of[out->function] / out->process->levels.in_flight_ns;
}

static bool is_decided(const struct p11prof_speed_up *of)
{
    return of->served != P11PROF_SERVED_UNKNOWN && of->served != P11PROF_SERVED_UNCLEAR;
}

static double mean_of(const struct p11prof_durations *durations)
{
    return durations->count > 0 ? durations->total_ns / (double)durations->count : 0;
}

/* Of the mean. */
static double variance_of(const struct p11prof_durations *durations)
{
    double count = (double)durations->count, mean_ns = mean_of(durations);
    double variance = fmax(durations->squares / count - mean_ns * mean_ns, 0);
    return variance / fmax(count - 1, 1);
}

/* Whether calls of the kind may take longer where they begin while only others are in flight: in a
 * line with these, what one takes by itself is not known from its kind alone. */
static bool may_wait_for_others(const struct p11prof_group_use *use)
{
    if (use->behind.count == 0)
        return false;
    if (use->alone.count < alone_least)
        return true;
    double share = (double)use->behind.count / (double)(use->alone.count + use->behind.count);
    double alone_ns = mean_of(&use->alone);
    double longer_ns = share * (mean_of(&use->behind) - alone_ns);
    double error_ns = share * sqrt(variance_of(&use->alone) + variance_of(&use->behind));
    return longer_ns + 2 * error_ns > slower * alone_ns;
}

void p11prof_concurrency_judge_kind(struct p11prof_speed_up *out,
                                    const struct p11prof_concurrency_verdict *verdict,
                                    const struct p11prof_group_use *use)
{
    double share = use->levels.in_flight_ns / verdict->process->levels.in_flight_ns;
    bool in_turn = verdict->module.served == P11PROF_SERVED_IN_TURN;
    p11prof_speed_up_estimate(out, &use->levels, &use->spacing);
    bool held =
        out->known && verdict->module.served != P11PROF_SERVED_ALL && may_wait_for_others(use);
    if (out->lack == P11PROF_LACK_OVERLAP || out->served == P11PROF_SERVED_IN_TURN)
        return;
    if (in_turn && share >= (is_decided(out) && !held ? kind_rules : kind_least)) {
        out->served = P11PROF_SERVED_IN_TURN;
        out->lack = P11PROF_LACK_NONE;
        out->known = false;
    } else if (held) {
        out->served = P11PROF_SERVED_UNKNOWN;
        out->lack = P11PROF_LACK_OTHERS;
        out->known = false;
    }
}

/* Where all calls together say too little, one kind of them may say enough. */
static void find_kind(struct p11prof_concurrency_verdict *out,
                      const struct p11prof_call_groups *groups)
{
    double all_ns = out->process->levels.in_flight_ns, best_ns = kind_least * all_ns;
    out->said = out->module;
    if (is_decided(&out->module) || out->module.lack == P11PROF_LACK_OVERLAP)
        return;
    for (size_t i = 0; i < out->process->group_count; i++) {
        const struct p11prof_group_use *use = &out->process->groups[i];
        struct p11prof_speed_up of;
        if (use->levels.in_flight_ns <= best_ns || groups->all[i].kind != P11PROF_KIND_CALL)
            continue;
        p11prof_concurrency_judge_kind(&of, out, use);
        if (!is_decided(&of))
            continue;
        best_ns = use->levels.in_flight_ns;
        out->said = of;
        out->mean_ns = of.mean_ns;
        out->service_ns = of.service_ns;
        out->function = groups->all[i].function;
        out->function_share = best_ns / all_ns;
    }
}

/* Kinds that share the last place say nothing of one function. */
static void find_durations(struct p11prof_concurrency_verdict *out,
                           const struct p11prof_call_groups *groups)
{
    const struct p11prof_levels *levels = &out->process->levels;
    struct p11prof_level_block *sum = p11prof_levels_sum(levels, NULL, levels->block_count);
    double count = 0, total_ns = 0, service_ns = 0;
    for (size_t i = 0; i < out->process->group_count && i < levels->group_count - 1; i++) {
        const struct p11prof_level_calls *calls = &sum->calls[i];
        if (groups->all[i].function != out->function || groups->all[i].kind != P11PROF_KIND_CALL)
            continue;
        count += (double)calls->count;
        total_ns += calls->total_ns;
        service_ns += (double)calls->count * p11prof_service_ns(calls, out->module.at_once);
    }
    free(sum);
    if (out->module.known && count > 0) {
        out->mean_ns = total_ns / count;
        out->service_ns = service_ns / count;
    }
}

void p11prof_concurrency_judge(struct p11prof_concurrency_verdict *out,
                               const struct p11prof_concurrency_process *process,
                               const struct p11prof_call_groups *groups)
{
    *out = (struct p11prof_concurrency_verdict){.process = process};
    p11prof_speed_up_estimate(&out->module, &process->levels, &process->spacing);
    find_function(out, groups);
    find_durations(out, groups);
    find_kind(out, groups);
    if (process->process_id < 0)
        return;
    p11prof_speed_up_estimate(&out->within, &process->sessions.within, NULL);
    p11prof_speed_up_estimate(&out->across, &process->sessions.across, NULL);
    out->by_sessions = out->within.overlapped_ns > within_least * out->module.overlapped_ns;
    out->taken = p11prof_thread_turns_are_taken(&process->turns);
}

bool p11prof_concurrency_matters(const struct p11prof_concurrency_verdict *verdict)
{
    return verdict->taken || verdict->module.lack != P11PROF_LACK_OVERLAP;
}

const char *p11prof_served_word(const struct p11prof_speed_up *speed_up)
{
    static const char *const words[] = {[P11PROF_SERVED_UNKNOWN] = "insufficient",
                                        [P11PROF_SERVED_UNCLEAR] = "unclear",
                                        [P11PROF_SERVED_IN_TURN] = "serialised",
                                        [P11PROF_SERVED_SOME] = "parallel",
                                        [P11PROF_SERVED_ALL] = "free",
                                        [P11PROF_SERVED_TOGETHER] = "side-by-side"};
    return words[speed_up->served];
}

const char *p11prof_served_reason(const struct p11prof_speed_up *speed_up)
{
    static const char *const reasons[] = {
        [P11PROF_LACK_NONE] = NULL,
        [P11PROF_LACK_OVERLAP] = "hardly ever two calls in flight",
        [P11PROF_LACK_ALONE] = "too few calls began with none in flight",
        [P11PROF_LACK_OTHERS] = "calls of other kinds may hold them up",
        [P11PROF_LACK_CALLS] = "too few calls",
        [P11PROF_LACK_SURE] = "the speed-up varies too much"};
    return reasons[speed_up->lack];
}
