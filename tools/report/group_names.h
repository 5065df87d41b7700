/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The names that the numbers of a group's key have in the database. */
#ifndef P11PROF_REPORT_GROUP_NAMES_H
#define P11PROF_REPORT_GROUP_NAMES_H

#include "p11prof/error.h"
#include "table.h"
#include "tally.h"
#include "texts.h"

struct sqlite3;

/* Sets the cells of the key's dimensions in a row of a table that has their columns: names, numbers
 * without a name in hex, "undisclosed" for an unknown CK_RV. Unknown stays NULL. */
enum p11prof_status p11prof_group_names(struct p11prof_table *table, struct p11prof_cell *row,
                                        const struct p11prof_tally *tally,
                                        const struct p11prof_key *key,
                                        const struct p11prof_texts *texts, struct sqlite3 *db,
                                        struct p11prof_error *error);

#endif
