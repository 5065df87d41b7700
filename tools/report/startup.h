/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What the processes of runs did before they did anything with a key: the cost of starting up.
 *
 * It ends with the first call of an operation that takes a mechanism (C_SignInit, C_Sign,
 * C_GenerateKeyPair …): not a search, nor random numbers. Calls count that ended before that one
 * did, in the order in which they are kept. */
#ifndef P11PROF_REPORT_STARTUP_H
#define P11PROF_REPORT_STARTUP_H

#include "p11prof/error.h"
#include "table.h"

struct sqlite3;

enum {
    P11PROF_STARTUP_ROWS_MAX = 100000,      /* of a process: who needs more has no start-up */
    P11PROF_STARTUP_ROWS_MAX_RUN = 2000000, /* of all processes: later ones are left out */
};

/* elapsed_ns: from the start of the first call to that of `function`, the call that ends it.
 * total_ns: in the module, of call_count calls before it, but for those that wait or are inside
 * another one. costliest: the function that took most of it, with its time. */
#define P11PROF_STARTUP_COLUMNS                                                                    \
    "run_id process_id program elapsed_ns call_count total_ns function costliest costliest_ns"

/* Adds a row for each process of a run whose calls are all kept as rows, and that came so far. */
enum p11prof_status p11prof_startup_load(struct p11prof_table *out, struct sqlite3 *db,
                                         int64_t run_id, struct p11prof_error *error);

#endif
