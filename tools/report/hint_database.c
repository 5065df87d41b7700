/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "hint_database.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static char option[PATH_MAX + 64];

/* Appends a character; leaves the text as it is where it does not fit. */
static void append(char *out, size_t out_bytes, char character)
{
    size_t length = strlen(out);
    if (length + 1 < out_bytes) {
        out[length] = character;
        out[length + 1] = '\0';
    }
}

void p11prof_shell_word_append(char *out, size_t out_bytes, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "/._-+,:@%";
    bool quoted = word[strspn(word, plain)] != '\0';
    if (quoted)
        append(out, out_bytes, '\'');
    for (const char *at = word; *at; at++) {
        for (const char *end = "'\\'"; *at == '\'' && *end; end++)
            append(out, out_bytes, *end);
        append(out, out_bytes, *at);
    }
    if (quoted)
        append(out, out_bytes, '\'');
}

void p11prof_hint_database_set(const char *path)
{
    snprintf(option, sizeof option, "%s", path ? " --db " : "");
    if (path)
        p11prof_shell_word_append(option, sizeof option, path);
}

const char *p11prof_hint_database(void)
{
    return option;
}
