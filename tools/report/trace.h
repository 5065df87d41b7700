/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Calls as Chrome's trace events (JSON), for ui.perfetto.dev and chrome://tracing: a track for each
 * thread, operations as parents of their calls, how many calls were in flight, failed calls marked.
 * Times are us since the start of the earliest run. */
#ifndef P11PROF_REPORT_TRACE_H
#define P11PROF_REPORT_TRACE_H

#include "run_report.h"

enum { P11PROF_TRACE_CALLS = 200000 }; /* of a run, unless more are asked for */

struct p11prof_trace {
    const struct p11prof_selection *selection;
    uint64_t limit;                         /* calls of each run: those around the slowest */
    uint64_t written_count, selected_count; /* set: calls */
};

/* Writes one document of the runs. P11PROF_BAD_INPUT if nothing is selected, or the calls are not
 * kept one by one. */
enum p11prof_status p11prof_trace_write(FILE *stream, struct sqlite3 *db,
                                        const struct p11prof_run_set *runs,
                                        struct p11prof_trace *trace, struct p11prof_error *error);

#endif
