/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The aggregates percentile(x, p) and median(x), for functions.c: they keep all values. */
#ifndef P11PROF_SQL_PERCENTILE_H
#define P11PROF_SQL_PERCENTILE_H

#include "sqlite_api.h"

void p11prof_percentile_step(sqlite3_context *context, int count, sqlite3_value **arguments);
void p11prof_median_step(sqlite3_context *context, int count, sqlite3_value **arguments);
void p11prof_percentile_final(sqlite3_context *context);

#endif
