/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Tables of single calls: a list, or all of a scope as a stream. One thread. */
#ifndef P11PROF_REPORT_CALL_TABLE_H
#define P11PROF_REPORT_CALL_TABLE_H

#include "call_list.h"
#include "code_names.h"
#include "table.h"
#include "texts.h"

enum { P11PROF_CALL_COLUMNS = 29, P11PROF_CALL_NAMES = 6 };

/* An order of columns, each at most once. */
struct p11prof_call_columns {
    size_t ids[P11PROF_CALL_COLUMNS];
    size_t count;
};

/* What people look at, and everything. */
void p11prof_call_columns_default(struct p11prof_call_columns *out, bool for_people,
                                  bool with_relation);

/* Reads "call_id,function,rv". Returns NULL, or the word that is none (valid until the next call);
 * *nearest is then the word that may be meant, or NULL. */
const char *p11prof_call_columns_read(struct p11prof_call_columns *out, const char *text,
                                      const char **nearest);

/* All names, separated by ", ". The caller frees it. */
char *p11prof_call_columns_list(void);

/* Columns that a narrow line can do without, the first to go first; ends with NULL. */
extern const char *const p11prof_call_columns_optional[];

struct p11prof_call_table {
    struct p11prof_table table;
    /* private */
    const struct p11prof_call_scope *scope;
    struct p11prof_call_columns columns;
    struct p11prof_code_names names[P11PROF_CALL_NAMES];
    struct p11prof_texts texts;
    bool for_people, with_date;
};

/* Makes the columns and loads the names. for_people: nested calls are indented, a relation is a
 * sign, the time of day stands without a date if the run is shorter than a day. */
enum p11prof_status p11prof_call_table_open(struct p11prof_call_table *out,
                                            const struct p11prof_call_scope *scope,
                                            const struct p11prof_call_columns *columns,
                                            bool for_people, struct p11prof_error *error);
void p11prof_call_table_clear(struct p11prof_call_table *calls);

/* Adds the calls of a list; their gaps are known. */
enum p11prof_status p11prof_call_table_add(struct p11prof_call_table *calls,
                                           const struct p11prof_call_list *list,
                                           struct p11prof_error *error);

/* All selected calls in the order of their ids, which is nearly that in which they ended: calls
 * `write` for each thousand of them and once for the rest, even if there is none; the rows are gone
 * after that. *count: how many there were. */
enum p11prof_status p11prof_call_table_stream(struct p11prof_call_table *calls,
                                              void (*write)(void *payload,
                                                            const struct p11prof_table *table),
                                              void *payload, uint64_t *count,
                                              struct p11prof_error *error);

#endif
