/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Ticks to ns, through all anchors that a spool has: piecewise linear, so that it never runs
 * backwards. */
#ifndef P11PROF_DRAIN_CLOCKS_H
#define P11PROF_DRAIN_CLOCKS_H

#include "p11prof/spool.h"

struct clocks {
    struct p11prof_anchor *anchors; /* by ticks, at least 10 ms apart */
    size_t count, capacity;
    double ns_per_tick;  /* over the whole time; 1 where ticks are ns */
    uint64_t step_count; /* intervals that were off by more than 200 ppm */
    size_t last;         /* where the last conversion was */
};

/* Adds one; returns false without memory. */
bool clocks_add(struct clocks *clocks, const struct p11prof_anchor *anchor);

/* Sorts and thins what was added and finds the slope; ticks_per_second is used when the anchors
 * span less than 10 ms. */
void clocks_finish(struct clocks *clocks, uint64_t ticks_per_second);

/* CLOCK_MONOTONIC of a tick of `clock` (enum p11prof_clock). */
uint64_t clocks_monotonic_ns(struct clocks *clocks, uint32_t clock, uint64_t ticks);
uint64_t clocks_duration_ns(const struct clocks *clocks, uint32_t clock, uint64_t duration_ticks);

#endif
