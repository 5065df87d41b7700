/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What `calls` prints: single calls of one run, in each format. One thread. */
#ifndef P11PROF_REPORT_CALL_PRINT_H
#define P11PROF_REPORT_CALL_PRINT_H

#include "call_around.h"
#include "call_table.h"
#include "writer.h"

#include <stdio.h>

struct p11prof_call_options {
    enum p11prof_call_show {
        P11PROF_SHOW_SLOWEST,
        P11PROF_SHOW_FAILED,
        P11PROF_SHOW_NEWEST,
        P11PROF_SHOW_AROUND,
        P11PROF_SHOW_ALL,
    } show;
    uint64_t count;                    /* of SLOWEST, FAILED, NEWEST */
    struct p11prof_call_anchor anchor; /* of AROUND, and the next three */
    uint64_t before, after;
    bool all_threads;
    struct p11prof_call_columns columns; /* empty: the default of the format */
    struct p11prof_selection selection;
};

/* What is to be said besides. */
struct p11prof_call_notes {
    uint64_t lost_count;   /* calls of the run that were counted only */
    uint64_t pruned_count; /* calls of the run that are not kept one by one any more */
};

/* P11PROF_BAD_INPUT if the run has no calls one by one, nothing is selected, or the anchor is not
 * in the run. That no call failed is an answer. JSON is an object of schema p11prof/export/v1 with
 * the array `calls`. */
enum p11prof_status p11prof_call_print(FILE *stream, struct sqlite3 *db, int64_t run_id,
                                       enum p11prof_format format,
                                       const struct p11prof_call_options *options,
                                       struct p11prof_call_notes *notes,
                                       struct p11prof_error *error);

#endif
