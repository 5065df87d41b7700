/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* RUN[:ROW],… of commands that look at runs of the database: the runs (run_select.h), and ROW, a
 * test, operation or function, as a filter of all of them. */
#ifndef P11PROF_TOOLS_RUN_ROW_H
#define P11PROF_TOOLS_RUN_ROW_H

#include "p11prof/error.h"
#include "report/run_report.h"

struct sqlite3;

/* Starts as {0}: no filter. */
struct p11prof_run_row {
    char *name; /* owned; NULL: none */
    enum p11prof_dimension_id id;
};

/* The runs that `text` means, and its row. P11PROF_BAD_INPUT says what there is not: a run, its
 * row, or one row for all. The caller clears *runs and *row, also after a failure. */
enum p11prof_status p11prof_run_row_select(struct sqlite3 *db, const char *text,
                                           struct p11prof_run_set *runs,
                                           struct p11prof_run_row *row,
                                           struct p11prof_error *error);

/* Adds the row to a selection, which borrows it. P11PROF_BAD_INPUT: the selection is full. */
enum p11prof_status p11prof_run_row_filter(const struct p11prof_run_row *row,
                                           struct p11prof_selection *selection,
                                           struct p11prof_error *error);

/* The one run that `text` means, its row added to the selection. The caller clears *row, also after
 * a failure, when the selection is not used any more. */
enum p11prof_status p11prof_run_row_select_one(struct sqlite3 *db, const char *text,
                                               int64_t *run_id, struct p11prof_run_row *row,
                                               struct p11prof_selection *selection,
                                               struct p11prof_error *error);

void p11prof_run_row_clear(struct p11prof_run_row *row);

#endif
