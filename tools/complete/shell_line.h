/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The words of a command line that is being typed: as a shell will understand them, but nothing is
 * expanded. */
#ifndef P11PROF_COMPLETE_SHELL_LINE_H
#define P11PROF_COMPLETE_SHELL_LINE_H

#include <stdbool.h>
#include <stddef.h>

struct shell_line {
    char **words; /* without quotes; the last one is being typed, maybe "" */
    size_t count; /* 1 at least */
    char quote;   /* that is open at the end: ' or ", else 0 */
    bool closed;  /* the last word ends behind a quote: no shell has more to add to it */
    size_t kept;  /* bytes of the last word that are before the part which the shell replaces */
};

/* Reads a line up to the cursor. part: the end of the line, as it was typed, that the shell will
 * replace (bash splits words at ':', '=' and '@'); NULL: the whole last word. */
void shell_line_read(struct shell_line *out, const char *line, const char *part);

void shell_line_clear(struct shell_line *line);

#endif
