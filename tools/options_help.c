/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* A table of options as text, for people who asked for help. */
#include "options.h"
#include "report/writer.h"

#include <stdio.h>
#include <string.h>

enum { WIDTH = 80, WIDTH_LEAST = 40, WIDTH_MOST = 100, HELP_COLUMN = 25 };

static size_t help_width(void)
{
    size_t width = p11prof_terminal_width(stdout);
    if (width == 0)
        return WIDTH;
    if (width < WIDTH_LEAST)
        return WIDTH_LEAST;
    return width > WIDTH_MOST ? WIDTH_MOST : width;
}

/* Columns of UTF-8: help has no wide characters. */
static size_t columns_of(const char *text, size_t bytes)
{
    size_t columns = 0;
    for (size_t i = 0; i < bytes; i++)
        columns += ((unsigned char)text[i] & 0xc0) != 0x80;
    return columns;
}

/* Prints the words, in lines that begin at `indent`; the first one begins at `column`. */
static void print_wrapped(const char *text, size_t column, size_t indent, size_t width)
{
    bool first = true;
    while (*text) {
        size_t bytes = strcspn(text, " "), columns = columns_of(text, bytes);
        if (!first && column + 1 + columns > width) {
            printf("\n%*s", (int)indent, "");
            column = indent;
        } else if (!first) {
            putchar(' ');
            column++;
        }
        printf("%.*s", (int)bytes, text);
        column += columns;
        first = false;
        text += bytes + strspn(text + bytes, " ");
    }
    putchar('\n');
}

static void print_option(const struct p11prof_option *option, size_t width)
{
    char left[64];
    int bytes = snprintf(left, sizeof left, "  --%s%s%s", option->name, option->value ? " " : "",
                         option->value ? option->value : "");
    size_t columns = columns_of(left, (size_t)bytes);
    if (option->heading)
        printf("\n%s:\n", option->heading);
    fputs(left, stdout);
    if (columns + 2 > HELP_COLUMN) {
        putchar('\n');
        columns = 0;
    }
    printf("%*s", (int)(HELP_COLUMN - columns), "");
    print_wrapped(option->help, HELP_COLUMN, HELP_COLUMN, width);
}

void p11prof_usage_print(const struct p11prof_usage *usage)
{
    size_t width = help_width();
    int indent = printf("Usage: p11prof %s ", usage->command);
    printf("[OPTION...]%s", usage->arguments[0] ? " " : "\n");
    if (usage->arguments[0])
        print_wrapped(usage->arguments, (size_t)indent + strlen("[OPTION...] "), (size_t)indent,
                      width);
    putchar('\n');
    print_wrapped(usage->summary, 0, 0, width);
    putchar('\n');
    for (const struct p11prof_option *option = usage->options; option->name; option++)
        print_option(option, width);
    print_option(&p11prof_option_help, width);
    if (usage->notes)
        printf("\nExamples:\n%s\n", usage->notes);
    printf("\n'man p11prof-%s' says more.\n", usage->command);
}
