/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Arguments of our SQL functions. What cannot be read is made the result's error, which names the
 * function and the value. The user data of a function is its name. */
#ifndef P11PROF_SQL_ARGUMENTS_H
#define P11PROF_SQL_ARGUMENTS_H

#include "sqlite_api.h"

#include <stdbool.h>
#include <stdint.h>

/* "NAME(): 'VALUE' PROBLEM". */
void p11prof_argument_wrong(sqlite3_context *context, sqlite3_value *value, const char *problem);

bool p11prof_argument_is_null(sqlite3_value *value);

/* SQLITE_INTEGER or SQLITE_FLOAT of a number; 0 after it complained of what is none, as NULL is. */
int p11prof_argument_number(sqlite3_context *context, sqlite3_value *value);

/* Reads a number that is not NULL as a duration: reals are cut to whole ns. */
bool p11prof_argument_duration(sqlite3_context *context, sqlite3_value *value, uint64_t *out_ns);

/* The result: what is past the largest integer of SQL is that. */
void p11prof_result_ns(sqlite3_context *context, uint64_t ns);

#endif
