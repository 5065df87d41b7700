/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* All that a report says of one run, or of several taken together, and its forms. Starts as {0}.
 * One thread. */
#ifndef P11PROF_REPORT_RUN_REPORT_H
#define P11PROF_REPORT_RUN_REPORT_H

#include "bench_results.h"
#include "canvas.h"
#include "insight/insights.h"
#include "ramp.h"
#include "scan.h"
#include "stress.h"
#include "table.h"
#include "writer.h"

#include <stdio.h>

struct sqlite3;
struct p11prof_objectives;
struct cJSON;

struct p11prof_report_options {
    struct p11prof_grouping by; /* of the calls; empty: function, mechanism, kind */
    struct p11prof_selection selection;
    unsigned insights;                /* bits 1 << enum p11prof_insight: these alone, in full; 0:
                                         all, in short, after the rest */
    const char *sort;                 /* column; NULL: a time that is in `by`, then total_ns */
    size_t top;                       /* rows of each table; 0: all */
    const char *columns;              /* "a,b": of text, Markdown and CSV; NULL: the usual ones */
    bool redact;                      /* redact.h */
    bool results_only;                /* of a page: what a bench prints of itself */
    bool intervals_said;              /* of a page: those of a stress run stand above it */
    bool insights_full;               /* those that were not asked for too */
    bool windows;                     /* for documents: histograms and windows of everything */
    struct p11prof_chart_style chart; /* of a page; width 0: there is none */
    const char *spool_folder;         /* looked into besides the default ones; "" or NULL: none */
    const struct p11prof_objectives *objectives; /* slo.h; NULL: none */
    struct p11prof_table *missed; /* gets the rows of those that are missed; NULL: nobody asks */
};

/* What `top` left out of a table. */
struct p11prof_rest {
    size_t row_count;
    uint64_t count, total_ns;
};

struct p11prof_run_report {
    struct p11prof_table run;       /* the rows of view runs */
    struct p11prof_table processes; /* their rows of view processes */
    struct p11prof_table functions; /* calls by group */
    struct p11prof_table others; /* the same of size queries, too small buffers, blocking calls */
    struct p11prof_table operations;      /* by operation, mechanism, key type and size */
    struct p11prof_bench_results results; /* of a bench run */
    struct p11prof_stress stress;         /* of a stress run */
    struct p11prof_ramps ramps;           /* ramp.h; none with a selection */
    struct p11prof_table errors;     /* with a selection: of what is selected, if rows are there */
    struct p11prof_table losses;     /* of all that the runs have */
    struct p11prof_table in_flight;  /* of live processes and of those that ended */
    struct p11prof_table times;      /* one row: run_times.h */
    struct p11prof_table startup;    /* startup.h; none with a selection */
    struct p11prof_table objectives; /* slo.h; of what is selected */
    struct {
        struct p11prof_rest functions, others, operations, errors, losses, in_flight;
    } rest;
    struct p11prof_section insights[P11PROF_INSIGHTS]; /* of a profile, of one run */
    uint64_t uninspected_count; /* calls that are too many to look for insights unasked; 0: none */
    size_t untimed_count;       /* runs without durations: imported.h */
    int64_t wait_count;         /* of the calls: those that wait */
    bool exact;                 /* percentiles are durations that occurred */
    bool calls_unknown, operations_unknown; /* scan.h */
    bool selected;                          /* it is not of everything */
    char *selection;                        /* as options; NULL: everything */
};

/* All columns of its tables that --sort and --columns take, without those that hold JSON. `by` as
 * in the options. */
void p11prof_run_report_columns(struct p11prof_table *out, const struct p11prof_grouping *by);

/* Runs that are taken together. */
struct p11prof_run_set {
    const int64_t *run_ids;
    size_t run_count;
};

/* Reads everything of the runs in one read transaction. Live processes are asked besides.
 * P11PROF_BAD_INPUT if nothing is selected. */
enum p11prof_status p11prof_run_report_load(struct p11prof_run_report *out, struct sqlite3 *db,
                                            const struct p11prof_run_set *runs,
                                            const struct p11prof_report_options *options,
                                            struct p11prof_error *error);
void p11prof_run_report_clear(struct p11prof_run_report *report);

/* Whether it is of a bench run, of tests: one that played a script is like an application. */
bool p11prof_run_report_is_bench(const struct p11prof_run_report *report);

/* As text or Markdown, all but what options->results_only leaves out. Width follows the terminal:
 * columns that do not fit are left out, and said to be. The results of a bench run come first. */
struct p11prof_page;
void p11prof_run_report_print(struct p11prof_page *page, const struct p11prof_run_report *report,
                              const struct p11prof_report_options *options);

/* As the CSV rows of its calls; `writer` goes on with the next report. columns: "a,b", NULL: all.
 */
void p11prof_run_report_rows(struct p11prof_writer *writer, const struct p11prof_run_report *report,
                             const char *columns);

/* As the CSV rows of its results: the columns of a document's results but for arrays of numbers. */
void p11prof_run_report_results(struct p11prof_writer *writer,
                                const struct p11prof_run_report *report, const char *columns);

/* A report of one run. */
enum p11prof_status p11prof_run_report_load_one(struct p11prof_run_report *out, struct sqlite3 *db,
                                                int64_t run_id,
                                                const struct p11prof_report_options *options,
                                                struct p11prof_error *error);

/* Writes the reports of sets of runs: pages one after another, one document, or one CSV. A CSV has
 * the results of bench runs, or the calls of runs (of bench runs too where options->by says so),
 * not both: P11PROF_BAD_INPUT then. What was written before a failure stays. Losses are no part of
 * CSV: warn of them. What `bench` and `report` print is made here. */
enum p11prof_status p11prof_report_run(FILE *stream, struct sqlite3 *db,
                                       const struct p11prof_run_set *sets, size_t count,
                                       enum p11prof_format format,
                                       const struct p11prof_report_options *options,
                                       struct p11prof_error *error);

/* An empty document of schema p11prof/export/v1, which reports are added to. The caller deletes
 * it. */
struct cJSON *p11prof_document_new(void);
void p11prof_document_add(struct cJSON *document, const struct p11prof_run_report *report);

/* Adds the rows of a table to an array of the document, which is made if there is none. */
void p11prof_document_rows(struct cJSON *document, const char *name,
                           const struct p11prof_table *table);

/* Prints it with a newline. */
void p11prof_document_print(FILE *stream, const struct cJSON *document);

#endif
