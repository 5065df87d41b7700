/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Values that are one of a few words. */
#include "message.h"
#include "options.h"
#include "report/nearest.h"

#include <stdio.h>
#include <string.h>

enum { WORDS_MAX = 16, TEXT_BYTES = 256 };

static size_t split(char *text, const char *names[WORDS_MAX])
{
    size_t count = 0;
    for (char *word; count < WORDS_MAX && (word = strsep(&text, " "));)
        names[count++] = word;
    return count;
}

/* "calls, summary or off" */
static void list(char out[TEXT_BYTES], const char *const *names, size_t count)
{
    size_t used = 0;
    for (size_t i = 0; i < count && used < TEXT_BYTES; i++)
        used += (size_t)snprintf(out + used, TEXT_BYTES - used, "%s%s",
                                 i == 0           ? ""
                                 : i + 1 == count ? " or "
                                                  : ", ",
                                 names[i]);
}

bool p11prof_option_word(const struct p11prof_option *option, const char *value)
{
    char words[TEXT_BYTES], known[TEXT_BYTES] = "";
    const char *names[WORDS_MAX];
    if (option->kind != P11PROF_VALUE_WORDS)
        return true;
    snprintf(words, sizeof words, "%s", option->words);
    size_t count = split(words, names);
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], value) == 0)
            return true;
    const char *nearest = p11prof_nearest(value, names, count);
    list(known, names, count);
    p11prof_complain(0, "--%s is %s, not '%s'%s%s%s", option->name, known, value,
                     nearest ? ": did you mean '" : "", nearest ? nearest : "",
                     nearest ? "'?" : "");
    return false;
}
