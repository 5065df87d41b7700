/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* A table: columns, and rows of values that know what they are. It owns all of its texts. One
 * thread. */
#ifndef P11PROF_REPORT_TABLE_H
#define P11PROF_REPORT_TABLE_H

#include "columns.h"

#include <stdbool.h>
#include <stdint.h>

struct sqlite3_stmt;

enum p11prof_cell_kind {
    P11PROF_CELL_NULL, /* unknown */
    P11PROF_CELL_INTEGER,
    P11PROF_CELL_REAL,
    P11PROF_CELL_TEXT,
};

struct p11prof_cell {
    enum p11prof_cell_kind kind;
    bool doubtful; /* too few values behind it: text marks it with "~" */
    union {
        int64_t integer;
        double real;
        const char *text; /* owned by the table it stands in */
    };
};

struct p11prof_table {
    struct p11prof_column *columns;
    size_t column_count, column_capacity;
    struct p11prof_cell *cells; /* row by row */
    size_t row_count, cell_capacity;
};

/* A table starts as {0}; this frees all it has and makes it {0} again. */
void p11prof_table_clear(struct p11prof_table *table);

/* Removes the rows only. */
void p11prof_table_clear_rows(struct p11prof_table *table);

/* Adds a column before there are rows: the one of that name, or, if there is none or `plain` is
 * set, one that shows values as they are. */
void p11prof_table_add_column(struct p11prof_table *table, const char *name, bool plain);

/* Adds those of "name name name". */
void p11prof_table_add_columns(struct p11prof_table *table, const char *names);

/* Index of the column, column_count if there is none. */
size_t p11prof_table_find(const struct p11prof_table *table, const char *name);

/* Adds a row of NULLs and returns its first cell; valid until the next row is added. */
struct p11prof_cell *p11prof_table_add_row(struct p11prof_table *table);

/* The first cell of a row. */
struct p11prof_cell *p11prof_table_row(const struct p11prof_table *table, size_t row);

/* Set a cell that is NULL, of the column that has that name; without one nothing happens. NULL as
 * text leaves it NULL. */
void p11prof_table_set_text(const struct p11prof_table *table, struct p11prof_cell *row,
                            const char *name, const char *text);
void p11prof_table_set_integer(const struct p11prof_table *table, struct p11prof_cell *row,
                               const char *name, int64_t integer);
void p11prof_table_set_real(const struct p11prof_table *table, struct p11prof_cell *row,
                            const char *name, double real);

/* The value in that row of the column that has that name; NULL where it is unknown. */
const struct p11prof_cell *p11prof_table_get(const struct p11prof_table *table, size_t row,
                                             const char *name);
/* The same as text and as integer; `otherwise` where it is unknown or of another kind. */
const char *p11prof_table_text(const struct p11prof_table *table, size_t row, const char *name,
                               const char *otherwise);
int64_t p11prof_table_integer(const struct p11prof_table *table, size_t row, const char *name,
                              int64_t otherwise);

/* Makes the columns that a statement returns, and adds the row it stands on. Blobs become hex. */
void p11prof_table_statement_columns(struct p11prof_table *table, struct sqlite3_stmt *statement,
                                     bool plain);
void p11prof_table_statement_row(struct p11prof_table *table, struct sqlite3_stmt *statement);

/* Sets the cells of a new row whose columns `from` has too, from one of its rows. */
void p11prof_table_copy_row(const struct p11prof_table *table, struct p11prof_cell *row,
                            const struct p11prof_table *from, size_t from_row);

/* Adds the rows of `from` to an empty table, with the columns "name name name" of it. */
void p11prof_table_select(struct p11prof_table *table, const struct p11prof_table *from,
                          const char *names);

/* Orders the rows by a column: numbers from large to small, texts from small to large, unknown
 * last; equals stay in their order. */
void p11prof_table_sort(struct p11prof_table *table, const char *name);

/* Keeps the first `count` rows. */
void p11prof_table_cut(struct p11prof_table *table, size_t count);

#endif
