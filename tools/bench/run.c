/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "run.h"

#include "../commands.h"
#include "../message.h"
#include "../report/query.h"
#include "draw.h"
#include "run_facts.h"
#include "run_suite.h"
#include "slice.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdlib.h>

enum { QUIT_MS = 10000 };

static void plan_start(struct bench_plan *plan, unsigned processes)
{
    plan->start_ns = slice_now_ns() + 2000000 + processes * UINT64_C(500000);
}

static CK_RV turns_first_rv(const struct bench_load *load)
{
    CK_RV rv = CKR_OK;
    for (unsigned i = 0; i < load->turns && rv == CKR_OK; i++)
        rv = load[i].first_rv;
    return rv;
}

static void load_aborted(struct bench_run *run, struct bench_load *load)
{
    char text[32];
    progress_clear(run->progress);
    p11prof_warn("%s%s ends early: nothing works any more (%s)", run_side(run),
                 run_turns_name(load), p11prof_rv_text(turns_first_rv(load), text));
    run->failed = true;
}

/* Threads that have no part in the next slice would count for it with their last one. */
static void states_clear(struct bench_run *run)
{
    for (unsigned i = 0; i < run->crew.count * run->crew.shared->threads_most; i++) {
        atomic_store(&run->crew.shared->threads[i].progress_count, 0);
        atomic_store(&run->crew.shared->threads[i].error_count, 0);
    }
}

/* Each slice has its own arrivals: the same in all loads and runs with that seed. */
static void arrivals_begin(struct bench_run *run, struct bench_load *load,
                           const struct bench_plan *plan)
{
    struct bench_arrivals_plan schedule = {
        .rate = load->rate,
        .poisson = load->poisson,
        .seed = draw_seed(run->settings->seed, 0, load->slices_done, 0),
        .start_ns = plan->start_ns,
        .warmup = plan->warmup,
        .measured = plan->measured,
        .cooldown = plan->cooldown};
    schedule.first_s = bench_arrivals_first_s(&schedule, load->scheduled_ns);
    load->scheduled_ns += plan->measured.ns;
    bench_arrivals_begin(&run->crew.shared->arrivals, &schedule);
}

void run_turn_take(struct bench_run *run, struct bench_load *load, const struct bench_plan *plan,
                   struct run_turn *turn)
{
    struct bench_request request = {.kind = BENCH_REQUEST_SLICE,
                                    .load = load->number,
                                    .turns = load->turns,
                                    .threads = load->threads,
                                    .plan = *plan,
                                    .scheduled = load->rate > 0,
                                    .think_time_ns = load->think_time_ns};
    for (unsigned i = 0; i < load->turns; i++)
        request.weights[i] = load[i].weight;
    turn->load = load;
    states_clear(run);
    progress_slice(run->progress, run_turns_name(load), schedule_plan_ns(load, plan));
    slice_facts_begin(&turn->facts);
    plan_start(&request.plan, load->processes);
    if (request.scheduled)
        arrivals_begin(run, load, &request.plan);
    turn->plan = request.plan;
    turn->status =
        crew_ask(&run->crew, load->processes, &request, run_slice_tick, run, &turn->error);
    if (request.scheduled)
        bench_arrivals_end(&run->crew.shared->arrivals, slice_now_ns());
    slice_facts_end(&turn->facts);
    run_slice_tick(run);
    progress_slice_ended(run->progress);
}

struct slice_sum run_turn_keep(struct bench_run *run, const struct run_turn *turn)
{
    struct slice_sum sum = slice_store(run, turn->load, &turn->plan, &turn->facts);
    if (turn->status != P11PROF_OK) {
        progress_clear(run->progress);
        run_complain(run, &turn->error);
        run->crashed = run->failed = true;
    } else if (turn->load->gave_up && !run->signal_number) {
        load_aborted(run, turn->load);
    }
    return sum;
}

static void slice_run_one(struct bench_run *run, size_t index)
{
    struct bench_load *load = &run->schedule.loads[run->schedule.slices[index].load];
    const struct bench_plan plan =
        schedule_plan(load, run->settings, run->schedule.slices[index].slice);
    struct run_turn turn;
    if (load->gave_up)
        return;
    run_turn_take(run, load, &plan, &turn);
    run_turn_keep(run, &turn);
}

int run_slices(struct bench_run *run)
{
    progress_start(run->progress, run->settings->quiet, run->schedule.planned_ns,
                   run->schedule.slice_count);
    for (size_t i = 0; i < run->schedule.slice_count && !run->signal_number && !run->crashed; i++) {
        slice_run_one(run, i);
        run_drain(run);
    }
    progress_clear(run->progress);
    if (run->signal_number)
        return P11PROF_EXIT_SIGNAL + run->signal_number;
    return run->crashed ? P11PROF_EXIT_FAILED : 0;
}

/* --- the end --- */

static void losses_warn(const struct bench_run *run)
{
    struct p11prof_error error;
    int64_t lost_count = 0;
    if (p11prof_query_integer(p11prof_store_sqlite(run->recording.store),
                              "SELECT lost_count FROM runs WHERE run_id = ?1",
                              run->recording.run_id, 0, &lost_count, &error) == P11PROF_OK &&
        lost_count > 0)
        p11prof_warn("%" PRId64 " calls could not be kept: use --record summary, or a larger "
                     "P11PROF_SPOOL_LIMIT",
                     lost_count);
}

struct failures {
    uint64_t failed_count, wrong_count;
    const struct bench_load *first;
};

static struct failures failures_of(const struct schedule *schedule)
{
    struct failures sum = {0};
    for (size_t i = 0; i < schedule->load_count; i++) {
        const struct bench_load *load = &schedule->loads[i];
        for (unsigned t = 0; load->threads_done && t < load->threads * load->processes; t++) {
            const struct bench_tally *done = &load->threads_done[t];
            sum.failed_count += done->error_count - done->wrong_count;
            sum.wrong_count += done->wrong_count;
        }
        if (!sum.first && load->first_rv != CKR_OK)
            sum.first = load;
    }
    return sum;
}

/* What a table of counts does not tell. --stress and --vs have lines of their own. */
static void failures_say(const struct bench_run *run)
{
    char text[32];
    const struct failures sum = failures_of(&run->schedule);
    if (sum.wrong_count > 0 && run->settings->verify == BENCH_VERIFY_SAMPLE)
        p11prof_warn(
            "wrong results: about one in a hundred is checked; --verify all shows how many "
            "are wrong");
    if (sum.first && sum.failed_count > 0 && !run->settings->stress.wanted && !run->settings->side)
        p11prof_warn("%" PRIu64 " operation%s failed; the first of %s with %s", sum.failed_count,
                     sum.failed_count == 1 ? "" : "s", sum.first->test.id,
                     p11prof_rv_text(sum.first->first_rv, text));
}

/* Who did not end by itself destroyed nothing. Session objects are gone with the process. */
static void workers_end(struct bench_run *run)
{
    bool left = false;
    for (unsigned i = 0; i < run->crew.count; i++)
        left = left || run->crew.members[i].crashed;
    unsigned killed = crew_end(&run->crew, QUIT_MS, run_tick, run);
    if (killed)
        p11prof_warn("%u worker%s did not come back from the module and %s ended", killed,
                     killed == 1 ? "" : "s", killed == 1 ? "was" : "were");
    if ((left || killed) && run->settings->token_keys)
        p11prof_warn("%skeys may be left on the token: objects whose label begins with %s",
                     run_side(run), run->key_label);
}

void run_finish(struct bench_run *run)
{
    workers_end(run);
    if (!run->recording.store && run->recording.problem.status == P11PROF_OK)
        return;
    run_drain(run);
    failures_say(run);
    run->failed = run->failed || run->recording.problem.status == P11PROF_FAILED;
    if (run->recording.store)
        run_threads_store(run);
    p11prof_recording_end(&run->recording, run->signal_number                      ? "interrupted"
                                           : run->crashed || run->ready_count == 0 ? "failed"
                                                                                   : "finished");
    if (run->recording.problem.status != P11PROF_OK)
        p11prof_warn("%s: what was recorded waits in its spool; 'p11prof collect --db %s' takes it",
                     run->recording.problem.text, run->db);
    else
        losses_warn(run);
}

void run_close(struct bench_run *run)
{
    if (run->crew.members)
        crew_end(&run->crew, QUIT_MS, run_tick, run);
    p11prof_recording_close(&run->recording);
    cJSON_Delete(run->mechanisms);
    schedule_clear(&run->schedule);
    run_suite_clear(run);
    free(run->tests.tests);
}
