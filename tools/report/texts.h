/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The texts that numbers of dimensions mean (callers, programs, tests, hosts). Processes and runs
 * number their own; here the same text has one number in all of them. Starts as {0}. One thread;
 * finding may be done by many once it is loaded. */
#ifndef P11PROF_REPORT_TEXTS_H
#define P11PROF_REPORT_TEXTS_H

#include "dimensions.h"
#include "p11prof/error.h"

#include <stdint.h>

struct sqlite3;

struct p11prof_text_map {
    struct p11prof_text_entry {
        int64_t owner, code; /* process or run, and its number */
        int64_t text;        /* index in texts; -1: none */
    } * entries;             /* ordered by owner, code */
    size_t count, capacity;
};

struct p11prof_texts {
    char **texts;
    size_t count, capacity;
    size_t *index; /* 1 + a text's number by its hash; 0: free */
    size_t index_size;
    struct p11prof_text_map maps[P11PROF_DIMENSIONS];
};

/* Adds what a dimension's numbers mean in a run. */
enum p11prof_status p11prof_texts_load(struct p11prof_texts *texts, enum p11prof_dimension_id id,
                                       struct sqlite3 *db, int64_t run_id,
                                       struct p11prof_error *error);

/* The same of all dimensions of a grouping that have texts. */
enum p11prof_status p11prof_texts_load_grouping(struct p11prof_texts *texts,
                                                const struct p11prof_grouping *grouping,
                                                struct sqlite3 *db, int64_t run_id,
                                                struct p11prof_error *error);
void p11prof_texts_clear(struct p11prof_texts *texts);

/* Whether a dimension's numbers mean texts. */
bool p11prof_dimension_has_texts(enum p11prof_dimension_id id);

/* Index in texts of what the number means to its owner; -1 if it has none. */
int64_t p11prof_texts_find(const struct p11prof_texts *texts, enum p11prof_dimension_id id,
                           int64_t owner, int64_t code);

#endif
