/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "xml.h"
#include "safe_text.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

void p11prof_xml_text(FILE *stream, const char *text)
{
    while (*text) {
        const char *start = text;
        uint32_t character = p11prof_next_character(&text);
        bool allowed = character == '\t' || character == '\n' ||
                       (character >= 0x20 && character < 0xd800) ||
                       (character >= 0xe000 && character < 0xfffe) ||
                       (character >= 0x10000 && character <= 0x10ffff);
        if (!allowed)
            fputs("\uFFFD", stream);
        else if (strchr("<>&\"'\n\t", (int)character) && character < 0x80)
            fprintf(stream, "&#%u;", (unsigned)character);
        else
            fwrite(start, 1, (size_t)(text - start), stream);
    }
}

void p11prof_xml_attribute(FILE *stream, const char *name, const char *value)
{
    fprintf(stream, " %s=\"", name);
    p11prof_xml_text(stream, value);
    putc('"', stream);
}
