/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The files that calls of a run came from. Each process numbers its own; here the same name has one
 * number in all of them. Starts as {0}. */
#ifndef P11PROF_REPORT_CALLER_NAMES_H
#define P11PROF_REPORT_CALLER_NAMES_H

#include "p11prof/error.h"

#include <stddef.h>
#include <stdint.h>

struct sqlite3;

struct p11prof_caller_names {
    struct p11prof_caller_name {
        int64_t process, caller; /* as the database has it */
        size_t name;             /* index in names */
    } * all;                     /* ordered by process, caller */
    size_t count, capacity;
    char **names;
    size_t name_count, name_capacity;
};

enum p11prof_status p11prof_caller_names_load(struct p11prof_caller_names *out, struct sqlite3 *db,
                                              int64_t run_id, struct p11prof_error *error);
void p11prof_caller_names_clear(struct p11prof_caller_names *callers);

/* Number of the name of a process's caller; -1 if it has none. */
int64_t p11prof_caller_names_find(const struct p11prof_caller_names *callers, int64_t process,
                                  int64_t caller);

#endif
