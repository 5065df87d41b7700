/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Which runs a `p11prof runs` is about, and how it prints tables. */
#ifndef P11PROF_RUNS_LIST_H
#define P11PROF_RUNS_LIST_H

#include "p11prof/error.h"
#include "report/table.h"
#include "report/writer.h"

struct sqlite3;

/* Which runs; NULL: any. Globs are SQLite's: *, ?, [a-z]. */
struct p11prof_runs_filter {
    const char *name, *program; /* globs */
    const char *kind;
    uint64_t limit; /* the newest ones */
};

/* Their rows of the view `runs`, newest first. */
enum p11prof_status p11prof_runs_read(struct p11prof_table *out, struct sqlite3 *db,
                                      const struct p11prof_runs_filter *filter,
                                      struct p11prof_error *error);

/* Says on stderr that no run fits, and which name may be meant. */
void p11prof_runs_say_none(struct sqlite3 *db, const struct p11prof_runs_filter *filter);

/* Prints a table: all columns in JSON, as an array of that name, and in CSV, those of `columns` in
 * text and Markdown. */
void p11prof_runs_print(const struct p11prof_table *table, enum p11prof_format format,
                        const char *name, const char *columns);

#endif
