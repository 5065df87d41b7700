/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The ramp of a bench run: loads that differ in threads, processes or rate only, and which of them
 * is the best. Where a value was measured again, what was measured last counts. Starts as {0}. One
 * thread. */
#ifndef P11PROF_REPORT_RAMP_H
#define P11PROF_REPORT_RAMP_H

#include "bench_results.h"
#include "canvas.h"
#include "page.h"
#include "ramp_verdict.h"

struct sqlite3;
struct p11prof_objective;

/* One row a step, run by run, in ascending order of what grows; a mix is one step. The interval is
 * of 95 %. verdict: "best", "held", "not held", "failed"; with an objective "met" or "missed". */
#define P11PROF_RAMP_STEP_COLUMNS                                                                  \
    "run_id ramp load test threads processes rate count error_count missed_count ops_per_s "       \
    "ops_per_s_low ops_per_s_high mean_ns p50_ns p99_ns efficiency verdict"

/* One row a run. best, most, … are values of what grows: p11prof_ramp_verdict. verdict: "met" or
 * "missed", of the objective. */
#define P11PROF_RAMP_COLUMNS                                                                       \
    "run_id test ramp_of finding best ops_per_s ops_per_s_low ops_per_s_high p99_ns most "         \
    "falls_beyond held not_held objective met_up_to missed_from verdict summary steps"

struct p11prof_ramp {
    int64_t run_id;
    enum p11prof_ramp_of of;
    bool searched;      /* for what keeps the objective: its steps are near that */
    char objective[16]; /* "p99"; "": there is none */
    double limit_ns;
    size_t first, count;             /* rows of the table of steps */
    struct p11prof_ramp_step *steps; /* what these say */
    struct p11prof_ramp_verdict verdict;
};

struct p11prof_ramps {
    struct p11prof_table steps;    /* P11PROF_RAMP_STEP_COLUMNS */
    struct p11prof_table findings; /* P11PROF_RAMP_COLUMNS; a row of each of `ramps` */
    struct p11prof_ramp *ramps;
    size_t ramp_count, ramp_capacity;
};

/* Adds that of a run, from its results; a run without one, or without a step that is over, has
 * none.
 */
enum p11prof_status p11prof_ramp_load(struct p11prof_ramps *out, const struct p11prof_table *loads,
                                      struct sqlite3 *db, int64_t run_id,
                                      struct p11prof_error *error);
/* The same, with a scan of its own for the results so far. */
enum p11prof_status p11prof_ramp_read(struct p11prof_ramps *out, struct sqlite3 *db, int64_t run_id,
                                      struct p11prof_error *error);
void p11prof_ramps_clear(struct p11prof_ramps *ramps);

/* Whether a row of loads is of a ramp. */
bool p11prof_load_is_ramp(const struct p11prof_table *loads, size_t row);

/* An objective of a ramp: one time that is to be no longer than a limit: "p99=20ms", "p99<=20ms".
 * P11PROF_BAD_INPUT: *error says what is wrong. */
enum p11prof_status p11prof_ramp_objective_read(struct p11prof_objective *out, const char *text,
                                                struct p11prof_error *error);

/* --- ramp_text.c --- */

enum { P11PROF_RAMP_TEXT_BYTES = 512 };

/* "12 threads", "2150/s". */
void p11prof_ramp_value_text(char out[P11PROF_RAMP_TEXT_BYTES], enum p11prof_ramp_of of,
                             double value);
/* The verdict in words, and what there is to say of the objective; "": nothing. A search has no
 * verdict but that. */
void p11prof_ramp_text(char out[P11PROF_RAMP_TEXT_BYTES], const struct p11prof_ramp *ramp);
void p11prof_ramp_objective_text(char out[P11PROF_RAMP_TEXT_BYTES],
                                 const struct p11prof_ramp *ramp);

/* --- ramp_page.c --- */

/* Steps, chart and verdict of each. style: width 0: no chart. */
void p11prof_ramp_page(struct p11prof_page *page, const struct p11prof_ramps *ramps,
                       const struct p11prof_chart_style *style);

/* --- ramp_draw.c --- */

/* Throughput and p99 of each step, above one another; the caller clears it. The best step is
 * marked. */
void p11prof_ramp_draw(struct p11prof_canvas *canvas, const struct p11prof_ramp *ramp,
                       const struct p11prof_chart_style *style);

#endif
