/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The parts of each format, for writer.c and page.c only: head before all rows, one row, tail after
 * all. */
#ifndef P11PROF_REPORT_WRITE_FORMATS_H
#define P11PROF_REPORT_WRITE_FORMATS_H

#include "writer.h"

void p11prof_text_head(struct p11prof_writer *writer, const struct p11prof_table *table);
void p11prof_text_row(struct p11prof_writer *writer, const struct p11prof_table *table, size_t row);

void p11prof_csv_head(struct p11prof_writer *writer, const struct p11prof_table *table);
void p11prof_csv_row(struct p11prof_writer *writer, const struct p11prof_table *table, size_t row);

void p11prof_json_head(struct p11prof_writer *writer, const struct p11prof_table *table);
void p11prof_json_write_row(struct p11prof_writer *writer, const struct p11prof_table *table,
                            size_t row);
void p11prof_json_tail(struct p11prof_writer *writer);

void p11prof_markdown_head(struct p11prof_writer *writer, const struct p11prof_table *table);
void p11prof_markdown_row(struct p11prof_writer *writer, const struct p11prof_table *table,
                          size_t row);

/* Text that Markdown shows as it is, in a table too. */
void p11prof_markdown_text(FILE *stream, const char *text);

/* Whether the values of a column stand at the right: of somebody's query, as the first one. */
bool p11prof_column_is_number(const struct p11prof_table *table, size_t column);

/* A number in a machine format, without exponent: integers exact, ratios with 6 decimals, rates
 * with 3. */
enum { P11PROF_NUMBER_BYTES = 400 };
void p11prof_plain_number(char *out, const struct p11prof_column *column,
                          const struct p11prof_cell *cell);

#endif
