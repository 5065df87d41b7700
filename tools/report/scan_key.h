/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Keys of groups, read from the columns of a query's row. */
#ifndef P11PROF_REPORT_SCAN_KEY_H
#define P11PROF_REPORT_SCAN_KEY_H

#include "tally.h"
#include "texts.h"

#include <stdio.h>

struct sqlite3_stmt;

/* Which SQL of a dimension. */
enum p11prof_scan_source { P11PROF_SCAN_CALL, P11PROF_SCAN_GROUP, P11PROF_SCAN_OPERATION };

/* Writes ", SQL" for each dimension; those that the source does not have are NULL. */
void p11prof_scan_key_columns(FILE *sql, const struct p11prof_grouping *grouping,
                              enum p11prof_scan_source source);

/* Where a row is from: who numbers its texts. */
struct p11prof_scan_place {
    int64_t run_id, process_id;
};

/* Reads the key from the columns that start at `first`. */
void p11prof_scan_key(struct p11prof_key *key, const struct p11prof_grouping *grouping,
                      const struct p11prof_texts *texts, const struct p11prof_scan_place *place,
                      struct sqlite3_stmt *row, int first);

#endif
