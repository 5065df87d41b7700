/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "run.h"

#include "../commands.h"
#include "../message.h"
#include "../record/parts.h"
#include "../report/allocate.h"
#include "../report/query.h"
#include "output.h"
#include "record_own.h"
#include "run_facts.h"
#include "slice.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

enum {
    QUIT_MS = 10000,
    SPOOL_BYTES = 512 << 20, /* of all workers together */
    SPOOL_LEAST_BYTES = 32 << 20,
};
static const double summary_above = 10e6; /* operations */

static volatile sig_atomic_t signal_count, signal_last;

static void signal_note(int number)
{
    signal_last = number;
    signal_count = signal_count + 1;
}

void run_signals_take(void)
{
    const struct sigaction action = {.sa_handler = signal_note};
    struct sigaction hangup;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, NULL, &hangup);
    if (hangup.sa_handler != SIG_IGN) /* nohup */
        sigaction(SIGHUP, &action, NULL);
}

/* --- while workers work --- */

static void drain(struct bench_run *run)
{
    struct p11prof_collect_result result;
    if (run->record == BENCH_RECORD_OFF)
        return;
    p11prof_recording_drain(&run->recording, &result);
    run->drained_ns = slice_now_ns();
}

static void signals_look(struct bench_run *run)
{
    static int seen;
    if (signal_count == 0)
        return;
    run->signal_number = signal_last;
    if (run->crew.shared)
        atomic_store(&run->crew.shared->stop, 1);
    if (signal_count > 1 && seen < 2)
        for (unsigned i = 0; i < run->crew.count; i++)
            if (run->crew.members[i].pid > 0)
                kill(run->crew.members[i].pid, SIGKILL);
    seen = signal_count;
}

static void tick(void *payload)
{
    signals_look(payload);
}

/* During a slice: threads that find no room wait for us. */
static void slice_tick(void *payload)
{
    struct bench_run *run = payload;
    uint64_t operations = 0, errors = 0;
    bool waits = false;
    signals_look(run);
    for (unsigned i = 0; i < run->crew.count * run->crew.shared->threads_most; i++) {
        struct bench_thread_state *state = &run->crew.shared->threads[i];
        operations += atomic_load_explicit(&state->progress_count, memory_order_relaxed);
        errors += atomic_load_explicit(&state->error_count, memory_order_relaxed);
        waits = waits || atomic_load(&state->waits);
    }
    if (waits)
        drain(run);
    progress_show(&run->progress, operations, errors);
}

/* --- opening --- */

static uint64_t largest(const struct bench_list *list)
{
    uint64_t most = 1;
    for (unsigned i = 0; i < list->count; i++)
        most = list->values[i] > most ? list->values[i] : most;
    return most;
}

/* The settings of the shim in the workers. */
static void environment_set(const struct bench_run *run)
{
    char limit[32];
    uint64_t bytes = SPOOL_BYTES / largest(&run->settings->processes);
    snprintf(limit, sizeof limit, "%" PRIu64,
             bytes < SPOOL_LEAST_BYTES ? (uint64_t)SPOOL_LEAST_BYTES : bytes);
    setenv("P11PROF_MODULE", run->target->module, 1);
    setenv("P11PROF_DB", run->db, 1);
    setenv("P11PROF_RUN", run->recording.uuid_text, 1);
    setenv("P11PROF_DRAIN", "external", 1);
    setenv("P11PROF_RECORD", run->record == BENCH_RECORD_SUMMARY ? "summary" : "calls", 1);
    setenv("P11PROF_SPOOL_LIMIT", limit, 0);
    if (run->settings->name)
        setenv("P11PROF_NAME", run->settings->name, 1);
}

static int workers_start(struct bench_run *run, bool recorded)
{
    struct p11prof_error error;
    unsigned count = (unsigned)largest(&run->settings->processes);
    uint32_t random = 0;
    getrandom(&random, sizeof random, 0);
    snprintf(run->key_label, sizeof run->key_label, "p11prof-%08x", random);
    run->worker = (struct bench_worker){.settings = run->settings,
                                        .target = run->target,
                                        .shim = recorded ? run->shim : NULL,
                                        .key_label = run->key_label};
    run_own_key_name(run, &run->worker.own_key);
    if (crew_start(&run->crew, count, (unsigned)largest(&run->settings->threads), &run->worker,
                   &error) != P11PROF_OK)
        return p11prof_complain_of(&error);
    return 0;
}

/* One after the other: a wrong PIN is tried once, not once a worker. */
static int workers_set_up(struct bench_run *run)
{
    const struct bench_request request = {.kind = BENCH_REQUEST_SET_UP};
    struct p11prof_error error;
    for (unsigned i = 0; i < run->crew.count; i++) {
        if (crew_ask_one(&run->crew, i, &request, tick, run, &error) != P11PROF_OK)
            return p11prof_complain_of(&error);
        if (run->signal_number)
            return P11PROF_EXIT_SIGNAL + run->signal_number;
    }
    run->token = run->crew.members[0].reply.token;
    run->own_key = run->crew.members[0].reply.own_key;
    run->own_cost_ns = run->crew.members[0].reply.own_cost_ns;
    run->clock_cost_ns = slice_clock_cost_ns();
    run_announce(run);
    return 0;
}

int run_open_quietly(struct bench_run *run)
{
    run->record = BENCH_RECORD_OFF;
    int code = workers_start(run, false);
    return code ? code : workers_set_up(run);
}

int run_open(struct bench_run *run)
{
    struct p11prof_error error;
    run->record = run->settings->record;
    if (run->record != BENCH_RECORD_OFF &&
        p11prof_find_shim(run->shim, sizeof run->shim, &error) != P11PROF_OK)
        return p11prof_complain_of(&error);
    char *options = settings_json(run->settings);
    enum p11prof_status status = p11prof_recording_start(
        &run->recording, run->db, "bench", run->settings->name ? run->settings->name : "",
        "p11prof-bench", options, &error);
    cJSON_free(options);
    run->recording.run.options_json = NULL;
    if (status != P11PROF_OK)
        return p11prof_complain_of(&error);
    run->recording.folder = run->spool_folder;
    if (run->record != BENCH_RECORD_OFF)
        environment_set(run);
    int code = workers_start(run, run->record != BENCH_RECORD_OFF);
    code = code ? code : workers_set_up(run);
    if (code == 0 && run->record == BENCH_RECORD_OFF &&
        record_own_describe(run, &error) != P11PROF_OK)
        return p11prof_complain_of(&error);
    return code;
}

/* --- preparing --- */

bool run_offers(struct bench_run *run, const struct p11prof_bench_test *test, char *reason,
                size_t reason_bytes)
{
    struct bench_request request = {.kind = BENCH_REQUEST_OFFERED};
    struct p11prof_error error = {0};
    memcpy(request.test, test->id, sizeof request.test);
    bool offered = crew_ask_one(&run->crew, 0, &request, tick, run, &error) == P11PROF_OK;
    snprintf(reason, reason_bytes, "%s", error.text);
    return offered;
}

static void load_skip(struct bench_run *run, const struct bench_load *load, const char *reason)
{
    struct p11prof_error error;
    p11prof_note("%s is skipped: %s", load->test.id, reason);
    if (run->recording.store && p11prof_store_skip_add(run->recording.store, run->recording.run_id,
                                                       load->test.id, reason, &error) != P11PROF_OK)
        p11prof_warn("%s", error.text);
}

static void load_prepare(struct bench_run *run, struct bench_load *load)
{
    struct p11prof_error error;
    struct bench_request request = {.kind = BENCH_REQUEST_PREPARE,
                                    .load = load->number,
                                    .data_bytes = load->data_bytes,
                                    .threads = load->threads};
    memcpy(request.test, load->test.id, sizeof request.test);
    if (load->test.alone && load->threads * load->processes > 1) {
        load_skip(run, load, "logins are of the whole process: one thread only");
        return;
    }
    load->ready = crew_ask(&run->crew, load->processes, &request, tick, run, &error) == P11PROF_OK;
    const struct bench_reply *reply = &run->crew.members[0].reply;
    if (!load->ready) {
        load_skip(run, load, error.text);
        for (unsigned i = 0; i < load->processes; i++) {
            run->failed = run->failed || run->crew.members[i].reply.broken;
            run->crashed = run->crashed || run->crew.members[i].crashed;
        }
        return;
    }
    load->unchecked = reply->unchecked && run->settings->verify != BENCH_VERIFY_NONE;
    load->iteration_ns = reply->iteration_ns ? reply->iteration_ns : 1;
    load->threads_done =
        p11prof_zalloc((size_t)load->processes * load->threads, sizeof *load->threads_done);
    load->thread_ids =
        p11prof_zalloc((size_t)load->processes * load->threads, sizeof *load->thread_ids);
    run->ready_count++;
    run_mechanism_note(run, load, &reply->mechanism);
}

/* Millions of rows are too many where nobody asked for them. */
static void record_decide(struct bench_run *run)
{
    const struct bench_request request = {.kind = BENCH_REQUEST_SUMMARY};
    struct p11prof_error error;
    double operations = schedule_operations(&run->schedule, run->settings);
    if (run->record != BENCH_RECORD_AUTO)
        return;
    run->record = operations > summary_above ? BENCH_RECORD_SUMMARY : BENCH_RECORD_CALLS;
    if (run->record == BENCH_RECORD_CALLS)
        return;
    p11prof_note("about %.0f million operations: histograms are kept, no rows (--record calls "
                 "keeps them)",
                 operations / 1e6);
    crew_ask(&run->crew, run->crew.count, &request, tick, run, &error);
}

/* The first time only: what is asked for. */
static int tests_select(struct bench_run *run)
{
    struct p11prof_bench_selection tests;
    struct p11prof_error error;
    if (run->schedule.load_count > 0)
        return 0;
    if (p11prof_bench_select(&tests, run->settings->tests, &run->own_key, &error) != P11PROF_OK)
        return p11prof_complain_of(&error);
    schedule_make(&run->schedule, &tests, run->settings);
    free(tests.tests);
    return 0;
}

static void loads_close(struct bench_run *run)
{
    struct p11prof_error error;
    for (size_t i = 0; i < run->schedule.load_count; i++) {
        const struct bench_load *load = &run->schedule.loads[i];
        const struct bench_request request = {.kind = BENCH_REQUEST_CLOSE, .load = load->number};
        if (load->ready)
            crew_ask(&run->crew, load->processes, &request, tick, run, &error);
    }
}

int run_prepare(struct bench_run *run, bool alone)
{
    size_t before = run->ready_count;
    int code = tests_select(run);
    if (code)
        return code;
    if (alone && schedule_has_alone(&run->schedule))
        loads_close(run);
    for (size_t i = 0; i < run->schedule.load_count && !run->signal_number && !run->crashed; i++)
        if (run->schedule.loads[i].test.alone == alone)
            load_prepare(run, &run->schedule.loads[i]);
    if (run->signal_number)
        return P11PROF_EXIT_SIGNAL + run->signal_number;
    schedule_cut(&run->schedule, run->settings, alone);
    if (run->ready_count == before)
        return 0;
    if (!run->settings->dry_run)
        output_estimate(run);
    record_decide(run);
    return run_loads_store(run, alone);
}

/* --- slices --- */

static void plan_start(struct bench_plan *plan, unsigned processes)
{
    plan->start_ns = slice_now_ns() + 2000000 + processes * UINT64_C(500000);
}

static void load_aborted(struct bench_run *run, struct bench_load *load)
{
    char text[32];
    progress_clear(&run->progress);
    p11prof_warn("%s ends early: nothing works any more (%s)", load->test.id,
                 p11prof_rv_text(load->first_rv, text));
    run->failed = true;
}

static void slice_run_one(struct bench_run *run, size_t index)
{
    struct bench_load *load = &run->schedule.loads[run->schedule.slices[index].load];
    struct p11prof_error error;
    struct bench_request request = {
        .kind = BENCH_REQUEST_SLICE,
        .load = load->number,
        .threads = load->threads,
        .plan = schedule_plan(load, run->settings, run->schedule.slices[index].slice)};
    uint64_t planned_ns = schedule_plan_ns(load, &request.plan);
    if (load->gave_up)
        return;
    progress_slice(&run->progress, load->test.id, planned_ns);
    struct slice_facts facts = slice_facts_begin();
    plan_start(&request.plan, load->processes);
    enum p11prof_status status =
        crew_ask(&run->crew, load->processes, &request, slice_tick, run, &error);
    slice_tick(run);
    progress_slice_ended(&run->progress);
    slice_store(run, load, &request.plan, &facts);
    if (status != P11PROF_OK) {
        progress_clear(&run->progress);
        p11prof_complain_of(&error);
        run->crashed = run->failed = true;
    } else if (load->gave_up && !run->signal_number) {
        load_aborted(run, load);
    }
}

int run_slices(struct bench_run *run)
{
    progress_start(&run->progress, run->settings->quiet, run->schedule.planned_ns,
                   run->schedule.slice_count);
    for (size_t i = 0; i < run->schedule.slice_count && !run->signal_number && !run->crashed; i++) {
        slice_run_one(run, i);
        drain(run);
    }
    progress_clear(&run->progress);
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

void run_finish(struct bench_run *run)
{
    unsigned killed = crew_end(&run->crew, QUIT_MS, tick, run);
    if (killed)
        p11prof_warn("%u workers did not come back from the module and were ended%s%s", killed,
                     run->settings->token_keys ? "; look for token objects labelled " : "",
                     run->settings->token_keys ? run->key_label : "");
    if (!run->recording.store)
        return;
    drain(run);
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
        crew_end(&run->crew, QUIT_MS, tick, run);
    p11prof_recording_close(&run->recording);
    cJSON_Delete(run->mechanisms);
    schedule_clear(&run->schedule);
}
