/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* One thread's part of a slice: warm-up, measured part, cool-down. */
#ifndef P11PROF_BENCH_SLICE_H
#define P11PROF_BENCH_SLICE_H

#include "draw.h"
#include "p11prof/load.h"
#include "protocol.h"
#include "slice_clock.h"

/* What the shim gives a load; NULL members: nothing is recorded. */
struct slice_recorder {
    bool (*mark)(const struct p11prof_load_note *note);
    uint64_t (*room)(void);
    void (*summary)(void);
};

/* What a thread does one of: a load of the slice. */
struct slice_turn {
    struct p11prof_bench_job *job;
    struct bench_share *share;
    uint32_t load;
};

/* What a thread keeps of a mix from one slice to the next: each phase draws from its own sequence.
 */
struct slice_draws {
    uint64_t states[P11PROF_PHASE_COOLDOWN + 1];
};

/* A thread with its jobs. */
struct slice_thread {
    struct slice_turn turns[BENCH_MIX_MOST];
    unsigned turn_count;
    uint64_t limits[BENCH_MIX_MOST]; /* of the draw between them */
    struct slice_draws *draws;       /* NULL: there is one turn */
    struct bench_thread_state *state;
    const struct slice_recorder *recorder;
    const _Atomic(uint32_t) *stop, *unrecorded; /* of struct bench_shared */
    enum bench_verify verify;
    struct bench_arrivals *arrivals; /* when operations begin; NULL: one after the other */
    uint64_t think_time_ns;          /* then: that lies between two */
    bool patient;                    /* rests where nothing works, instead of giving up */
    unsigned thread_count;           /* of this process in this slice */
};

/* How many records a spool needs room for, so that each of so many threads always finds some once
 * the others have been drained: they keep chunks that are not full. */
uint64_t slice_room_least(unsigned thread_count);

/* Runs the plan on the calling thread; what it did is in thread->state and the shares. Nothing of
 * ours but two clock reads at most lies between the measured calls of an iteration and those of the
 * next, unless the test has something to prepare, to check or to take away, or the next operation
 * of a mix is drawn: that time is taken out. Where arrivals say when operations begin nothing is
 * taken out: late is late. */
void slice_run(const struct slice_thread *thread, const struct bench_plan *plan);

/* What the loop itself costs per iteration. */
uint64_t slice_own_cost_ns(const struct slice_recorder *recorder);

#endif
