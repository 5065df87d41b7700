/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "write_formats.h"

#include <stdlib.h>
#include <string.h>

void p11prof_markdown_text(FILE *stream, const char *text)
{
    for (; *text; text++) {
        if (*text == '<')
            fputs("&lt;", stream);
        else if (*text == '&')
            fputs("&amp;", stream);
        else if (strchr("\\|`*[]", *text))
            fprintf(stream, "\\%c", *text);
        else
            putc(*text, stream);
    }
}

void p11prof_markdown_row(struct p11prof_writer *writer, const struct p11prof_table *table,
                          size_t row)
{
    const struct p11prof_cell *cells = p11prof_table_row(table, row);
    for (size_t i = 0; i < table->column_count; i++) {
        char *text = p11prof_cell_text(&table->columns[i], &cells[i]);
        fputs("| ", writer->stream);
        p11prof_markdown_text(writer->stream, text);
        putc(' ', writer->stream);
        free(text);
    }
    fputs("|\n", writer->stream);
}

void p11prof_markdown_head(struct p11prof_writer *writer, const struct p11prof_table *table)
{
    for (size_t i = 0; i < table->column_count; i++) {
        fputs("| ", writer->stream);
        p11prof_markdown_text(writer->stream, table->columns[i].heading);
        putc(' ', writer->stream);
    }
    fputs("|\n", writer->stream);
    for (size_t i = 0; i < table->column_count; i++)
        fputs(p11prof_column_is_number(table, i) ? "|---:" : "|---", writer->stream);
    fputs("|\n", writer->stream);
}
