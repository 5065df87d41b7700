/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What happened between two snapshots, as tables. Pure functions. */
#ifndef P11PROF_TOP_FIGURES_H
#define P11PROF_TOP_FIGURES_H

#include "report/table.h"
#include "snapshot.h"

/* calls_per_s and errors_per_s by the time between the snapshots; busy: of that time, in the
 * module, all threads together; percentiles of calls of kind call that did not fail in it, within
 * 0.5 %; in_flight and oldest_ns: now; count: since the runs began. */
#define TOP_FUNCTION_COLUMNS                                                                       \
    "function calls_per_s errors_per_s busy p50_ns p99_ns in_flight_count oldest_ns count "        \
    "error_count"
#define TOP_PROCESS_COLUMNS                                                                        \
    "pid program run_id calls_per_s in_flight_count oldest_ns oldest_function count lost_count "   \
    "state"

struct top_figures {
    struct p11prof_table functions, processes;
    struct {
        int64_t wall_ns;      /* of the newer snapshot */
        uint64_t duration_ns; /* between them */
        double calls_per_s, errors_per_s;
        size_t process_count, in_flight_count;
        uint64_t oldest_ns; /* of the call that is in flight longest; 0: none */
        unsigned oldest_function;
        uint64_t lost_count;  /* of the live processes */
        size_t keeping_count; /* processes whose calls come when they end */
    } all;
};

/* What a row must have in one of its names; NULL: all rows. Capitals do not matter. */
void top_figures_make(struct top_figures *out, const struct top_snapshot *before,
                      const struct top_snapshot *now, const char *filter);
void top_figures_clear(struct top_figures *figures);

#endif
