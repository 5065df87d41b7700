/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "writer.h"
#include "write_formats.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

struct format {
    const char *name;
    void (*head)(struct p11prof_writer *writer, const struct p11prof_table *table);
    void (*row)(struct p11prof_writer *writer, const struct p11prof_table *table, size_t row);
    void (*tail)(struct p11prof_writer *writer);
};

static const struct format formats[] = {
    [P11PROF_FORMAT_TEXT] = {"text", p11prof_text_head, p11prof_text_row, NULL},
    [P11PROF_FORMAT_JSON] = {"json", p11prof_json_head, p11prof_json_write_row, p11prof_json_tail},
    [P11PROF_FORMAT_CSV] = {"csv", p11prof_csv_head, p11prof_csv_row, NULL},
    [P11PROF_FORMAT_MARKDOWN] = {"markdown", p11prof_markdown_head, p11prof_markdown_row, NULL},
};

bool p11prof_format_named(const char *name, enum p11prof_format *out)
{
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        if (strcmp(formats[i].name, name) == 0) {
            *out = (enum p11prof_format)i;
            return true;
        }
    }
    return false;
}

static void start(struct p11prof_writer *writer, const struct p11prof_table *table)
{
    if (!writer->started)
        formats[writer->format].head(writer, table);
    writer->started = true;
}

void p11prof_writer_rows(struct p11prof_writer *writer, const struct p11prof_table *table)
{
    start(writer, table);
    for (size_t i = 0; i < table->row_count; i++, writer->row_count++)
        formats[writer->format].row(writer, table, i);
}

void p11prof_writer_end(struct p11prof_writer *writer, const struct p11prof_table *table)
{
    start(writer, table);
    if (formats[writer->format].tail)
        formats[writer->format].tail(writer);
    free(writer->widths);
    writer->widths = NULL;
}

static void write_all(struct p11prof_writer *writer, const struct p11prof_table *table)
{
    writer->width_limit = p11prof_terminal_width(writer->stream);
    p11prof_writer_rows(writer, table);
    p11prof_writer_end(writer, table);
}

void p11prof_write_table(FILE *stream, const struct p11prof_table *table,
                         enum p11prof_format format)
{
    struct p11prof_writer writer = {.stream = stream, .format = format};
    write_all(&writer, table);
}

void p11prof_write_text_table(FILE *stream, const struct p11prof_table *table, const char *indent)
{
    struct p11prof_writer writer = {
        .stream = stream, .format = P11PROF_FORMAT_TEXT, .indent = indent};
    write_all(&writer, table);
}

size_t p11prof_terminal_width(FILE *stream)
{
    struct winsize size;
    return ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}
