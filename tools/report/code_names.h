/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* A table of names of the database in memory: for many rows, where a join costs more than the rows
 * do. Starts as {0}. One thread. */
#ifndef P11PROF_REPORT_CODE_NAMES_H
#define P11PROF_REPORT_CODE_NAMES_H

#include "p11prof/error.h"

#include <stddef.h>
#include <stdint.h>

struct sqlite3;

struct p11prof_code_names {
    struct p11prof_code_name {
        int64_t code;
        char *name;
    } * entries; /* ordered by code */
    size_t count, capacity;
};

/* Loads a table such as "function_name". */
enum p11prof_status p11prof_code_names_load(struct p11prof_code_names *out, struct sqlite3 *db,
                                            const char *table, struct p11prof_error *error);
void p11prof_code_names_clear(struct p11prof_code_names *names);

/* The name of a code, or the code in hex in `buffer`. */
enum { P11PROF_CODE_BYTES = 24 };
const char *p11prof_code_names_text(const struct p11prof_code_names *names, int64_t code,
                                    char *buffer);

#endif
