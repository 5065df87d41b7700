/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* How the ends of calls follow one another while more are in flight, for modules that are never
 * left alone: docs/statistics.md, Concurrency. One thread. */
#ifndef P11PROF_INSIGHT_CONCURRENCY_SPACING_H
#define P11PROF_INSIGHT_CONCURRENCY_SPACING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { P11PROF_SPACING_RING = 64, P11PROF_SPACING_LEAST = 100 };

/* Starts as {0}. A gap is the part of a call after the last end before its own, where others are in
 * flight too: what serves one at a time serves it for as long, in whatever order. */
struct p11prof_spacing {
    double gaps_ns[P11PROF_SPACING_RING]; /* the last ones, at gap number modulo */
    int64_t last_end_ns;
    uint64_t run; /* gaps in a row, up to now */
    uint64_t end_count, gap_count;
    uint64_t tiny_count; /* of gaps much shorter than the mean up to then */
    double sum_ns;
    double step_count, step_sum_ns; /* differences of neighbours, without sign */
    double turn_count,
        turn_sum_ns; /* of neighbouring sums of as many as are in flight, by the root
                        of how many: as those of neighbours, if gaps are independent */
};

/* A call ended, of `level` in flight. */
void p11prof_spacing_add(struct p11prof_spacing *spacing, int64_t start_ns, int64_t end_ns,
                         unsigned level);

enum p11prof_spaced { P11PROF_SPACED_UNKNOWN, P11PROF_SPACED_EVENLY, P11PROF_SPACED_CROSSWISE };

/* Evenly: each gap is a service of its own, whatever went before. Crosswise: a gap that is longer
 * makes the next one shorter, as it is where calls run side by side. */
enum p11prof_spaced p11prof_spacing_judge(const struct p11prof_spacing *spacing);

/* The gaps' standard deviation by their mean, from neighbours; and how much sums of gaps vary, by
 * sums of independent ones. Differences are taken without squares: a busy machine adds large ones.
 */
double p11prof_spacing_variation(const struct p11prof_spacing *spacing);
double p11prof_spacing_ratio(const struct p11prof_spacing *spacing);

#endif
