/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "stress.h"

#include "../commands.h"
#include "../message.h"
#include "../report/units.h"
#include "run_facts.h"
#include "slice.h"

#include <inttypes.h>
#include <unistd.h>

/* --- what is next --- */

static uint64_t end_ns(const struct stress *stress)
{
    return stress->begin_ns + stress->run->settings->measured.ns;
}

/* Intervals end at multiples of their length, whatever draining took. */
static uint64_t interval_end_ns(const struct stress *stress)
{
    uint64_t interval_ns = stress->run->settings->stress.interval_ns;
    uint64_t from_ns = stress->interval.start_ns + stress->slice_ns / 2 - stress->begin_ns;
    uint64_t next_ns = stress->begin_ns + (from_ns / interval_ns + 1) * interval_ns;
    return next_ns < end_ns(stress) ? next_ns : end_ns(stress);
}

/* Whether so little is left until then that it is no slice. */
static bool is_over(const struct stress *stress, uint64_t then_ns, uint64_t now_ns)
{
    return stress->begin_ns > 0 && now_ns + stress->slice_ns / 2 >= then_ns;
}

/* The first slice has the warm-up. */
static struct bench_plan plan_next(const struct stress *stress, uint64_t now_ns)
{
    const struct bench_settings *settings = stress->run->settings;
    bool first = stress->begin_ns == 0;
    struct bench_plan plan = {.measured.ns = stress->slice_ns};
    uint64_t until_ns = first ? now_ns + settings->measured.ns : interval_end_ns(stress);
    uint64_t left_ns = until_ns > now_ns ? until_ns - now_ns : 0, half_ns = stress->slice_ns / 2;
    if (left_ns < stress->slice_ns + half_ns)
        plan.measured.ns = left_ns > half_ns ? left_ns : half_ns + 1;
    if (first)
        plan.warmup = settings->warmup;
    return plan;
}

/* --- what came of it --- */

static void thread_take(struct stress *stress, const struct bench_thread_state *state)
{
    stress->interval.count += state->measured.count;
    stress->interval.error_count += state->measured.error_count;
    stress->gone = stress->gone || state->gone;
    if (state->first_error_ns > 0 &&
        (stress->first_error_ns == 0 || state->first_error_ns < stress->first_error_ns)) {
        stress->first_error_ns = state->first_error_ns;
        stress->first_rv = state->first_error_rv;
    }
    if (stress->interval.number == 1 && state->measured.count > 0 &&
        (stress->begin_ns == 0 || state->measured.start_ns < stress->begin_ns))
        stress->begin_ns = state->measured.start_ns;
}

static void slice_take(struct stress *stress, const struct run_turn *turn)
{
    const struct bench_load *load = stress->load;
    if (stress->interval.first_plan_ns == 0)
        stress->interval.first_plan_ns = turn->plan.start_ns;
    for (unsigned i = 0; i < load->threads * load->processes; i++)
        thread_take(stress, crew_thread(&stress->run->crew, i / load->threads, i % load->threads));
    if (stress->begin_ns == 0)
        stress->begin_ns = turn->plan.start_ns;
    if (stress->interval.number == 1)
        stress->interval.start_ns = stress->begin_ns;
}

/* A database that takes nothing is no reason to stop. */
static void drain(struct stress *stress)
{
    const struct p11prof_error *problem = &stress->run->recording.problem;
    run_drain(stress->run);
    bool fails = problem->status != P11PROF_OK && problem->status != P11PROF_BUSY;
    if (fails && !stress->undrained)
        p11prof_warn("%s: it goes on; what finds no room until the database takes it is lost, and "
                     "percentiles are unknown meanwhile",
                     problem->text);
    if (!fails && stress->undrained)
        p11prof_note("the database takes records again");
    stress->undrained = fails;
    if (!fails && problem->status == P11PROF_OK)
        atomic_store(&stress->run->crew.shared->unrecorded, 0);
}

/* --max-errors are reached. */
static bool has_failed(const struct stress *stress)
{
    uint64_t most = stress->run->settings->stress.max_errors;
    return most > 0 && stress->error_count + stress->interval.error_count >= most;
}

/* Errors of a warm-up do not count, and a slice does not tell them apart while it runs. */
static uint64_t error_limit(const struct stress *stress)
{
    uint64_t most = stress->run->settings->stress.max_errors;
    return most == 0 || stress->begin_ns == 0
               ? 0
               : most - stress->error_count - stress->interval.error_count;
}

/* What a worker that is gone says. */
static void crash_take(struct bench_run *run, const struct run_turn *turn)
{
    if (turn->status == P11PROF_OK)
        return;
    progress_clear(run->progress);
    run_complain(run, &turn->error);
    run->crashed = run->failed = true;
}

static void slice_run_next(struct stress *stress)
{
    struct bench_run *run = stress->run;
    const struct bench_plan plan = plan_next(stress, slice_now_ns());
    struct run_turn turn;
    run->error_limit = error_limit(stress);
    run_turn_take(run, stress->load, &plan, &turn);
    struct slice_sum sum = slice_store(run, stress->load, &turn.plan, &turn.facts);
    stress->interval.measured_ns += sum.duration_ns;
    slice_take(stress, &turn);
    crash_take(run, &turn);
    drain(stress);
}

/* Behind the last slice. */
static void cooldown_run(struct stress *stress)
{
    const struct bench_plan plan = {.cooldown = stress->run->settings->cooldown};
    struct run_turn turn;
    if (plan.cooldown.count == 0 && plan.cooldown.ns == 0)
        return;
    stress->run->error_limit = 0;
    run_turn_take(stress->run, stress->load, &plan, &turn);
    crash_take(stress->run, &turn);
}

/* --- the whole --- */

static bool ends_early(const struct stress *stress)
{
    const struct bench_run *run = stress->run;
    return run->signal_number || run->crashed || stress->gone || stress->dead || has_failed(stress);
}

static int end_say(const struct stress *stress)
{
    const struct bench_run *run = stress->run;
    char errors[160], interval[P11PROF_UNIT_TEXT_BYTES];
    stress_errors_text(errors, sizeof errors, stress);
    p11prof_format_ns(interval, run->settings->stress.interval_ns);
    if (run->signal_number)
        return P11PROF_EXIT_SIGNAL + run->signal_number;
    if (run->crashed)
        return P11PROF_EXIT_FAILED;
    if (stress->gone)
        return p11prof_complain(P11PROF_EXIT_FAILED, "ended early: the token is gone (%s)", errors);
    if (has_failed(stress))
        return p11prof_complain(P11PROF_EXIT_FAILED,
                                "ended early: --max-errors %" PRIu64 " are reached (%s)",
                                run->settings->stress.max_errors, errors);
    if (stress->dead)
        return p11prof_complain(P11PROF_EXIT_FAILED,
                                "ended: nothing succeeded in a whole interval (%s)", errors);
    if (stress->error_count > 0)
        p11prof_warn("%" PRIu64 " of %" PRIu64 " operations failed (%s)", stress->error_count,
                     stress->count, errors);
    return 0;
}

int stress_slices_run(struct stress *stress)
{
    struct bench_run *run = stress->run;
    const struct bench_settings *settings = run->settings;
    stress->slice_ns = settings->measured.ns / stress->load->slices;
    if (stress->slice_ns > settings->stress.interval_ns)
        stress->slice_ns = settings->stress.interval_ns;
    stress_head_print(stress_lines(settings), stress);
    progress_start(run->progress, settings->quiet || !isatty(STDERR_FILENO),
                   run->schedule.planned_ns, stress->load->slices);
    stress_interval_begin(stress, slice_now_ns());
    do {
        slice_run_next(stress);
        if (is_over(stress, interval_end_ns(stress), slice_now_ns())) {
            stress_interval_end(stress, slice_now_ns());
            stress_interval_begin(stress, slice_now_ns());
        }
    } while (!ends_early(stress) && !is_over(stress, end_ns(stress), slice_now_ns()));
    if (stress->interval.count > 0)
        stress_interval_end(stress, slice_now_ns());
    if (!ends_early(stress))
        cooldown_run(stress);
    progress_clear(run->progress);
    if (stress_lines(settings) == stdout)
        putchar('\n');
    return end_say(stress);
}
