/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "shell_line.h"

#include "../report/allocate.h"

#include <stdlib.h>
#include <string.h>

/* The next word of the line, which ends before a blank outside of quotes. Returns its end. */
static const char *read_word(const char *at, const char *part, struct shell_line *line)
{
    char *out = p11prof_zalloc(strlen(at) + 1, 1), quote = '\0';
    size_t length = 0, kept = 0;
    bool closed = false;
    for (; *at && (quote || !strchr(" \t\n", *at)); at++) {
        if (at == part)
            kept = length;
        closed = quote && *at == quote;
        if (quote ? *at == quote : *at == '\'' || *at == '"')
            quote = quote ? '\0' : *at;
        else if (*at == '\\' && at[1] && (!quote || (quote == '"' && strchr("$`\"\\", at[1]))))
            out[length++] = *++at;
        else
            out[length++] = *at;
    }
    line->words[line->count++] = out;
    line->kept = at == part ? length : kept;
    line->quote = quote;
    line->closed = closed && length > 0;
    return at;
}

/* Where the part begins; NULL: the line does not end with it. */
static const char *find_part(const char *line, const char *part)
{
    size_t line_bytes = strlen(line), part_bytes = part ? strlen(part) : 0;
    if (!part || part_bytes > line_bytes)
        return NULL;
    const char *begin = line + line_bytes - part_bytes;
    return strcmp(begin, part) == 0 ? begin : NULL;
}

void shell_line_read(struct shell_line *out, const char *line, const char *part)
{
    const char *at = line, *begin = find_part(line, part);
    size_t words = strlen(line) / 2 + 2;
    *out = (struct shell_line){.words = p11prof_zalloc(words, sizeof *out->words)};
    do {
        at += strspn(at, " \t\n");
        at = read_word(at, begin, out);
    } while (*at);
}

void shell_line_clear(struct shell_line *line)
{
    for (size_t i = 0; i < line->count; i++)
        free(line->words[i]);
    free(line->words);
    *line = (struct shell_line){.words = NULL};
}
