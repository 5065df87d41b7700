/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Timelines of a run: of its calls over time, or of the operations of a bench's loads in their
 * order. Starts as {0}. One thread. */
#ifndef P11PROF_REPORT_TIMELINE_LOAD_H
#define P11PROF_REPORT_TIMELINE_LOAD_H

#include "canvas.h"
#include "page.h"
#include "selection.h"
#include "timeline.h"

#include <stdio.h>

struct p11prof_timeline_options {
    struct p11prof_selection selection; /* without one of kind: calls of kind `call` */
    uint64_t step;                      /* ns, or operations; 0: what `room` allows */
    size_t room;                        /* steps that there is room for */
    bool by_iteration;
};

struct p11prof_run_timelines {
    struct p11prof_table run;   /* its row of view runs */
    struct p11prof_table loads; /* by iteration: rows of view loads, one for each timeline */
    struct p11prof_timeline *timelines;
    size_t count;
    bool by_iteration;
    bool of_windows; /* rows are gone: their windows are all there is */
};

/* Reads the timelines of a run in one read transaction. P11PROF_BAD_INPUT if nothing is there or
 * selected, or steps are too many. The caller clears *out, also after a failure. */
enum p11prof_status p11prof_run_timelines_load(struct p11prof_run_timelines *out,
                                               struct sqlite3 *db, int64_t run_id,
                                               const struct p11prof_timeline_options *options,
                                               struct p11prof_error *error);
void p11prof_run_timelines_clear(struct p11prof_run_timelines *timelines);

/* Adds the columns, and a row for each step of each timeline. */
void p11prof_run_timelines_table(struct p11prof_table *out,
                                 const struct p11prof_run_timelines *timelines);

/* As text or Markdown; as JSON or CSV, a row for each step. */
void p11prof_run_timelines_page(struct p11prof_page *page,
                                const struct p11prof_run_timelines *timelines,
                                const struct p11prof_chart_style *style);
void p11prof_run_timelines_json(FILE *stream, const struct p11prof_run_timelines *timelines);
void p11prof_run_timelines_csv(FILE *stream, const struct p11prof_run_timelines *timelines);

#endif
