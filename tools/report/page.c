/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "page.h"
#include "allocate.h"
#include "canvas.h"
#include "safe_text.h"
#include "wrap.h"
#include "write_formats.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* Before and after a line, in each format. */
struct frame {
    bool alone; /* a blank line stands before it, but at the top of a page */
    const char *before, *after;
};
enum { FACT_NAME = 12, FACT_INDENT = 14 };

static const struct frame text_frames[] = {
    [P11PROF_PAGE_TITLE] = {true, "", "\n"},     [P11PROF_PAGE_SECTION] = {true, "", "\n"},
    [P11PROF_PAGE_FACT] = {false, "  ", "\n"},   [P11PROF_PAGE_NOTE] = {false, "  ", "\n"},
    [P11PROF_PAGE_PARAGRAPH] = {true, "", "\n"},
};
static const struct frame markdown_frames[] = {
    [P11PROF_PAGE_TITLE] = {true, "# ", "\n\n"}, [P11PROF_PAGE_SECTION] = {true, "## ", "\n\n"},
    [P11PROF_PAGE_FACT] = {false, "- ", "\n"},   [P11PROF_PAGE_NOTE] = {true, "", "\n"},
    [P11PROF_PAGE_PARAGRAPH] = {true, "", "\n"},
};

static char *formatted(const char *format, va_list arguments)
{
    char *text = NULL;
    size_t bytes;
    FILE *stream = p11prof_text_open(&text, &bytes);
    vfprintf(stream, format, arguments);
    fclose(stream);
    return text;
}

static void make_ascii(char *text)
{
    char *out = text;
    for (const char *next = text; *next;)
        *out++ = p11prof_ascii_character(p11prof_next_character(&next));
    *out = '\0';
}

/* A line of text, broken where it is too long: further lines are indented like its text. */
static void write_broken(const struct p11prof_page *page, size_t indent, const char *text)
{
    size_t room = page->width > indent ? page->width - indent : 1;
    for (const char *next; *text; text = next) {
        size_t bytes = p11prof_wrap(text, page->width ? room : SIZE_MAX, &next);
        fprintf(page->stream, "%.*s", (int)bytes, text);
        if (*next)
            fprintf(page->stream, "\n%*s", (int)indent, "");
    }
}

static void print_line(struct p11prof_page *page, enum p11prof_page_line line, const char *name,
                       const char *safe)
{
    bool markdown = page->format == P11PROF_FORMAT_MARKDOWN;
    const struct frame *frame = markdown ? &markdown_frames[line] : &text_frames[line];
    size_t indent = strlen(frame->before) + (name ? strlen(name) : 0);
    if (frame->alone && page->started && !page->blank)
        putc('\n', page->stream);
    fputs(frame->before, page->stream);
    if (name && markdown)
        fprintf(page->stream, "%s: ", name);
    else if (name)
        fprintf(page->stream, "%-*s", FACT_NAME, name);
    if (markdown)
        p11prof_markdown_text(page->stream, safe);
    else
        write_broken(page, name && indent < FACT_INDENT ? FACT_INDENT : indent, safe);
    fputs(frame->after, page->stream);
    page->started = true;
    page->blank = frame->after[1] != '\0';
}

static void write_line(struct p11prof_page *page, enum p11prof_page_line line, const char *name,
                       char *text)
{
    char *safe = p11prof_safe_copy(text);
    if (page->ascii)
        make_ascii(safe);
    if (page->take)
        page->take(page->payload, line, name, safe);
    else
        print_line(page, line, name, safe);
    free(safe);
    free(text);
}

#define WRITE_LINE(line, name)                                                                     \
    do {                                                                                           \
        va_list arguments;                                                                         \
        va_start(arguments, format);                                                               \
        write_line(page, line, name, formatted(format, arguments));                                \
        va_end(arguments);                                                                         \
    } while (0)

void p11prof_page_title(struct p11prof_page *page, const char *format, ...)
{
    WRITE_LINE(P11PROF_PAGE_TITLE, NULL);
}

void p11prof_page_section(struct p11prof_page *page, const char *format, ...)
{
    WRITE_LINE(P11PROF_PAGE_SECTION, NULL);
}

void p11prof_page_fact(struct p11prof_page *page, const char *name, const char *format, ...)
{
    WRITE_LINE(P11PROF_PAGE_FACT, name);
}

void p11prof_page_note(struct p11prof_page *page, const char *format, ...)
{
    WRITE_LINE(P11PROF_PAGE_NOTE, NULL);
}

void p11prof_page_paragraph(struct p11prof_page *page, const char *format, ...)
{
    WRITE_LINE(P11PROF_PAGE_PARAGRAPH, NULL);
}

/* Columns that a line of a table has; 0: as many as it wants. */
static size_t table_width(const struct p11prof_page *page)
{
    return page->width > 0 || page->take ? page->width : p11prof_terminal_width(page->stream);
}

/* In Markdown a table that follows a line of text at once is text, too. */
static void part_from_text(const struct p11prof_page *page)
{
    if (page->format == P11PROF_FORMAT_MARKDOWN && page->started && !page->blank)
        putc('\n', page->stream);
}

void p11prof_page_table_fit(struct p11prof_page *page, const struct p11prof_table *table,
                            const char *columns, const char *const *optional,
                            struct p11prof_table *left_out)
{
    enum { TEXT_WIDTH = 16 };
    struct p11prof_table part = {.columns = NULL};
    struct p11prof_writer writer = {.stream = page->stream,
                                    .format = page->format,
                                    .width_limit = table_width(page),
                                    .optional = optional,
                                    .text_width = TEXT_WIDTH,
                                    .indent = "  "};
    if (page->take)
        return;
    part_from_text(page);
    p11prof_table_select(&part, table, columns);
    p11prof_writer_rows(&writer, &part);
    for (size_t i = 0; i < part.column_count; i++)
        if (p11prof_writer_left_out(&writer, i) &&
            p11prof_table_find(left_out, part.columns[i].name) == left_out->column_count)
            p11prof_table_add_columns(left_out, part.columns[i].name);
    p11prof_writer_end(&writer, &part);
    p11prof_table_clear(&part);
    page->started = true;
    page->blank = false;
}

void p11prof_page_table(struct p11prof_page *page, const struct p11prof_table *table,
                        const char *columns)
{
    p11prof_page_table_fit(page, table, columns, NULL, NULL);
}

void p11prof_page_whole_table(struct p11prof_page *page, const struct p11prof_table *table)
{
    struct p11prof_writer writer = {.stream = page->stream,
                                    .format = page->format,
                                    .width_limit = table_width(page),
                                    .indent = "  "};
    if (page->take)
        return;
    part_from_text(page);
    p11prof_writer_rows(&writer, table);
    p11prof_writer_end(&writer, table);
    page->started = true;
    page->blank = false;
}
