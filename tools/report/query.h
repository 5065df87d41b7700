/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Queries about one run. What fails is described in *error with SQLite's own words. */
#ifndef P11PROF_REPORT_QUERY_H
#define P11PROF_REPORT_QUERY_H

#include "p11prof/error.h"
#include "table.h"

struct sqlite3;
struct sqlite3_stmt;

/* Prepares `sql` and binds run_id to ?1, where it has that. The caller finalizes *out. */
enum p11prof_status p11prof_query_prepare(struct sqlite3 *db, const char *sql, int64_t run_id,
                                          struct sqlite3_stmt **out, struct p11prof_error *error);

/* Finalizes a statement after its last step returned `result`. */
enum p11prof_status p11prof_query_end(struct sqlite3_stmt *statement, int result,
                                      struct p11prof_error *error);

/* All that the query returns; of a table that has rows of it already, more of them. */
enum p11prof_status p11prof_query_table(struct sqlite3 *db, const char *sql, int64_t run_id,
                                        struct p11prof_table *out, struct p11prof_error *error);

/* A text of the row at hand, until the next step; "" for NULL, which a damaged database has where
 * there can be none. */
const char *p11prof_query_text(struct sqlite3_stmt *row, int column);

/* Its first value as an integer; `otherwise` if it is NULL or there is none. */
enum p11prof_status p11prof_query_integer(struct sqlite3 *db, const char *sql, int64_t run_id,
                                          int64_t otherwise, int64_t *out,
                                          struct p11prof_error *error);

#endif
