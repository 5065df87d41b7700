/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What calls did over time: counts, latencies and time in the module by step. Starts as {0}. Pure
 * but for memory. One thread; several can be merged. */
#ifndef P11PROF_REPORT_TIMELINE_H
#define P11PROF_REPORT_TIMELINE_H

#include "stats.h"

/* Memory is up to 58 KB a step, some 5 KB where durations are alike. */
enum { P11PROF_STEPS_MOST = 5000 };

struct p11prof_timeline_step {
    uint64_t count, error_count;    /* of the calls that began in it */
    struct p11prof_sums sums;       /* of those that did not fail */
    struct p11prof_buckets buckets; /* the same */
    double busy_ns; /* time in the module that fell into it, of all calls that overlap it */
    double passing; /* private: calls that come to last for whole steps, less those that end */
};

struct p11prof_timeline {
    uint64_t start_ns, step_ns; /* of the first step, since the run's start */
    uint64_t end_ns;            /* of the last step: it may be shorter than the others */
    struct p11prof_timeline_step *steps;
    size_t count;
};

/* Steps without calls, from start to end: at least one, P11PROF_STEPS_MOST at most. */
void p11prof_timeline_make(struct p11prof_timeline *timeline, uint64_t start_ns, uint64_t end_ns,
                           uint64_t step_ns);
void p11prof_timeline_clear(struct p11prof_timeline *timeline);

/* Adds a call: to the step that it began in (the first or last one if that lies outside), and its
 * time to all that it overlaps. duration_ns below 0: it is not known. */
void p11prof_timeline_add(struct p11prof_timeline *timeline, uint64_t start_ns, int64_t duration_ns,
                          bool failed);

/* Whether the duration of any call in it is known. */
bool p11prof_timeline_is_timed(const struct p11prof_timeline *timeline);

/* Calls of a window. */
struct p11prof_timeline_window {
    uint64_t start_ns, duration_ns;
    uint64_t count, error_count;
    uint64_t total_ns; /* failed ones too */
    struct p11prof_sums sums;
};

/* Adds calls that are known by their window only: to the step of its middle, and their time evenly
 * to all steps it overlaps. The step, for p11prof_buckets_add(). */
struct p11prof_timeline_step *p11prof_timeline_add_window(
    struct p11prof_timeline *timeline, const struct p11prof_timeline_window *window);

/* Adds all of another one of the same steps. */
void p11prof_timeline_merge(struct p11prof_timeline *into, const struct p11prof_timeline *from);

/* To be called once, when all calls are added. */
void p11prof_timeline_finish(struct p11prof_timeline *timeline);

/* Of a step: its time. */
uint64_t p11prof_timeline_step_ns(const struct p11prof_timeline *timeline, size_t step);

/* Of a step: average number of calls in the module. */
double p11prof_timeline_in_flight(const struct p11prof_timeline *timeline, size_t step);

/* Of a step: successes by its time. */
double p11prof_timeline_rate(const struct p11prof_timeline *timeline, size_t step);

#endif
