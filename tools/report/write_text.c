/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "allocate.h"
#include "safe_text.h"
#include "units.h"
#include "write_formats.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { GAP = 2, TEXT_LEAST_WIDTH = 12 };
#define HIDDEN SIZE_MAX /* as the width of a column */

static void format_number(char *out, const struct p11prof_column *column,
                          const struct p11prof_cell *cell)
{
    bool integer = cell->kind == P11PROF_CELL_INTEGER && cell->integer >= 0;
    if (column->unit == P11PROF_UNIT_NS && integer)
        p11prof_format_ns(out, (uint64_t)cell->integer);
    else if (column->unit == P11PROF_UNIT_MOMENT && integer)
        p11prof_format_moment(out, (uint64_t)cell->integer);
    else if (column->unit == P11PROF_UNIT_BYTES && integer)
        p11prof_format_bytes(out, (uint64_t)cell->integer);
    else if (column->unit == P11PROF_UNIT_SHARE && cell->kind == P11PROF_CELL_REAL)
        p11prof_format_share(out, cell->real);
    else if (column->unit == P11PROF_UNIT_CHANGE && cell->kind == P11PROF_CELL_REAL)
        p11prof_format_change(out, cell->real);
    else if (column->unit == P11PROF_UNIT_BYTES_PER_S && cell->kind == P11PROF_CELL_REAL)
        p11prof_format_rate(out, cell->real / 0x1p20);
    else if ((column->unit == P11PROF_UNIT_PER_S || column->unit == P11PROF_UNIT_WANTED_PER_S) &&
             cell->kind == P11PROF_CELL_REAL)
        p11prof_format_rate(out, cell->real);
    else
        p11prof_plain_number(out, column, cell);
}

char *p11prof_cell_text(const struct p11prof_column *column, const struct p11prof_cell *cell)
{
    char number[P11PROF_NUMBER_BYTES + 1] = "~";
    if (cell->kind == P11PROF_CELL_NULL)
        return p11prof_copy("-");
    if (cell->kind != P11PROF_CELL_TEXT) {
        format_number(number + cell->doubtful, column, cell);
        return p11prof_copy(number);
    }
    return p11prof_safe_copy(cell->text);
}

/* The width of a line whose texts are cut to `text_width`. */
static size_t width_of_line(const struct p11prof_writer *writer, const struct p11prof_table *table,
                            size_t text_width)
{
    size_t total = writer->indent ? strlen(writer->indent) : 0, shown = 0;
    for (size_t i = 0; i < table->column_count; i++) {
        size_t width = writer->widths[i];
        if (width == HIDDEN)
            continue;
        if (table->columns[i].unit == P11PROF_UNIT_NONE && width > text_width)
            width = text_width;
        total += width + (shown++ > 0 ? GAP : 0);
    }
    return total;
}

static void hide(struct p11prof_writer *writer, const struct p11prof_table *table)
{
    size_t text_width = writer->text_width > 0 ? writer->text_width : SIZE_MAX;
    for (const char *const *name = writer->optional;
         name && *name && width_of_line(writer, table, text_width) > writer->width_limit; name++) {
        size_t column = p11prof_table_find(table, *name);
        if (column < table->column_count)
            writer->widths[column] = HIDDEN;
    }
}

bool p11prof_writer_left_out(const struct p11prof_writer *writer, size_t column)
{
    return writer->widths && writer->widths[column] == HIDDEN;
}

/* Narrows the widest text column again and again until a line fits, or no text can give more. */
static void fit(struct p11prof_writer *writer, const struct p11prof_table *table)
{
    hide(writer, table);
    size_t total = width_of_line(writer, table, SIZE_MAX);
    while (total > writer->width_limit) {
        size_t widest = table->column_count;
        size_t width = TEXT_LEAST_WIDTH;
        for (size_t i = 0; i < table->column_count; i++) {
            if (table->columns[i].unit == P11PROF_UNIT_NONE && writer->widths[i] != HIDDEN &&
                writer->widths[i] > width) {
                widest = i;
                width = writer->widths[i];
            }
        }
        if (widest == table->column_count)
            return;
        writer->widths[widest]--;
        total--;
    }
}

static void measure(struct p11prof_writer *writer, const struct p11prof_table *table)
{
    writer->widths = p11prof_zalloc(table->column_count, sizeof *writer->widths);
    for (size_t i = 0; i < table->column_count; i++)
        writer->widths[i] = p11prof_text_width(table->columns[i].heading);
    for (size_t i = 0; i < table->row_count * table->column_count; i++) {
        size_t column = i % table->column_count;
        char *text = p11prof_cell_text(&table->columns[column], &table->cells[i]);
        size_t width = p11prof_text_width(text);
        if (width > writer->widths[column])
            writer->widths[column] = width;
        free(text);
    }
    if (writer->width_limit > 0)
        fit(writer, table);
}

static void write_blanks(FILE *stream, size_t count)
{
    fprintf(stream, "%*s", (int)count, "");
}

static bool is_first(const struct p11prof_writer *writer, size_t column)
{
    while (column > 0 && writer->widths[column - 1] == HIDDEN)
        column--;
    return column == 0;
}

/* One cell: right-aligned numbers; too wide a text is cut and ends in "…". */
static void write_cell(struct p11prof_writer *writer, const struct p11prof_table *table,
                       size_t column, const char *text, bool right)
{
    size_t room = writer->widths[column];
    size_t width = p11prof_text_width(text);
    if (room == HIDDEN)
        return;
    if (!is_first(writer, column))
        write_blanks(writer->stream, GAP);
    else if (writer->indent)
        fputs(writer->indent, writer->stream);
    if (width > room && writer->width_limit > 0 && !right) {
        size_t bytes = p11prof_text_prefix(text, room - 1);
        fprintf(writer->stream, "%.*s\u2026", (int)bytes, text);
        return;
    }
    size_t padding = width < room ? room - width : 0;
    if (right)
        write_blanks(writer->stream, padding);
    fputs(text, writer->stream);
    if (!right && column + 1 < table->column_count)
        write_blanks(writer->stream, padding);
}

bool p11prof_column_is_number(const struct p11prof_table *table, size_t column)
{
    if (table->columns[column].type != P11PROF_TYPE_ANY)
        return table->columns[column].unit != P11PROF_UNIT_NONE;
    return table->row_count > 0 && p11prof_table_row(table, 0)[column].kind != P11PROF_CELL_TEXT;
}

void p11prof_text_head(struct p11prof_writer *writer, const struct p11prof_table *table)
{
    measure(writer, table);
    for (size_t i = 0; i < table->column_count; i++)
        write_cell(writer, table, i, table->columns[i].heading, p11prof_column_is_number(table, i));
    putc('\n', writer->stream);
}

void p11prof_text_row(struct p11prof_writer *writer, const struct p11prof_table *table, size_t row)
{
    const struct p11prof_cell *cells = p11prof_table_row(table, row);
    for (size_t i = 0; i < table->column_count; i++) {
        const struct p11prof_column *column = &table->columns[i];
        bool number = column->type == P11PROF_TYPE_ANY ? cells[i].kind != P11PROF_CELL_TEXT
                                                       : column->unit != P11PROF_UNIT_NONE;
        char *text = p11prof_cell_text(column, &cells[i]);
        write_cell(writer, table, i, text, number);
        free(text);
    }
    putc('\n', writer->stream);
}
