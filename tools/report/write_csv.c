/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "write_formats.h"

#include <inttypes.h>
#include <string.h>

void p11prof_plain_number(char *out, const struct p11prof_column *column,
                          const struct p11prof_cell *cell)
{
    if (cell->kind == P11PROF_CELL_INTEGER)
        snprintf(out, P11PROF_NUMBER_BYTES, "%" PRId64, cell->integer);
    else if (column->unit == P11PROF_UNIT_SHARE || column->unit == P11PROF_UNIT_CHANGE)
        snprintf(out, P11PROF_NUMBER_BYTES, "%.6f", cell->real);
    else if (column->unit == P11PROF_UNIT_WANTED_PER_S)
        snprintf(out, P11PROF_NUMBER_BYTES, "%.15g", cell->real);
    else if (column->unit == P11PROF_UNIT_PER_S || column->unit == P11PROF_UNIT_BYTES_PER_S)
        snprintf(out, P11PROF_NUMBER_BYTES, "%.3f", cell->real);
    else
        snprintf(out, P11PROF_NUMBER_BYTES, "%.15g", cell->real);
}

static void write_field(FILE *stream, const char *text)
{
    if (!text[strcspn(text, "\",\r\n")]) {
        fputs(text, stream);
        return;
    }
    putc('"', stream);
    for (; *text; text++) {
        if (*text == '"')
            putc('"', stream);
        putc(*text, stream);
    }
    putc('"', stream);
}

void p11prof_csv_head(struct p11prof_writer *writer, const struct p11prof_table *table)
{
    for (size_t i = 0; i < table->column_count; i++) {
        if (i > 0)
            putc(',', writer->stream);
        write_field(writer->stream, table->columns[i].name);
    }
    fputs("\r\n", writer->stream);
}

void p11prof_csv_row(struct p11prof_writer *writer, const struct p11prof_table *table, size_t row)
{
    const struct p11prof_cell *cells = p11prof_table_row(table, row);
    char number[P11PROF_NUMBER_BYTES];
    for (size_t i = 0; i < table->column_count; i++) {
        if (i > 0)
            putc(',', writer->stream);
        if (cells[i].kind == P11PROF_CELL_TEXT) {
            write_field(writer->stream, cells[i].text);
        } else if (cells[i].kind != P11PROF_CELL_NULL) {
            p11prof_plain_number(number, &table->columns[i], &cells[i]);
            fputs(number, writer->stream);
        }
    }
    fputs("\r\n", writer->stream);
}
