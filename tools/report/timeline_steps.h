/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Steps of p11prof_run_timelines_load(), for timeline_*.c and iterations_*.c only. */
#ifndef P11PROF_REPORT_TIMELINE_STEPS_H
#define P11PROF_REPORT_TIMELINE_STEPS_H

#include "timeline_load.h"

/* What one is read from. */
struct p11prof_timeline_source {
    struct sqlite3 *db;
    int64_t run_id;
    const struct p11prof_timeline_options *options;
    struct p11prof_condition condition;
    uint64_t row_count;
    size_t threads;
};

/* Chooses the step between start and end: options->step, or the round one that fits the room, but
 * not below least_ns. P11PROF_BAD_INPUT if that makes too many steps. */
enum p11prof_status p11prof_timeline_choose_step(const struct p11prof_timeline_source *source,
                                                 uint64_t length, uint64_t least,
                                                 uint64_t multiple_of, uint64_t *out,
                                                 struct p11prof_error *error);

/* Fill the timeline, which has its range of time but no steps yet, from rows or from windows. */
enum p11prof_status p11prof_timeline_of_rows(struct p11prof_timeline *timeline,
                                             const struct p11prof_timeline_source *source,
                                             struct p11prof_error *error);
enum p11prof_status p11prof_timeline_of_windows(struct p11prof_timeline *timeline,
                                                const struct p11prof_timeline_source *source,
                                                struct p11prof_error *error);

/* Makes out->loads and a timeline for each, of their measured operations. */
enum p11prof_status p11prof_timelines_of_loads(struct p11prof_run_timelines *out,
                                               const struct p11prof_timeline_source *source,
                                               struct p11prof_error *error);

#endif
