/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The ready queries: files NAME.sql of one folder. Below its licence, each says in its first line
 * of comment which question it answers. They take the parameter :run, NULL for the newest run. */
#ifndef P11PROF_SQL_READY_H
#define P11PROF_SQL_READY_H

#include "p11prof/error.h"
#include "report/table.h"

/* Adds the columns name and question, and a row for each, by name. */
enum p11prof_status p11prof_ready_list(struct p11prof_table *out, struct p11prof_error *error);

/* The SQL of the one of that name; the caller frees it. P11PROF_BAD_INPUT if there is none: *error
 * names the nearest. */
enum p11prof_status p11prof_ready_read(const char *name, char **sql, struct p11prof_error *error);

#endif
