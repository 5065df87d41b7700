/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "slice_loop.h"

#include "p11prof/spool.h"

#include <sched.h>
#include <string.h>
#include <time.h>

enum {
    SAMPLE_EVERY = 100,        /* results that are verified, besides the first and the last */
    GIVE_UP_AFTER = 100,       /* failures without a success in between */
    REST_NS = 20000000,        /* after that, where giving up is none */
    CALLS_MOST = 128,          /* of an iteration, when room in the spool is shared out */
    ROOM_CHECK_MOST = 1 << 16, /* iterations between two looks at the room */
    COST_ITERATIONS = 20000,
};

/* --- room in the spool --- */

/* What a thread takes at most between two looks: a chunk, and the next one ahead. */
static uint64_t room_reserve(unsigned thread_count)
{
    return UINT64_C(2) * thread_count * P11PROF_CHUNK_RECORDS;
}

uint64_t slice_room_least(unsigned thread_count)
{
    return 3 * room_reserve(thread_count + 1);
}

/* Waits until the command has drained some of it: nothing is lost, and the time is no one's. */
static uint64_t room_wait(struct slice_loop *loop, uint64_t now_ns)
{
    const struct slice_thread *thread = loop->thread;
    const struct timespec pause = {0, 1000000};
    uint64_t reserve = room_reserve(thread->thread_count), room;
    if (!thread->recorder->room) {
        loop->until_room = UINT64_MAX;
        return now_ns;
    }
    while ((room = thread->recorder->room()) < reserve && !atomic_load(thread->stop) &&
           !atomic_load(thread->unrecorded)) {
        atomic_store(&thread->state->waits, 1);
        nanosleep(&pause, NULL);
    }
    uint64_t share = (room - reserve) / thread->thread_count / CALLS_MOST;
    loop->until_room = share < 1 ? 1 : share > ROOM_CHECK_MOST ? ROOM_CHECK_MOST : share;
    if (!atomic_exchange(&thread->state->waits, 0))
        return now_ns;
    uint64_t later_ns = slice_now_ns();
    loop->paused_ns += later_ns - now_ns;
    thread->state->waited_ns += later_ns - now_ns;
    return later_ns;
}

uint64_t slice_room(struct slice_loop *loop, uint64_t now_ns)
{
    return loop->until_room-- == 0 ? room_wait(loop, now_ns) : now_ns;
}

/* --- one iteration --- */

static void own_add(struct bench_own *own, uint64_t duration_ns, bool failed)
{
    unsigned octave = p11prof_octave(duration_ns);
    if (failed) {
        own->error_sum_ns += duration_ns;
        return;
    }
    own->success_count++;
    own->sum_ns += duration_ns;
    own->sum_squares += (double)duration_ns * (double)duration_ns;
    own->min_ns = duration_ns < own->min_ns ? duration_ns : own->min_ns;
    own->max_ns = duration_ns > own->max_ns ? duration_ns : own->max_ns;
    own->octaves[octave][p11prof_octave_bucket(duration_ns, octave)]++;
}

static bool token_is_gone(CK_RV rv)
{
    return rv == CKR_DEVICE_REMOVED || rv == CKR_TOKEN_NOT_PRESENT ||
           rv == CKR_CRYPTOKI_NOT_INITIALIZED;
}

/* rv: CKR_OK of a wrong result. */
static void error_note(struct slice_loop *loop, CK_RV rv)
{
    struct bench_thread_state *state = loop->thread->state;
    loop->turns[loop->turn].error_count++;
    atomic_fetch_add_explicit(&state->error_count, 1, memory_order_relaxed);
    if (state->first_error_ns > 0)
        return;
    state->first_error_ns = slice_now_ns();
    state->first_error_rv = rv;
}

static void failure_note(struct slice_loop *loop, CK_RV rv)
{
    struct bench_thread_state *state = loop->thread->state;
    struct bench_share *share = loop->thread->turns[loop->turn].share;
    error_note(loop, rv);
    if (share->first_rv == CKR_OK)
        share->first_rv = rv;
    state->gone = state->gone || token_is_gone(rv);
    if ((++state->failed_in_row >= GIVE_UP_AFTER && !loop->thread->patient) || state->gone)
        state->gave_up = true;
}

/* Failures are fast: without a rest there would be millions, and time is what is wanted. It counts
 * as time in which nothing was done. */
static uint64_t rest(const struct slice_loop *loop, uint64_t now_ns)
{
    const struct timespec pause = {0, REST_NS};
    if (loop->thread->state->failed_in_row < GIVE_UP_AFTER || !loop->thread->patient)
        return now_ns;
    nanosleep(&pause, NULL);
    return slice_now_ns();
}

/* Whether this phase has another iteration after now_ns. */
static bool goes_on(const struct slice_loop *loop, uint64_t now_ns)
{
    const struct bench_amount *amount = loop->amount;
    return (amount->count == 0 || loop->count < amount->count) &&
           (amount->ns == 0 || now_ns - loop->paused_ns < loop->deadline_ns) &&
           !loop->thread->state->gave_up &&
           !atomic_load_explicit(loop->thread->stop, memory_order_relaxed);
}

/* The first one, every hundredth, the last one. */
static bool check_is_due(struct slice_loop *loop, const struct p11prof_bench_steps *steps,
                         uint64_t now_ns)
{
    if (!steps->check || loop->thread->verify == BENCH_VERIFY_NONE)
        return false;
    return loop->thread->verify == BENCH_VERIFY_ALL || loop->turns[loop->turn].until_check-- == 0 ||
           !goes_on(loop, now_ns);
}

static void check(struct slice_loop *loop, struct p11prof_bench_job *job)
{
    struct slice_count *turn = &loop->turns[loop->turn];
    turn->until_check = SAMPLE_EVERY - 1;
    if (job->test->steps->check(job))
        return;
    turn->wrong_count++;
    error_note(loop, CKR_OK);
}

/* Returns the time now: what was since then_ns is not measured. */
static uint64_t pause(struct slice_loop *loop, uint64_t then_ns)
{
    uint64_t now_ns = slice_now_ns();
    loop->paused_ns += now_ns - then_ns;
    return now_ns;
}

/* What comes behind the measured calls and is not measured. */
static uint64_t clean_up(struct slice_loop *loop, struct p11prof_bench_job *job, CK_RV rv,
                         uint64_t now_ns)
{
    const struct p11prof_bench_steps *steps = job->test->steps;
    bool checked = rv == CKR_OK && check_is_due(loop, steps, now_ns);
    if (checked)
        check(loop, job);
    if (steps->after)
        steps->after(job);
    return checked || steps->after ? pause(loop, now_ns) : now_ns;
}

/* What stop kept from running. */
static uint64_t give_back(struct p11prof_bench_job *job)
{
    if (job->test->steps->after)
        job->test->steps->after(job);
    return slice_now_ns();
}

static void own_take(const struct slice_loop *loop, uint64_t start_ns, uint64_t end_ns, bool failed)
{
    struct bench_share *share = loop->thread->turns[loop->turn].share;
    own_add(&share->own, end_ns - (loop->intended_ns ? loop->intended_ns : start_ns), failed);
    if (loop->intended_ns)
        own_add(&share->service, end_ns - start_ns, failed);
}

uint64_t slice_iterate(struct slice_loop *loop, uint64_t now_ns)
{
    const struct slice_turn *turn = &loop->thread->turns[loop->turn];
    struct p11prof_bench_job *job = turn->job;
    const struct p11prof_bench_steps *steps = job->test->steps;
    CK_RV rv = steps->before ? steps->before(job) : CKR_OK;
    if (steps->before || loop->thread->draws)
        now_ns = pause(loop, now_ns);
    if (loop->intended_ns && !slice_wait(loop->intended_ns, loop->thread->stop))
        return give_back(job);
    uint64_t start_ns = loop->own ? slice_now_ns() : 0;
    if (rv == CKR_OK)
        rv = steps->run(job);
    now_ns = slice_now_ns();
    if (loop->own)
        own_take(loop, start_ns, now_ns, rv != CKR_OK);
    loop->count++;
    loop->turns[loop->turn].count++;
    if (rv == CKR_OK)
        loop->thread->state->failed_in_row = 0;
    else
        failure_note(loop, rv);
    now_ns = clean_up(loop, job, rv, now_ns);
    job->iteration++;
    return rest(loop, now_ns);
}

/* --- phases --- */

/* What the next calls are of. */
void slice_mark(const struct slice_loop *loop)
{
    const struct slice_turn *turn = &loop->thread->turns[loop->turn];
    const struct p11prof_bench_test *test = turn->job->test;
    const struct p11prof_load_note note = {.part = p11prof_part(turn->load, loop->phase),
                                           .window_start_ns = loop->window_start_ns,
                                           .intended_start_ns = loop->intended_ns,
                                           .iteration_calls = test->iteration_calls,
                                           .iteration_operation =
                                               test->iteration_calls ? test->operation : 0};
    if (loop->thread->recorder->mark)
        loop->thread->recorder->mark(&note);
}

static void mark_end(const struct slice_thread *thread)
{
    static const struct p11prof_load_note none;
    if (thread->recorder->mark)
        thread->recorder->mark(&none);
}

/* Whose turn it is: every operation of a mix is drawn anew. The jobs share the thread's session,
 * which the one before may have had to open anew. */
void slice_turn_draw(struct slice_loop *loop)
{
    const struct slice_thread *thread = loop->thread;
    const struct p11prof_bench_job *before = thread->turns[loop->turn].job;
    loop->turn =
        draw_choose(&thread->draws->states[loop->phase], thread->limits, thread->turn_count);
    struct p11prof_bench_job *job = thread->turns[loop->turn].job;
    if (job == before)
        return;
    job->session = before->session;
    slice_mark(loop);
}

static void session_share(const struct slice_loop *loop)
{
    for (unsigned i = 0; i < loop->thread->turn_count; i++)
        loop->thread->turns[i].job->session = loop->thread->turns[loop->turn].job->session;
}

/* What lies between two operations of a user: part of the time, and of no operation. */
static uint64_t think(const struct slice_loop *loop, uint64_t now_ns)
{
    uint64_t until_ns = now_ns + loop->thread->think_time_ns;
    uint64_t end_ns = loop->deadline_ns + loop->paused_ns;
    if (loop->thread->think_time_ns == 0)
        return now_ns;
    slice_wait(loop->amount->ns > 0 && end_ns < until_ns ? end_ns : until_ns, loop->thread->stop);
    return slice_now_ns();
}

/* A phase ends at the same moment in all threads, also in those that came late because threads
 * outnumber processors: their times overlap, and their rates may be added. due_ns: when it was to
 * begin; 0: when its thread comes. */
static void phase_run(struct slice_loop *loop, const struct bench_amount *amount, uint64_t due_ns)
{
    struct bench_thread_state *state = loop->thread->state;
    uint64_t done = atomic_load_explicit(&state->progress_count, memory_order_relaxed);
    uint64_t now_ns = slice_now_ns();
    loop->amount = amount;
    loop->start_ns = loop->end_ns = now_ns;
    loop->deadline_ns = (due_ns ? due_ns : now_ns) + amount->ns;
    loop->count = loop->paused_ns = 0;
    if (amount->count == 0 && amount->ns == 0)
        return;
    bool late = amount->ns && now_ns >= loop->deadline_ns; /* one is the least, if it may go on */
    if (late)
        loop->deadline_ns = now_ns + 1;
    while (goes_on(loop, now_ns)) {
        now_ns = slice_room(loop, now_ns);
        if (loop->thread->draws)
            slice_turn_draw(loop);
        now_ns = slice_iterate(loop, now_ns);
        atomic_store_explicit(&state->progress_count, ++done, memory_order_relaxed);
        now_ns = think(loop, now_ns);
    }
    loop->end_ns = now_ns;
}

/* Keeps what the measured phase came to. The loads of a mix share its time. */
void slice_measured_keep(const struct slice_loop *loop)
{
    const struct bench_tally all = {.start_ns = loop->start_ns,
                                    .end_ns = loop->end_ns,
                                    .active_ns = loop->end_ns - loop->start_ns - loop->paused_ns};
    struct bench_tally *sum = &loop->thread->state->measured;
    *sum = all;
    for (unsigned i = 0; i < loop->thread->turn_count; i++) {
        struct bench_tally *tally = &loop->thread->turns[i].share->measured;
        *tally = all;
        sum->count += tally->count = loop->turns[i].count;
        sum->error_count += tally->error_count = loop->turns[i].error_count;
        sum->wrong_count += tally->wrong_count = loop->turns[i].wrong_count;
    }
}

static void own_reset(struct bench_own *own)
{
    memset(own, 0, sizeof *own);
    own->min_ns = UINT64_MAX;
}

static void share_reset(struct bench_share *share, bool scheduled)
{
    share->measured = (struct bench_tally){0};
    share->first_rv = CKR_OK;
    own_reset(&share->own);
    if (scheduled)
        own_reset(&share->service);
}

static void state_reset(const struct slice_thread *thread)
{
    struct bench_thread_state *state = thread->state;
    atomic_store(&state->progress_count, 0);
    atomic_store(&state->error_count, 0);
    state->measured = (struct bench_tally){0};
    state->first_error_ns = state->waited_ns = 0;
    state->gave_up = state->gone = false;
    if (!thread->patient) /* else the next slice would begin with as many again */
        state->failed_in_row = 0;
    for (unsigned i = 0; i < thread->turn_count; i++)
        share_reset(thread->turns[i].share, thread->arrivals != NULL);
}

void slice_phase_begin(struct slice_loop *loop, enum p11prof_phase phase)
{
    loop->phase = phase;
    loop->own = phase == P11PROF_PHASE_MEASURED && !loop->thread->recorder->mark;
    memset(loop->turns, 0, sizeof loop->turns); /* the first ones are checked */
    slice_mark(loop);
}

static void closed_run(struct slice_loop *loop, const struct bench_plan *plan)
{
    slice_phase_begin(loop, P11PROF_PHASE_WARMUP);
    phase_run(loop, &plan->warmup, plan->start_ns);
    slice_phase_begin(loop, P11PROF_PHASE_MEASURED);
    phase_run(loop, &plan->measured,
              plan->warmup.count ? 0 : plan->start_ns + plan->warmup.ns + loop->paused_ns);
    slice_measured_keep(loop);
    loop->thread->state->processor = sched_getcpu() + 1;
    slice_phase_begin(loop, P11PROF_PHASE_COOLDOWN);
    phase_run(loop, &plan->cooldown, 0);
}

void slice_run(const struct slice_thread *thread, const struct bench_plan *plan)
{
    struct slice_loop loop = {.thread = thread, .window_start_ns = plan->start_ns};
    state_reset(thread);
    slice_begin(plan);
    if (thread->arrivals)
        slice_open_run(&loop);
    else
        closed_run(&loop, plan);
    mark_end(thread);
    session_share(&loop);
}

/* --- what it costs --- */

static CK_RV nothing(struct p11prof_bench_job *job)
{
    (void)job;
    return CKR_OK;
}

uint64_t slice_own_cost_ns(const struct slice_recorder *recorder)
{
    static const struct p11prof_bench_steps steps = {.run = nothing};
    static struct bench_thread_state state;
    static struct bench_share share;
    static const _Atomic(uint32_t) stop;
    const struct p11prof_bench_test test = {.steps = &steps};
    struct p11prof_bench_job job = {.test = &test};
    const struct slice_thread thread = {.turns = {{.job = &job, .share = &share}},
                                        .turn_count = 1,
                                        .state = &state,
                                        .recorder = recorder,
                                        .stop = &stop,
                                        .unrecorded = &stop,
                                        .verify = BENCH_VERIFY_NONE,
                                        .thread_count = 1};
    struct slice_loop loop = {.thread = &thread, .own = !recorder->mark};
    const struct bench_amount amount = {.count = COST_ITERATIONS};
    phase_run(&loop, &amount, 0);
    return (loop.end_ns - loop.start_ns - loop.paused_ns) / COST_ITERATIONS;
}
