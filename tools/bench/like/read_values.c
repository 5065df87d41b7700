/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "read.h"

#include "../amounts.h"
#include "report/nearest.h"
#include "words.h"

#include <stdarg.h>
#include <string.h>

bool like_refuse(const struct like_reading *reading, struct suite_place place, const char *format,
                 ...)
{
    char text[320];
    va_list values;
    va_start(values, format);
    vsnprintf(text, sizeof text, format, values);
    va_end(values);
    p11prof_error_set(reading->error, P11PROF_BAD_INPUT, "%.150s:%u:%u: %s", reading->path,
                      place.line, place.column, text);
    return false;
}

bool like_refuse_key(const struct like_reading *reading, const struct suite_member *member,
                     const char *of, const char *const *names, size_t count)
{
    const char *nearest = p11prof_nearest(member->key, names, count);
    return like_refuse(reading, member->key_place, "%s has no '%.60s'%s%s%s", of, member->key,
                       nearest ? "; did you mean '" : "", nearest ? nearest : "",
                       nearest ? "'?" : "");
}

/* What a value is called: its key, or that of its list. */
static const char *key_of(const struct suite_member *member)
{
    return member->key ? member->key : "the list";
}

bool like_take_number(const struct like_reading *reading, const struct suite_member *member,
                      int64_t least, int64_t most, int64_t *out)
{
    if (member->type != SUITE_NUMBER || member->number < least || member->number > most)
        return like_refuse(reading, member->place, "%.60s wants a number from %lld to %lld",
                           key_of(member), (long long)least, (long long)most);
    *out = member->number;
    return true;
}

bool like_take_word(const struct like_reading *reading, const struct suite_member *member,
                    const struct like_words *words, int64_t *out)
{
    if (member->type == SUITE_TEXT && like_word_read(words, member->text, out))
        return true;
    if (member->type != SUITE_TEXT)
        return like_refuse(reading, member->place, "%.60s wants a text", key_of(member));
    const char *nearest = like_word_nearest(words, member->text);
    return like_refuse(reading, member->place, "%.60s is not '%.60s'%s%s%s", key_of(member),
                       member->text, nearest ? "; did you mean '" : "", nearest ? nearest : "",
                       nearest ? "'?" : "");
}

bool like_take_time(const struct like_reading *reading, const struct suite_member *member,
                    uint64_t *out_ns)
{
    return (member->type == SUITE_TEXT && like_time_read(member->text, out_ns)) ||
           like_refuse(reading, member->place, "%.60s wants a time (\"1.25ms\", \"10s\", \"0ns\")",
                       key_of(member));
}

bool like_take_size(const struct like_reading *reading, const struct suite_member *member,
                    int64_t *out)
{
    uint64_t bytes = 0;
    if (member->type == SUITE_NUMBER)
        return like_take_number(reading, member, 0, INT64_MAX, out);
    if (member->type != SUITE_TEXT || !amounts_size(member->text, &bytes) || bytes > INT64_MAX)
        return like_refuse(reading, member->place, "%.60s wants a size (32, \"10KB\")",
                           key_of(member));
    *out = (int64_t)bytes;
    return true;
}

bool like_take_text(const struct like_reading *reading, const struct suite_member *member,
                    char *out, size_t bytes)
{
    if (member->type != SUITE_TEXT)
        return like_refuse(reading, member->place, "%.60s wants a text", key_of(member));
    if (strlen(member->text) >= bytes)
        return like_refuse(reading, member->place, "%.60s is longer than %zu bytes", key_of(member),
                           bytes - 1);
    strcpy(out, member->text);
    return true;
}
