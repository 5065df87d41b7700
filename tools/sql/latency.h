/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The functions latency_low(ns) and latency_high(ns), and the aggregate histogram(ns), for
 * functions.c. */
#ifndef P11PROF_SQL_LATENCY_H
#define P11PROF_SQL_LATENCY_H

#include "sqlite_api.h"

void p11prof_latency_low(sqlite3_context *context, int count, sqlite3_value **arguments);
void p11prof_latency_high(sqlite3_context *context, int count, sqlite3_value **arguments);
void p11prof_histogram_step(sqlite3_context *context, int count, sqlite3_value **arguments);
void p11prof_histogram_final(sqlite3_context *context);

#endif
