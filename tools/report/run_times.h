/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Where the time of a report's runs went, in one row. */
#ifndef P11PROF_REPORT_RUN_TIMES_H
#define P11PROF_REPORT_RUN_TIMES_H

#include "p11prof/error.h"
#include "table.h"

struct p11prof_run_report;
struct sqlite3;

/* run_id: of one run. duration_ns: wall time, of several runs their sum. call_count and
 * calls_per_s: of all calls, kept or lost. count and total_ns: of what is selected, but for calls
 * that wait; size_query_ns and too_small_ns: parts of that; blocking_ns: of calls that wait.
 * thread_count, in_module_ns, waiting_ns and between_ns: sums over the threads of the runs (view
 * threads), unknown with a selection, or where a run has none. overhead_ns: mean part of a duration
 * that is the measuring itself; measuring_ns: that of all calls of total_ns. */
#define P11PROF_TIMES_COLUMNS                                                                      \
    "run_id duration_ns call_count calls_per_s count total_ns size_query_ns too_small_ns "         \
    "blocking_ns thread_count in_module_ns waiting_ns between_ns overhead_ns measuring_ns"

/* Of a report whose other tables are complete. */
enum p11prof_status p11prof_run_times_load(struct p11prof_run_report *report, struct sqlite3 *db,
                                           struct p11prof_error *error);

#endif
