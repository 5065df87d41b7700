/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Reads the parts of one run. Private to sums.h. */
#ifndef P11PROF_EXPORTER_SUMS_READ_H
#define P11PROF_EXPORTER_SUMS_READ_H

#include "sums.h"

struct sqlite3_stmt;

/* Statements that are prepared when they are first used. Starts with its first member set. */
enum { EXPORTER_QUERIES = 5 };
struct exporter_reader {
    struct sqlite3 *db;
    struct sqlite3_stmt *statements[EXPORTER_QUERIES];
};

/* Replaces the parts of a run. Durations of groups that did not change are taken from the parts
 * that it had. */
enum p11prof_status exporter_run_read(struct exporter_reader *reader, struct exporter_book *book,
                                      struct exporter_run *run, struct p11prof_error *error);

void exporter_reader_clear(struct exporter_reader *reader);

#endif
