/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "ramp.h"

#include "../commands.h"
#include "../message.h"
#include "../report/ramp.h"
#include "../report/units.h"
#include "output.h"
#include "record_own.h"
#include "run_facts.h"
#include "slo_search.h"

#include <inttypes.h>
#include <math.h>
#include <unistd.h>

enum {
    REFINEMENTS_MOST = 4,
    PUBLISH_US = 20000, /* until the last calls of a step can be drained */
    PROBE_OPERATIONS_BEYOND = 20,
    PROBE_MOST_FACTOR = 12, /* a probe is so many times as long as a step at most */
};
/* A time that is so near to the limit is measured again. Slices are as long as if operations took
 * so many times their time. */
static const double unclear_part = 0.07, slice_factor = 1.5;

struct ramp {
    struct bench_run *run;
    size_t capacity; /* of the schedule's loads */
    unsigned step_count;
    struct p11prof_ramps found; /* of the steps so far */
    bool ended;                 /* the last step could not be done */
};

int ramp_test_choose(const struct bench_settings *settings, struct p11prof_bench_selection *tests)
{
    if (settings->mix.count > 0)
        return 0;
    if (tests->count > 1 && settings->tests)
        return p11prof_complain(
            P11PROF_EXIT_USAGE, "--ramp and --slo are of one test: --test selects %zu (%s, %s%s)",
            tests->count, tests->tests[0]->id, tests->tests[1]->id, tests->count > 2 ? ", …" : "");
    tests->count = 1;
    return 0;
}

void ramp_loads_make(struct bench_run *run)
{
    const struct bench_ramp *ramp = &run->settings->ramp;
    size_t capacity = 0;
    run->schedule = (struct schedule){.loads = NULL};
    if (ramp->count == 0) /* of a search only the first step is known */
        schedule_ramp_add(&run->schedule, &capacity, &run->tests, run->settings, 0, 1);
    for (unsigned i = 0; i < ramp->count; i++)
        schedule_ramp_add(&run->schedule, &capacity, &run->tests, run->settings, ramp->values[i],
                          i + 1);
}

/* --- one step --- */

static bool step_prepare(struct ramp *ramp, size_t first)
{
    struct bench_run *run = ramp->run;
    struct schedule *schedule = &run->schedule;
    struct p11prof_error error;
    for (size_t i = first; i < schedule->load_count && !run->signal_number; i++)
        run_load_prepare(run, &schedule->loads[i]);
    for (size_t i = first; i < schedule->load_count; i++)
        if (!schedule->loads[i].ready)
            return false;
    for (size_t i = first; i < schedule->load_count; i++)
        if (run_load_store(run, &schedule->loads[i], &error) != P11PROF_OK) {
            p11prof_warn("%s", error.text);
            return false;
        }
    return true;
}

static void step_close(struct ramp *ramp, size_t first)
{
    struct bench_run *run = ramp->run;
    struct p11prof_error error;
    for (size_t i = first; i < run->schedule.load_count; i++) {
        const struct bench_load *load = &run->schedule.loads[i];
        const struct bench_request request = {.kind = BENCH_REQUEST_CLOSE, .load = load->number};
        if (load->ready && !run->crashed)
            crew_ask(&run->crew, load->processes, &request, run_tick, run, &error);
    }
}

static void step_slices_run(struct ramp *ramp, struct bench_load *load)
{
    struct bench_run *run = ramp->run;
    struct run_turn turn;
    schedule_slices_set(load, run->settings);
    const struct bench_plan first = schedule_plan(load, run->settings, 0);
    progress_start(run->progress, run->settings->quiet,
                   load->slices * schedule_plan_ns(load, &first), load->slices);
    for (unsigned i = 0; i < load->slices && !load->gave_up && !run->signal_number && !run->crashed;
         i++) {
        const struct bench_plan plan = schedule_plan(load, run->settings, i);
        run_turn_take(run, load, &plan, &turn);
        run_turn_keep(run, &turn);
        run_drain(run);
    }
    progress_clear(run->progress);
}

static const struct p11prof_ramp *found_of(const struct ramp *ramp)
{
    return ramp->found.ramp_count > 0 ? &ramp->found.ramps[0] : NULL;
}

/* The longest that an operation may take: with more of them at a time, each waits for the others.
 * A slice is to be so long that what each thread ends with is a small part of it. */
static void slices_lengthen(const struct ramp *ramp, size_t first, double value)
{
    const struct p11prof_ramp *found = found_of(ramp);
    const struct p11prof_ramp_step *below = NULL;
    struct schedule *schedule = &ramp->run->schedule;
    for (size_t i = 0; found && found->of != P11PROF_RAMP_RATE && i < found->count; i++)
        if (found->steps[i].value < value && found->steps[i].mean_ns > 0)
            below = &found->steps[i];
    double expected_ns = below ? slice_factor * below->mean_ns * value / below->value : 0;
    for (size_t i = first; i < schedule->load_count; i++)
        if ((double)schedule->loads[i].iteration_ns < expected_ns)
            schedule->loads[i].iteration_ns = (uint64_t)expected_ns;
}

/* Reads the verdict on the steps so far. */
static int found_read(struct ramp *ramp)
{
    struct bench_run *run = ramp->run;
    struct p11prof_error error;
    usleep(PUBLISH_US);
    run_drain(run);
    if (!run->recording.store)
        return p11prof_complain(P11PROF_EXIT_FAILED,
                                "the ramp ends, since steps are judged by what is stored: %s",
                                run->recording.problem.text);
    run_threads_store(run);
    p11prof_ramps_clear(&ramp->found);
    if (p11prof_ramp_read(&ramp->found, p11prof_store_sqlite(run->recording.store),
                          run->recording.run_id, &error) != P11PROF_OK)
        return p11prof_complain_of(&error);
    return 0;
}

static const struct p11prof_ramp_step *step_of(const struct ramp *ramp, double value)
{
    const struct p11prof_ramp *found = found_of(ramp);
    for (size_t i = 0; found && i < found->count; i++)
        if (found->steps[i].value == value)
            return &found->steps[i];
    return NULL;
}

static void step_say(const struct ramp *ramp, double value)
{
    const struct bench_settings *settings = ramp->run->settings;
    const struct p11prof_ramp_step *step = step_of(ramp, value);
    char name[P11PROF_RAMP_TEXT_BYTES] = "as fast as it goes", rate[P11PROF_UNIT_TEXT_BYTES];
    char p99[P11PROF_UNIT_TEXT_BYTES] = "-";
    if (settings->quiet || !step)
        return;
    if (value > 0)
        p11prof_ramp_value_text(name, settings->ramp.of, value);
    p11prof_format_rate(rate, step->ops_per_s);
    if (step->p99_ns > 0)
        p11prof_format_ns(p99, (uint64_t)step->p99_ns);
    p11prof_note("step %u: %.60s: %s/s, p99 %s%s", ramp->step_count, name, rate, p99,
                 step->error_count > 0 ? ", with errors" : "");
}

/* Measures one. Returns 0 or an exit code. */
static int step_run(struct ramp *ramp, double value, uint64_t measured_ns)
{
    struct bench_run *run = ramp->run;
    size_t first = schedule_ramp_add(&run->schedule, &ramp->capacity, &run->tests, run->settings,
                                     value, ++ramp->step_count);
    for (size_t i = first; i < run->schedule.load_count && measured_ns > 0; i++)
        run->schedule.loads[i].measured = (struct bench_amount){.ns = measured_ns};
    ramp->ended = !step_prepare(ramp, first);
    slices_lengthen(ramp, first, value);
    if (!ramp->ended)
        step_slices_run(ramp, &run->schedule.loads[first]);
    step_close(ramp, first);
    int code = found_read(ramp);
    if (run->signal_number)
        return P11PROF_EXIT_SIGNAL + run->signal_number;
    if (run->crashed)
        return P11PROF_EXIT_FAILED;
    if (code == 0)
        step_say(ramp, value);
    return code;
}

/* --- a series --- */

/* One of a series. A rate that was not held is tried again: the machine may have been busy. */
static int value_run(struct ramp *ramp, double value)
{
    int code = step_run(ramp, value, 0);
    const struct p11prof_ramp_step *step = step_of(ramp, value);
    bool again = code == 0 && step && step->scheduled && !step->held && step->error_count == 0;
    return again ? step_run(ramp, value, 0) : code;
}

static int refine(struct ramp *ramp)
{
    int code = 0;
    for (unsigned i = 0; i < REFINEMENTS_MOST && code == 0 && !ramp->ended; i++) {
        const struct p11prof_ramp *found = found_of(ramp);
        double value = found ? ramp_refine(found) : 0;
        if (value <= 0)
            return 0;
        code = value_run(ramp, value);
    }
    return code;
}

static int series_run(struct ramp *ramp)
{
    const struct bench_ramp *wanted = &ramp->run->settings->ramp;
    int code = 0;
    for (unsigned i = 0; i < wanted->count && code == 0 && !ramp->ended; i++) {
        const struct p11prof_ramp *found = found_of(ramp);
        if (wanted->range && found && ramp_is_over(found)) {
            char value[P11PROF_RAMP_TEXT_BYTES];
            p11prof_ramp_value_text(value, wanted->of, wanted->values[i]);
            p11prof_note("%.60s and more are left out: the last steps %s", value,
                         wanted->of == P11PROF_RAMP_RATE ? "were not held" : "only made it slower");
            break;
        }
        code = value_run(ramp, wanted->values[i]);
    }
    ramp->ended = false;
    return code == 0 && wanted->range ? refine(ramp) : code;
}

/* --- a search --- */

/* As long as its percentile needs at that rate. */
static uint64_t probe_ns(const struct ramp *ramp, double rate)
{
    const struct bench_settings *settings = ramp->run->settings;
    double tail = settings->ramp.tail > 0 ? settings->ramp.tail : 0.5;
    double usual_ns = (double)settings->measured.ns;
    double needed_ns = PROBE_OPERATIONS_BEYOND / tail / rate * 1e9;
    return (uint64_t)fmin(fmax(usual_ns, needed_ns), usual_ns * PROBE_MOST_FACTOR);
}

static bool is_unclear(const struct ramp *ramp, double rate)
{
    const struct p11prof_ramp_step *step = step_of(ramp, rate);
    double limit_ns = ramp->run->settings->ramp.limit_ns;
    return step && fabs(step->objective_ns / limit_ns - 1) < unclear_part;
}

static int search_run(struct ramp *ramp)
{
    struct slo_search search = {.most = 0};
    double rate;
    int code = step_run(ramp, 0, 0);
    const struct p11prof_ramp_step *step = step_of(ramp, 0);
    search.most = step ? step->ops_per_s : 0;
    if (code || ramp->ended || search.most <= 0)
        return code;
    while (code == 0 && !ramp->ended && (rate = slo_search_next(&search)) > 0) {
        code = step_run(ramp, rate, probe_ns(ramp, rate));
        if (code == 0 && is_unclear(ramp, rate))
            code = step_run(ramp, rate, 2 * probe_ns(ramp, rate));
        step = step_of(ramp, rate);
        if (code == 0 && step)
            slo_search_take(&search, rate,
                            p11prof_ramp_step_meets(step, ramp->run->settings->ramp.limit_ns));
        else
            break;
    }
    return code;
}

/* --- all of it --- */

static void estimate_say(const struct bench_run *run)
{
    const struct bench_ramp *ramp = &run->settings->ramp;
    char duration[P11PROF_UNIT_TEXT_BYTES];
    p11prof_format_ns(duration, run->settings->measured.ns);
    if (run->settings->quiet)
        return;
    if (ramp->of == P11PROF_RAMP_RATE &&
        run->settings->threads.values[0] * run->settings->processes.values[0] == 1)
        p11prof_note("one thread does all of them, one after the other: --threads N has up to N in "
                     "the token at a time");
    if (ramp->count == 0)
        p11prof_note("a search: about ten steps of %s or more", duration);
    else if (run->settings->measured.ns > 0)
        p11prof_note("%u steps of %s%s", ramp->count, duration,
                     ramp->range ? ", fewer or a few more as it turns out" : "");
}

static int measure(struct ramp *ramp)
{
    struct bench_run *run = ramp->run;
    int code = run_open(run);
    code = code ? code : run_tests_select(run);
    if (code)
        return code;
    run_options_store(run);
    estimate_say(run);
    code = run->settings->ramp.count > 0 ? series_run(ramp) : search_run(ramp);
    run_options_store(run);
    if (code == 0 && run->ready_count == 0)
        code = p11prof_complain(P11PROF_EXIT_FAILED, "this token cannot do this test");
    return code == 0 && run->failed ? P11PROF_EXIT_FAILED : code;
}

/* 1 if no step keeps the objective. */
static int objective_judge(const struct ramp *ramp)
{
    const struct p11prof_ramp *found = found_of(ramp);
    char text[P11PROF_RAMP_TEXT_BYTES];
    if (!ramp->run->settings->ramp.slo)
        return 0;
    if (found && found->verdict.met != P11PROF_RAMP_NONE)
        return 0;
    if (found)
        p11prof_ramp_objective_text(text, found);
    return p11prof_complain(P11PROF_EXIT_NO, "%s", found ? text : "nothing was measured");
}

int ramp_run(struct bench_run *run)
{
    struct ramp ramp = {.run = run};
    if (run->settings->record == BENCH_RECORD_OFF && !record_own_db(run))
        return p11prof_complain(P11PROF_EXIT_FAILED, "cannot make a folder in TMPDIR: %m");
    int code = measure(&ramp);
    code = code ? code : objective_judge(&ramp);
    run_finish(run);
    if (code == 0 && run->failed)
        code = P11PROF_EXIT_FAILED;
    int64_t run_id = run->ready_count > 0 ? run->recording.run_id : 0;
    run_close(run);
    int written = run_id > 0 ? output_results(run->settings, run->db, &run_id, 1) : 0;
    record_own_remove(run);
    p11prof_ramps_clear(&ramp.found);
    return code ? code : written;
}
