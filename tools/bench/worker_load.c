/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "worker_load.h"

#include "../message.h"
#include "../report/allocate.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TRIALS = 3 };
static const uint64_t trial_enough_ns = 500000000;

/* --- threads --- */

/* The command is gone: its threads end after what they do. */
static void tick(void *payload)
{
    struct worker *worker = payload;
    struct pollfd hung = {.fd = worker->given->socket};
    if (poll(&hung, 1, 0) > 0 && (hung.revents & POLLHUP))
        atomic_store(&worker->given->shared->stop, 1);
}

static bool on_threads(struct worker *worker, void (*task)(void *, unsigned))
{
    unsigned count = worker->load->thread_count;
    memset(worker->errors, 0, sizeof worker->errors);
    if (team_run(&worker->team, count, task, worker, tick))
        return true;
    p11prof_error_set(&worker->errors[0], P11PROF_FAILED, "cannot start %u threads", count);
    return false;
}

/* The first thread's error becomes the reply. */
static void reply_errors(struct worker *worker)
{
    for (unsigned i = 0; i < worker->load->thread_count; i++) {
        if (worker->errors[i].status == P11PROF_OK)
            continue;
        worker->reply->status = worker->errors[i].status;
        snprintf(worker->reply->text, sizeof worker->reply->text, "%s", worker->errors[i].text);
        return;
    }
}

static struct bench_thread_state *state_of(const struct worker *worker, unsigned thread)
{
    struct bench_shared *shared = worker->given->shared;
    return &shared->threads[worker->given->process * shared->threads_most + thread];
}

/* --- loads --- */

static void job_fill(struct worker *worker, unsigned thread, struct p11prof_bench_job *job)
{
    const struct p11prof_bench_target *target = worker->given->target;
    *job = (struct p11prof_bench_job){.test = worker->load->test,
                                      .key = &worker->load->key->key,
                                      .timed = worker->module.timed,
                                      .raw = worker->module.raw,
                                      .timed_3 = &worker->module.timed_3.functions,
                                      .raw_3 = &worker->module.raw_3.functions,
                                      .slot_id = worker->facts.slot_id,
                                      .session = worker->sessions[thread],
                                      .pin = target->has_pin ? target->pin : NULL,
                                      .pin_bytes = target->pin_bytes};
}

/* What a token has no reason to answer. */
static void fault_note(struct worker *worker, CK_RV rv, bool wrong)
{
    if (wrong || rv == CKR_DEVICE_ERROR || rv == CKR_DEVICE_REMOVED || rv == CKR_TOKEN_NOT_PRESENT)
        worker->broken = true;
}

/* One iteration, with all that belongs to it. Returns what it took; 0: it failed. */
static uint64_t try_once(struct worker *worker, struct p11prof_bench_job *job, bool verify,
                         struct p11prof_error *error)
{
    const struct p11prof_bench_steps *steps = job->test->steps;
    char text[32];
    CK_RV rv = steps->before ? steps->before(job) : CKR_OK;
    uint64_t start_ns = slice_now_ns();
    if (rv == CKR_OK)
        rv = steps->run(job);
    uint64_t taken_ns = slice_now_ns() - start_ns;
    bool right = rv != CKR_OK || !verify || !steps->check || steps->check(job);
    if (steps->after)
        steps->after(job);
    job->iteration++;
    if (rv == CKR_OK && right)
        return taken_ns + 1;
    fault_note(worker, rv, !right);
    if (rv != CKR_OK)
        p11prof_error_set(error, P11PROF_FAILED, "the token answers %s", p11prof_rv_text(rv, text));
    else
        p11prof_error_set(error, P11PROF_FAILED, "the token gives wrong results");
    return 0;
}

/* The fastest of up to three. */
static void job_try(struct worker *worker, unsigned thread)
{
    bool verify = worker->given->settings->verify != BENCH_VERIFY_NONE;
    uint64_t best_ns = UINT64_MAX, spent_ns = 0;
    for (unsigned i = 0; i < TRIALS && spent_ns < trial_enough_ns; i++) {
        uint64_t taken_ns = try_once(worker, &worker->load->jobs[thread], verify && i == 0,
                                     &worker->errors[thread]);
        if (taken_ns == 0)
            return;
        spent_ns += taken_ns;
        best_ns = taken_ns < best_ns ? taken_ns : best_ns;
    }
    worker->trial_ns[thread] = best_ns;
}

static void thread_prepare(void *payload, unsigned thread)
{
    struct worker *worker = payload;
    struct p11prof_error *error = &worker->errors[thread];
    state_of(worker, thread)->thread_id = (uint32_t)gettid();
    if (worker->sessions[thread] == CK_INVALID_HANDLE &&
        token_session_open(worker->module.timed, &worker->facts,
                           worker->given->settings->token_keys, &worker->sessions[thread],
                           error) != P11PROF_OK)
        return;
    struct p11prof_bench_job *job = &worker->load->jobs[thread];
    job_fill(worker, thread, job);
    CK_RV rv = p11prof_bench_job_open(job, worker->request->data_bytes, error);
    if (rv == CKR_OK)
        job_try(worker, thread);
    else
        fault_note(worker, rv, job->wrong);
    worker->sessions[thread] = job->session;
}

static void thread_close(void *payload, unsigned thread)
{
    struct worker *worker = payload;
    struct p11prof_bench_job *job = &worker->load->jobs[thread];
    if (!job->test)
        return;
    job->session = worker->sessions[thread];
    p11prof_bench_job_close(job);
    worker->sessions[thread] = job->session;
}

/* Each phase of each thread of each process draws from a sequence that the seed gives it. */
static void draws_seed(struct worker *worker, unsigned thread)
{
    const struct bench_worker *given = worker->given;
    struct slice_draws *draws = &worker->load->draws[thread];
    for (unsigned phase = 0; phase <= P11PROF_PHASE_COOLDOWN; phase++)
        draws->states[phase] = draw_seed(given->settings->seed, given->process, thread, phase);
}

static void turns_fill(struct worker *worker, struct slice_thread *slice, unsigned thread)
{
    const struct bench_request *request = worker->request;
    struct bench_share *shares =
        bench_shares(worker->given->shared, worker->given->process, thread);
    slice->turn_count = request->turns;
    for (unsigned i = 0; i < request->turns; i++) {
        struct p11prof_bench_job *job = &worker->load[i].jobs[thread];
        /* Whoever has to open the thread's session anew does so for all of its jobs. */
        job->session = worker->sessions[thread];
        slice->turns[i] =
            (struct slice_turn){.job = job, .share = &shares[i], .load = request->load + i};
    }
    if (request->turns > 1) {
        draw_limits(slice->limits, request->weights, request->turns);
        slice->draws = &worker->load->draws[thread];
    }
}

static void thread_slice(void *payload, unsigned thread)
{
    struct worker *worker = payload;
    struct slice_thread slice = {
        .state = state_of(worker, thread),
        .recorder = &worker->module.recorder,
        .stop = &worker->given->shared->stop,
        .unrecorded = &worker->given->shared->unrecorded,
        .verify = worker->given->settings->verify,
        .arrivals = worker->request->scheduled ? &worker->given->shared->arrivals : NULL,
        .think_time_ns = worker->request->think_time_ns,
        .patient = worker->given->settings->stress.wanted,
        .thread_count = worker->load->thread_count};
    turns_fill(worker, &slice, thread);
    slice_run(&slice, &worker->request->plan);
    worker->sessions[thread] = slice.turns[0].job->session;
}

static struct worker_key *key_find(struct worker *worker, const char *test, const char *label)
{
    for (unsigned i = 1; i <= BENCH_LOADS_MOST; i++) {
        struct worker_key *key = worker->loads[i].key;
        if (key && strcmp(key->test, test) == 0 && strcmp(key->label, label) == 0)
            return key;
    }
    return NULL;
}

/* Nothing of ours stays on the token, or it is said. */
static void token_sweep(const struct worker *worker, const char *label)
{
    unsigned left =
        p11prof_bench_labelled_destroy(worker->module.raw, worker->facts.session, label);
    if (left > 0)
        p11prof_warn("the token does not destroy %u objects labelled %s: remove them", left, label);
}

static void key_give(struct worker *worker, struct worker_key *key)
{
    if (--key->load_count > 0)
        return;
    if (key->key.own)
        p11prof_bench_key_destroy(&key->key, worker->module.timed, worker->facts.session);
    if (worker->given->settings->token_keys)
        token_sweep(worker, key->made_label);
    free(key);
}

static enum p11prof_status key_take(struct worker *worker, struct p11prof_error *error)
{
    const struct p11prof_bench_test *test = worker->load->test;
    struct worker_key *key = key_find(worker, test->id, worker->request->key);
    if (!key) {
        key = p11prof_zalloc(1, sizeof *key);
        /* No other test's and no other process's: token objects are seen by all. */
        snprintf(key->made_label, sizeof key->made_label, "%.24s-%u-%u", worker->given->key_label,
                 worker->given->process + 1, worker->request->load);
        strcpy(key->test, test->id);
        strcpy(key->label, worker->request->key);
        CK_RV rv = p11prof_bench_key_make(
            &key->key, test, worker->module.timed, worker->facts.session, key->made_label,
            worker->given->settings->token_keys, worker->own_key, error);
        if (rv != CKR_OK) {
            key->load_count = 1;
            key_give(worker, key);
            return error->status == P11PROF_OK ? P11PROF_FAILED : error->status;
        }
    }
    key->load_count++;
    worker->load->key = key;
    return P11PROF_OK;
}

enum p11prof_status load_test_find(struct worker *worker, const char *id,
                                   struct p11prof_bench_selection *tests,
                                   struct p11prof_error *error)
{
    enum p11prof_status status = p11prof_bench_select(tests, id, worker->own_key, error);
    if (status != P11PROF_OK || tests->count == 1)
        return status;
    free(tests->tests);
    return p11prof_error_set(error, P11PROF_BAD_INPUT, "%s is no single test", id);
}

void load_close(struct worker *worker, struct worker_load *load)
{
    worker->load = load;
    if (load->jobs)
        on_threads(worker, thread_close);
    free(load->jobs);
    free(load->draws);
    if (load->key)
        key_give(worker, load->key);
    free(load->tests.tests);
    *load = (struct worker_load){0};
}

void load_open(struct worker *worker)
{
    struct p11prof_error error = {0};
    const struct bench_request *request = worker->request;
    struct worker_load *load = worker->load = &worker->loads[request->load];
    *load = (struct worker_load){.thread_count = request->threads};
    enum p11prof_status status = load_test_find(worker, request->test, &load->tests, &error);
    if (status == P11PROF_OK) {
        load->test = load->tests.tests[0];
        status = key_take(worker, &error);
    }
    if (status != P11PROF_OK) {
        worker_reply(worker, status, &error);
        free(load->test ? load->tests.tests : NULL);
        *load = (struct worker_load){0};
        return;
    }
    load->jobs = p11prof_zalloc(request->threads, sizeof *load->jobs);
    load->draws = p11prof_zalloc(request->threads, sizeof *load->draws);
    for (unsigned i = 0; i < request->threads; i++)
        draws_seed(worker, i);
    worker->broken = false;
    on_threads(worker, thread_prepare);
    reply_errors(worker);
    worker->reply->broken = worker->broken;
    worker->reply->iteration_ns = worker->trial_ns[0];
    worker->reply->unchecked = load->jobs[0].unchecked;
    token_mechanism(&worker->facts, load->test->mechanism, &worker->reply->mechanism);
    if (worker->reply->status != P11PROF_OK)
        load_close(worker, load);
}

void load_slice(struct worker *worker)
{
    worker->load = &worker->loads[worker->request->load];
    on_threads(worker, thread_slice);
    reply_errors(worker);
}
