/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Writes tables as aligned text, CSV (RFC 4180, one header line), a JSON array of objects or a
 * table of Markdown. Rows
 * may come in several tables with the same columns, so that an answer of any length needs little
 * memory; text takes its widths from the first of them. Errors of the stream stay in the stream. */
#ifndef P11PROF_REPORT_WRITER_H
#define P11PROF_REPORT_WRITER_H

#include "table.h"

#include <stdio.h>

struct cJSON;

enum p11prof_format {
    P11PROF_FORMAT_TEXT,
    P11PROF_FORMAT_JSON,
    P11PROF_FORMAT_CSV,
    P11PROF_FORMAT_MARKDOWN
};

/* Reads "text", "json", "csv" or "markdown"; false if it is none of them. */
bool p11prof_format_named(const char *name, enum p11prof_format *out);

struct p11prof_writer {
    FILE *stream;
    enum p11prof_format format;
    size_t width_limit;          /* of a line of text; 0: none */
    const char *const *optional; /* columns that text leaves out where a line is too long, these
                                    first, up to a NULL; NULL: none */
    size_t text_width;           /* texts are cut to that before a column is left out; 0: none is */
    const char *indent;          /* before each line of text; NULL: nothing */
    size_t *widths;              /* private */
    uint64_t row_count;          /* private: written so far */
    bool started;                /* private */
};

/* Writes the rows of `table`, before the first ones what stands before all. */
void p11prof_writer_rows(struct p11prof_writer *writer, const struct p11prof_table *table);

/* Writes what stands behind all (and before, if there was no row) and frees what the writer has. */
void p11prof_writer_end(struct p11prof_writer *writer, const struct p11prof_table *table);

/* All of one table. */
void p11prof_write_table(FILE *stream, const struct p11prof_table *table,
                         enum p11prof_format format);

/* All of one table as text, indented. */
void p11prof_write_text_table(FILE *stream, const struct p11prof_table *table, const char *indent);

/* Columns of the terminal behind `stream`; 0 if it is none. */
size_t p11prof_terminal_width(FILE *stream);

/* Whether text left out a column of the table, once rows were written. */
bool p11prof_writer_left_out(const struct p11prof_writer *writer, size_t column);

/* One value as text shows it. The caller frees it. */
char *p11prof_cell_text(const struct p11prof_column *column, const struct p11prof_cell *cell);

/* One value, one row (an object) and all rows (an array) as JSON. The caller deletes it. Integers
 * are exact. */
struct cJSON *p11prof_json_cell(const struct p11prof_column *column,
                                const struct p11prof_cell *cell);
struct cJSON *p11prof_json_row(const struct p11prof_table *table, size_t row);
struct cJSON *p11prof_json_rows(const struct p11prof_table *table);

/* The array of all rows as JSON text. The caller frees it. */
char *p11prof_json_text(const struct p11prof_table *table);

#endif
