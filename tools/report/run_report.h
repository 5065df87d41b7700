/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* All that a report says of one run, and its forms. Starts as {0}. One thread. */
#ifndef P11PROF_REPORT_RUN_REPORT_H
#define P11PROF_REPORT_RUN_REPORT_H

#include "scan.h"
#include "table.h"

#include <stdio.h>

struct sqlite3;
struct cJSON;

struct p11prof_report_options {
    struct p11prof_grouping by; /* of the calls; empty: function, mechanism, kind */
    const char *sort;           /* column; NULL: total_ns */
    size_t top;                 /* rows of each table; 0: all */
    const char *spool_folder;   /* looked into besides the default ones; "" or NULL: none */
};

struct p11prof_run_report {
    struct p11prof_table run;       /* the row of view runs */
    struct p11prof_table processes; /* its rows of view processes */
    struct p11prof_table functions; /* calls by group */
    struct p11prof_table others; /* the same of size queries, too small buffers, blocking calls */
    struct p11prof_table operations; /* by operation, mechanism, key type and size */
    struct p11prof_table errors, losses;
    struct p11prof_table in_flight; /* of live processes and of those that ended */
    uint64_t module_ns;             /* time in the module, but for calls that wait */
    bool exact;                     /* percentiles are durations that occurred */
};

/* Reads everything of the run in one read transaction. Live processes are asked besides. */
enum p11prof_status p11prof_run_report_load(struct p11prof_run_report *out, struct sqlite3 *db,
                                            int64_t run_id,
                                            const struct p11prof_report_options *options,
                                            struct p11prof_error *error);
void p11prof_run_report_clear(struct p11prof_run_report *report);

/* As text. Width follows the terminal. */
void p11prof_run_report_print(FILE *stream, const struct p11prof_run_report *report);

/* As the CSV rows of its calls; `writer` goes on with the next report. */
struct p11prof_writer;
void p11prof_run_report_rows(struct p11prof_writer *writer,
                             const struct p11prof_run_report *report);

/* An empty document of schema p11prof/export/v1, which reports are added to. The caller deletes
 * it. */
struct cJSON *p11prof_document_new(void);
void p11prof_document_add(struct cJSON *document, const struct p11prof_run_report *report);

/* Adds the rows of a table to an array of the document. */
void p11prof_document_rows(struct cJSON *document, const char *name,
                           const struct p11prof_table *table);

/* Prints it with a newline. */
void p11prof_document_print(FILE *stream, const struct cJSON *document);

#endif
