/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What a command that takes [RUN...] works on: the database, and the runs that its words name. */
#ifndef P11PROF_TOOLS_NAMED_RUNS_H
#define P11PROF_TOOLS_NAMED_RUNS_H

#include "database.h"
#include "report/run_report.h"
#include "run_row.h"

struct p11prof_named_runs {
    struct p11prof_database database;
    struct sqlite3 *db;           /* its connection; borrowed */
    struct p11prof_run_set *sets; /* one for each word: run_select.h */
    size_t count;
    struct p11prof_run_row row; /* of RUN:ROW; name NULL: none */
};

/* Opens the database and finds the runs of `word_count` words; without words: the last one. A row
 * that they name is added to the selection, which borrows it until the runs are closed. Returns 0,
 * or an exit code after it said what is wrong. Closed either way. */
int p11prof_named_runs_open(struct p11prof_named_runs *out,
                            const struct p11prof_database_options *options, char *const *words,
                            int word_count, struct p11prof_selection *selection);
/* All of their runs in one set, each once. The caller clears it. */
struct p11prof_run_set p11prof_named_runs_join(const struct p11prof_named_runs *runs);

void p11prof_named_runs_close(struct p11prof_named_runs *runs);

#endif
