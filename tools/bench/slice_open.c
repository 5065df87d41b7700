/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "slice_loop.h"

#include <sched.h>

/* Arrivals end a phase, not what was done in it. */
static const struct bench_amount endless;

/* The next operation that this thread is to do. False: there is none, or it is to stop. */
static bool next(const struct slice_loop *loop, uint64_t now_ns, struct bench_arrival *out)
{
    const struct slice_thread *thread = loop->thread;
    enum bench_arrivals_answer answer = BENCH_ARRIVALS_BEHIND;
    while (answer == BENCH_ARRIVALS_BEHIND && !thread->state->gave_up &&
           !atomic_load_explicit(thread->stop, memory_order_relaxed))
        answer = bench_arrivals_take(thread->arrivals, now_ns, out);
    return answer == BENCH_ARRIVALS_ONE;
}

/* The measured part is as long as its schedule, and longer where operations that it was late with
 * began after its end. */
static void measured_end(struct slice_loop *loop, uint64_t last_start_ns, uint64_t last_end_ns)
{
    uint64_t start_ns, end_ns;
    bench_arrivals_measured(loop->thread->arrivals, &start_ns, &end_ns);
    if (start_ns == 0)
        start_ns = end_ns = last_end_ns;
    else if (end_ns == 0) /* it was stopped */
        end_ns = last_end_ns > start_ns ? last_end_ns : start_ns;
    else if (last_start_ns >= end_ns)
        end_ns = last_end_ns;
    loop->start_ns = start_ns;
    loop->end_ns = end_ns;
    loop->paused_ns = 0;
    slice_measured_keep(loop);
    loop->thread->state->processor = sched_getcpu() + 1;
}

static uint64_t run_one(struct slice_loop *loop, uint64_t intended_ns, uint64_t now_ns)
{
    loop->intended_ns = intended_ns;
    if (loop->thread->draws)
        slice_turn_draw(loop);
    slice_mark(loop);
    return slice_iterate(loop, now_ns);
}

void slice_open_run(struct slice_loop *loop)
{
    struct bench_thread_state *state = loop->thread->state;
    struct bench_arrival arrival;
    uint64_t done = 0, last_start_ns = 0, now_ns = slice_now_ns();
    loop->amount = &endless;
    slice_wait_exactly();
    slice_phase_begin(loop, P11PROF_PHASE_WARMUP);
    while (next(loop, now_ns = slice_room(loop, now_ns), &arrival)) {
        while (loop->phase < arrival.phase) {
            if (loop->phase == P11PROF_PHASE_MEASURED)
                measured_end(loop, last_start_ns, now_ns);
            slice_phase_begin(loop, loop->phase + 1);
        }
        last_start_ns = now_ns > arrival.intended_ns ? now_ns : arrival.intended_ns;
        now_ns = run_one(loop, arrival.intended_ns, now_ns);
        atomic_store_explicit(&state->progress_count, ++done, memory_order_relaxed);
    }
    if (loop->phase < P11PROF_PHASE_MEASURED)
        slice_phase_begin(loop, P11PROF_PHASE_MEASURED);
    if (loop->phase == P11PROF_PHASE_MEASURED)
        measured_end(loop, last_start_ns, now_ns);
}
