/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Single trace events, for trace.c only. */
#ifndef P11PROF_REPORT_TRACE_EVENT_H
#define P11PROF_REPORT_TRACE_EVENT_H

#include "p11prof/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct sqlite3;
struct sqlite3_stmt;

/* Columns of a row that is a call. */
enum p11prof_trace_column {
    P11PROF_TRACE_PROCESS,
    P11PROF_TRACE_THREAD,
    P11PROF_TRACE_START,
    P11PROF_TRACE_DURATION,
    P11PROF_TRACE_FUNCTION,
    P11PROF_TRACE_RV,
    P11PROF_TRACE_KIND,
    P11PROF_TRACE_SESSION,
    P11PROF_TRACE_MECHANISM,
    P11PROF_TRACE_KEY_TYPE,
    P11PROF_TRACE_KEY_BITS,
    P11PROF_TRACE_IN,
    P11PROF_TRACE_OUT,
    P11PROF_TRACE_OPERATION,
    P11PROF_TRACE_OPERATION_CALLS,
    P11PROF_TRACE_OPERATION_START,
    P11PROF_TRACE_ID,
};

enum { P11PROF_TRACE_NAMES = 5 };

/* Starts with its stream. */
struct p11prof_trace_writer {
    FILE *stream;
    bool started; /* private, as all below: a comma stands before the next event */
    struct p11prof_trace_name {
        int64_t code;
        char *name; /* as JSON, quoted */
    } * names[P11PROF_TRACE_NAMES];
    size_t name_counts[P11PROF_TRACE_NAMES];
    struct p11prof_trace_track {
        int64_t process_id, thread_id;
        /* Operations, and calls, of a thread so far that lie in no later one, by their start. */
        struct p11prof_trace_spans {
            struct p11prof_trace_span {
                int64_t start_ns, end_ns;
            } * spans;
            size_t count, capacity;
        } operations, calls;
        struct p11prof_trace_spans
            moved; /* calls that begin later than their rows say: at end_ns */
    } * tracks;
    size_t track_count, track_capacity;
};

/* Reads the names of numbers. */
enum p11prof_status p11prof_trace_names(struct p11prof_trace_writer *writer, struct sqlite3 *db,
                                        struct p11prof_error *error);

void p11prof_trace_begin(struct p11prof_trace_writer *writer);
void p11prof_trace_end(struct p11prof_trace_writer *writer);
void p11prof_trace_clear(struct p11prof_trace_writer *writer);

/* What the processes of a run are called. */
enum p11prof_status p11prof_trace_processes(struct p11prof_trace_writer *writer, struct sqlite3 *db,
                                            int64_t run_id, struct p11prof_error *error);

/* The operation of several calls that a call ended, if it did. Viewers keep events that begin at
 * the same time in the order of the file, so operations come ahead of the calls that lie in them:
 * first all rows are given to this, in the order of their ends, then p11prof_trace_rewind(), then
 * all to p11prof_trace_call(). */
void p11prof_trace_operation(struct p11prof_trace_writer *writer, struct sqlite3_stmt *row,
                             int64_t offset_ns);
void p11prof_trace_rewind(struct p11prof_trace_writer *writer);
void p11prof_trace_call(struct p11prof_trace_writer *writer, struct sqlite3_stmt *row,
                        int64_t offset_ns);

/* How many calls are in flight from `ns` on. */
void p11prof_trace_counter(struct p11prof_trace_writer *writer, int64_t ns, int64_t in_flight);

#endif
