/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Among the files of a slice: a thread on its way through it.
 *
 *   slice.c       one iteration; phases whose iterations follow each other
 *   slice_open.c  phases whose iterations begin by a schedule */
#ifndef P11PROF_BENCH_SLICE_LOOP_H
#define P11PROF_BENCH_SLICE_LOOP_H

#include "slice.h"

/* What a turn did in one phase. */
struct slice_count {
    uint64_t count, error_count, wrong_count;
    uint64_t until_check;
};

/* A thread on its way through one phase. */
struct slice_loop {
    const struct slice_thread *thread;
    unsigned turn; /* in hand */
    enum p11prof_phase phase;
    const struct bench_amount *amount;    /* of this phase */
    uint64_t count;                       /* iterations of this phase */
    uint64_t start_ns, end_ns, paused_ns; /* of this phase */
    uint64_t deadline_ns;                 /* of this phase, where it has a time: moved by pauses */
    uint64_t window_start_ns;
    uint64_t until_room;
    uint64_t intended_ns; /* when the iteration is to begin; 0: at once */
    bool own;             /* it takes durations itself */
    struct slice_count turns[BENCH_MIX_MOST];
};

/* Looks after some iterations whether the spool has room, and waits until it has. Returns the time
 * then. */
uint64_t slice_room(struct slice_loop *loop, uint64_t now_ns);

/* Begins a phase: what follows is counted and noted as of it. */
void slice_phase_begin(struct slice_loop *loop, enum p11prof_phase phase);

/* Whose turn it is, of a mix. */
void slice_turn_draw(struct slice_loop *loop);

/* Notes what the next calls are of. */
void slice_mark(const struct slice_loop *loop);

/* One iteration with all that belongs to it. Returns the time at its end. */
uint64_t slice_iterate(struct slice_loop *loop, uint64_t now_ns);

/* Keeps what the measured phase came to. */
void slice_measured_keep(const struct slice_loop *loop);

/* All phases of a slice, of a thread that has arrivals. */
void slice_open_run(struct slice_loop *loop);

#endif
