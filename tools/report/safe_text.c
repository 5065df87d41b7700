/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "safe_text.h"
#include "allocate.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Bytes of the character that starts with `lead`, 0 if none does. */
static unsigned character_bytes(unsigned char lead)
{
    if (lead < 0x80)
        return 1;
    if (lead >= 0xC2 && lead < 0xE0)
        return 2;
    if (lead >= 0xE0 && lead < 0xF0)
        return 3;
    return lead >= 0xF0 && lead < 0xF5 ? 4 : 0;
}

/* Too long a form, a surrogate, or beyond Unicode. */
static bool malformed(uint32_t character, unsigned bytes)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    return character < least[bytes] || character > 0x10FFFF ||
           (character >= 0xD800 && character < 0xE000);
}

uint32_t p11prof_next_character(const char **text)
{
    const unsigned char *at = (const unsigned char *)*text;
    unsigned bytes = character_bytes(at[0]);
    uint32_t character = bytes < 2 ? at[0] : at[0] & (0xFFU >> (bytes + 1));
    ++*text;
    if (bytes == 0)
        return P11PROF_NO_CHARACTER;
    for (unsigned i = 1; i < bytes; i++) {
        if ((at[i] & 0xC0) != 0x80)
            return P11PROF_NO_CHARACTER;
        character = character << 6 | (at[i] & 0x3F);
    }
    if (malformed(character, bytes))
        return P11PROF_NO_CHARACTER;
    *text += bytes - 1;
    return character;
}

/* What acts on a terminal instead of showing: C0, C1, line separators, changes of direction. */
static bool is_active(uint32_t character)
{
    return character < 0x20 || (character >= 0x7F && character < 0xA0) ||
           (character >= 0x200B && character <= 0x200F) ||
           (character >= 0x2028 && character <= 0x202E) ||
           (character >= 0x2060 && character <= 0x2069) || character == 0xFEFF;
}

/* Appends if it fits; false otherwise. */
static bool append(char *out, size_t out_bytes, size_t *used, const char *piece, size_t bytes)
{
    if (bytes >= out_bytes - *used)
        return false;
    memcpy(out + *used, piece, bytes);
    *used += bytes;
    return true;
}

void p11prof_safe_text(char *out, size_t out_bytes, const char *text)
{
    size_t used = 0;
    bool fits = true;
    while (*text && fits) {
        const char *start = text;
        char escape[16];
        uint32_t character = p11prof_next_character(&text);
        if (character == P11PROF_NO_CHARACTER || (is_active(character) && character < 0x80))
            snprintf(escape, sizeof escape, "\\x%02X", (unsigned)(unsigned char)*start);
        else if (is_active(character))
            snprintf(escape, sizeof escape, "\\u%04X", character);
        else
            snprintf(escape, sizeof escape, "%.*s", (int)(text - start), start);
        fits = append(out, out_bytes, &used, escape, strlen(escape));
    }
    out[used] = '\0';
}

char *p11prof_safe_copy(const char *text)
{
    size_t bytes = 6 * strlen(text) + 1;
    char *safe = p11prof_zalloc(bytes, 1);
    p11prof_safe_text(safe, bytes, text);
    return safe;
}

void p11prof_valid_text(char *out, size_t out_bytes, const char *text)
{
    size_t used = 0;
    bool fits = true;
    while (*text && fits) {
        const char *start = text;
        bool valid = p11prof_next_character(&text) != P11PROF_NO_CHARACTER;
        fits = valid ? append(out, out_bytes, &used, start, (size_t)(text - start))
                     : append(out, out_bytes, &used, "\xEF\xBF\xBD", 3);
    }
    out[used] = '\0';
}

size_t p11prof_text_width(const char *text)
{
    size_t width = 0;
    for (; *text; width++)
        p11prof_next_character(&text);
    return width;
}

size_t p11prof_text_prefix(const char *text, size_t width)
{
    const char *at = text;
    for (size_t i = 0; i < width && *at; i++)
        p11prof_next_character(&at);
    return (size_t)(at - text);
}
