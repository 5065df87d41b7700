/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "run.h"

#include "../commands.h"
#include "../message.h"
#include "../report/allocate.h"
#include "../report/units.h"
#include "fit.h"
#include "output.h"
#include "ramp.h"
#include "run_facts.h"
#include "run_suite.h"
#include "stress.h"
#include "templates.h"

#include <stdio.h>
#include <string.h>

static const double summary_above = 10e6; /* operations */

bool run_offers(struct bench_run *run, const struct p11prof_bench_test *test, char *reason,
                size_t reason_bytes)
{
    struct bench_request request = {.kind = BENCH_REQUEST_OFFERED};
    struct p11prof_error error = {0};
    memcpy(request.test, test->id, sizeof request.test);
    bool offered = crew_ask_one(&run->crew, 0, &request, run_tick, run, &error) == P11PROF_OK;
    snprintf(reason, reason_bytes, "%s", error.text);
    return offered;
}

/* What failed when a test was tried begins with its id, and may be of this size only. */
static void reason_take(const struct bench_run *run, struct bench_load *load, const char *reason)
{
    char size[P11PROF_UNIT_TEXT_BYTES], of_size[P11PROF_UNIT_TEXT_BYTES + 8] = "";
    size_t id_bytes = strlen(load->test.id);
    if (strncmp(reason, load->test.id, id_bytes) == 0 && strncmp(reason + id_bytes, ": ", 2) == 0) {
        reason += id_bytes + 2;
        p11prof_format_bytes(size, load->data_bytes);
        if (load->test.sized && run->settings->data_sizes.count > 1)
            snprintf(of_size, sizeof of_size, "with %s: ", size);
    }
    snprintf(load->skipped, sizeof load->skipped, "%s%s", of_size, reason);
}

/* Whether a row before it of the same test, with other threads or sizes, was skipped as it is. */
static bool skipped_before(const struct bench_run *run, const struct bench_load *load)
{
    for (const struct bench_load *other = run->schedule.loads; other < load; other++)
        if (strcmp(other->test.id, load->test.id) == 0 &&
            strcmp(other->skipped, load->skipped) == 0)
            return true;
    return false;
}

void run_load_skip(struct bench_run *run, struct bench_load *load, const char *reason)
{
    const struct bench_request request = {.kind = BENCH_REQUEST_CLOSE, .load = load->number};
    struct p11prof_error error;
    reason_take(run, load, reason);
    if (!skipped_before(run, load))
        p11prof_note("%s%s is skipped: %s", run_side(run), load->test.id, load->skipped);
    if (run->recording.store &&
        p11prof_store_skip_add(run->recording.store, run->recording.run_id, load->test.id,
                               load->skipped, &error) != P11PROF_OK)
        p11prof_warn("%s", error.text);
    if (!load->ready)
        return;
    load->ready = false;
    run->ready_count--;
    crew_ask(&run->crew, load->processes, &request, run_tick, run, &error);
}

void run_load_prepare(struct bench_run *run, struct bench_load *load)
{
    struct p11prof_error error;
    struct bench_request request = {.kind = BENCH_REQUEST_PREPARE,
                                    .load = load->number,
                                    .data_bytes = load->data_bytes,
                                    .threads = load->threads};
    memcpy(request.test, load->test.id, sizeof request.test);
    if (load->key)
        strcpy(request.key, load->key);
    if (load->test.alone && load->threads > 1) {
        run_load_skip(run, load, "logins are of the whole process: one thread only");
        return;
    }
    load->ready =
        crew_ask(&run->crew, load->processes, &request, run_tick, run, &error) == P11PROF_OK;
    const struct bench_reply *reply = &run->crew.members[0].reply;
    if (!load->ready) {
        run_load_skip(run, load, error.text);
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
    double operations = schedule_operations(&run->schedule);
    if (run->record != BENCH_RECORD_AUTO)
        return;
    run->record = operations > summary_above ? BENCH_RECORD_SUMMARY : BENCH_RECORD_CALLS;
    if (run->record == BENCH_RECORD_CALLS)
        return;
    p11prof_note("about %.0f million operations: histograms are kept, no rows (--record calls "
                 "keeps them)",
                 operations / 1e6);
    crew_ask(&run->crew, run->crew.count, &request, run_tick, run, &error);
}

/* Who names a key may take every row for one of it. */
static void other_keys_note(const struct bench_run *run)
{
    const char *first = NULL;
    size_t count = 0;
    for (size_t i = 0; run->own_key.wanted && i < run->tests.count; i++) {
        const struct p11prof_bench_test *test = run->tests.tests[i];
        if (!p11prof_bench_key_needed(test) || p11prof_bench_same_key(test, &run->own_key))
            continue;
        first = first ? first : test->id;
        count++;
    }
    if (count == 1)
        p11prof_note("%s%s works on a key that is made for it: it does not fit yours",
                     run_side(run), first);
    else if (count > 1)
        p11prof_note("%s%s and %zu more work on keys that are made for them: they do not fit yours",
                     run_side(run), first, count - 1);
}

int run_tests_select(struct bench_run *run)
{
    struct p11prof_error error;
    const struct bench_settings *settings = run->settings;
    enum p11prof_status status =
        settings->mix.count > 0
            ? bench_mix_select(&run->tests, &settings->mix, &run->own_key, &error)
            : p11prof_bench_select(&run->tests, settings->tests, &run->own_key, &error);
    if (status != P11PROF_OK)
        return p11prof_complain_of(&error);
    other_keys_note(run);
    if (settings->ramp.wanted)
        return ramp_test_choose(settings, &run->tests);
    return settings->stress.wanted ? stress_test_choose(settings, &run->tests) : 0;
}

int run_loads_make(struct bench_run *run)
{
    if (run->settings->ramp.wanted)
        ramp_loads_make(run);
    else
        schedule_make(&run->schedule, &run->tests, run->settings);
    if (run->schedule.load_count > BENCH_LOADS_MOST)
        return p11prof_complain(P11PROF_EXIT_USAGE,
                                "%zu combinations of tests, sizes, threads and processes are more "
                                "than %d: ask for fewer",
                                run->schedule.load_count, BENCH_LOADS_MOST);
    return 0;
}

void run_loads_close(struct bench_run *run)
{
    struct p11prof_error error;
    for (size_t i = 0; i < run->schedule.load_count; i++) {
        const struct bench_load *load = &run->schedule.loads[i];
        const struct bench_request request = {.kind = BENCH_REQUEST_CLOSE, .load = load->number};
        if (load->ready)
            crew_ask(&run->crew, load->processes, &request, run_tick, run, &error);
    }
}

static void loads_drop(struct bench_run *run)
{
    run_loads_close(run);
    for (size_t i = 0; i < run->schedule.load_count; i++)
        run->schedule.loads[i].ready = false;
    run->ready_count = 0;
}

/* A mix, or a suite, of which an operation is missing would be another one. */
static int all_check(struct bench_run *run)
{
    for (size_t i = 0; i < run->schedule.load_count; i++) {
        const struct bench_load *load = &run->schedule.loads[i];
        if ((load->mix == 0 && !load->suite) || load->ready)
            continue;
        loads_drop(run);
        return p11prof_complain(P11PROF_EXIT_FAILED, "the %s is not run: %s cannot be done: %s",
                                load->suite ? "suite" : "mix", load->test.id, load->skipped);
    }
    return 0;
}

static int loads_make(struct bench_run *run)
{
    if (run->settings->suite.step_count > 0)
        return run_suite_make(run);
    int code = run_tests_select(run);
    return code ? code : run_loads_make(run);
}

int run_prepare(struct bench_run *run, bool alone)
{
    size_t before = run->ready_count;
    int code = 0;
    if (run->schedule.load_count == 0) {
        code = loads_make(run);
    }
    if (code)
        return code;
    if (alone && schedule_has_alone(&run->schedule))
        run_loads_close(run);
    for (size_t i = 0; i < run->schedule.load_count && !run->signal_number && !run->crashed; i++)
        if (run->schedule.loads[i].test.alone == alone)
            run_load_prepare(run, &run->schedule.loads[i]);
    if (run->signal_number)
        return P11PROF_EXIT_SIGNAL + run->signal_number;
    code = all_check(run);
    if (code)
        return code;
    schedule_cut(&run->schedule, run->settings, alone);
    if (run->ready_count == before)
        return 0;
    if (!run->settings->dry_run)
        output_estimate(run);
    record_decide(run);
    return run_loads_store(run, alone);
}
