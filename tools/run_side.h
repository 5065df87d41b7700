/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* One side of what a command looks at: RUN[:ROW],… with commas between, where RUN is a run of the
 * database (run_select.h), all runs of a baseline, or a PATH (it contains "/", ends in ".json", or
 * is a file that is there), and ROW one test, operation or function of it. */
#ifndef P11PROF_TOOLS_RUN_SIDE_H
#define P11PROF_TOOLS_RUN_SIDE_H

#include "p11prof/error.h"
#include "report/samples.h"

struct p11prof_run_source {
    int64_t run_id; /* of the database */
    char *path;     /* or of a document; NULL: of the database */
    char *row;      /* only this one; NULL: all */
};

struct p11prof_run_side {
    const char *text; /* as given; borrowed */
    struct p11prof_run_source *sources;
    size_t source_count, source_capacity;
};

/* Whether a side is of runs of the database, or of some besides documents. */
bool p11prof_run_side_needs_database(const char *text);

/* What `text` means. db may be NULL where none is needed. P11PROF_BAD_INPUT says what there is not.
 * The caller clears *out, also after a failure. */
enum p11prof_status p11prof_run_side_select(struct sqlite3 *db, const char *text,
                                            struct p11prof_run_side *out,
                                            struct p11prof_error *error);
void p11prof_run_side_clear(struct p11prof_run_side *side);

/* Whether every source is one row. */
bool p11prof_run_side_has_rows(const struct p11prof_run_side *side);

/* Reads all of it, complete. The caller clears *out, also after a failure. */
enum p11prof_status p11prof_run_side_samples(struct sqlite3 *db,
                                             const struct p11prof_run_side *side,
                                             struct p11prof_samples *out,
                                             struct p11prof_error *error);

#endif
