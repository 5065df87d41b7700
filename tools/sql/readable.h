/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The functions duration(ns), duration_ns(text) and bar(x, max[, width]), for functions.c. */
#ifndef P11PROF_SQL_READABLE_H
#define P11PROF_SQL_READABLE_H

#include "sqlite_api.h"

void p11prof_duration(sqlite3_context *context, int count, sqlite3_value **arguments);
void p11prof_duration_ns(sqlite3_context *context, int count, sqlite3_value **arguments);
void p11prof_bar(sqlite3_context *context, int count, sqlite3_value **arguments);

#endif
