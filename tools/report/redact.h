/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Takes out of tables what others need not know: before a report goes into a ticket.
 *
 * Names of runs, hosts, users, tokens, programs and callers become "name 1", "host 1", "user 1",
 * "token 1", "program 1", "caller 1", their files "library 1": the same text has the same number in
 * all reports of a database, as long as nothing is removed from it. Serial numbers, UUIDs and
 * options vanish, of paths the file name stays. Models, versions, machines and tests stay. */
#ifndef P11PROF_REPORT_REDACT_H
#define P11PROF_REPORT_REDACT_H

#include "dimensions.h"
#include "p11prof/error.h"
#include "table.h"

struct sqlite3;

/* What the texts of a database are called. Starts as {0}. */
struct p11prof_redaction {
    struct p11prof_table texts[8]; /* private */
};

enum p11prof_status p11prof_redaction_load(struct p11prof_redaction *out, struct sqlite3 *db,
                                           struct p11prof_error *error);
void p11prof_redaction_clear(struct p11prof_redaction *redaction);

/* Changes the columns of views and reports that hold such texts. A text that the database did not
 * have when the redaction was loaded becomes unknown. */
void p11prof_redact_table(const struct p11prof_redaction *redaction, struct p11prof_table *table);

/* The names of tests of suites in a table of loads, whose own names are the catalogue's. */
void p11prof_redact_suites(const struct p11prof_redaction *redaction, struct p11prof_table *loads);

/* Cuts reasons for skipped tests before what they quote: labels of keys. */
void p11prof_redact_reasons(struct p11prof_table *skipped);

/* Whether the values of a dimension are such texts. */
bool p11prof_is_redacted(enum p11prof_dimension_id id);

#endif
