/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "allocate.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *checked(void *memory)
{
    if (!memory) {
        fputs("p11prof: error: out of memory\n", stderr);
        exit(3);
    }
    return memory;
}

void *p11prof_zalloc(size_t count, size_t bytes)
{
    return checked(calloc(count ? count : 1, bytes));
}

char *p11prof_copy(const char *text)
{
    return checked(strdup(text));
}

void *p11prof_grow(void *array, size_t *capacity, size_t needed, size_t bytes)
{
    size_t wanted = *capacity ? *capacity : 16;
    if (needed <= *capacity)
        return array;
    while (wanted < needed)
        wanted = wanted > SIZE_MAX / 2 ? needed : 2 * wanted;
    array = checked(reallocarray(array, wanted, bytes));
    *capacity = wanted;
    return array;
}

FILE *p11prof_text_open(char **text, size_t *bytes)
{
    return checked(open_memstream(text, bytes));
}

char *p11prof_text_make(const char *format, va_list arguments)
{
    char *text;
    size_t bytes;
    FILE *stream = p11prof_text_open(&text, &bytes);
    vfprintf(stream, format, arguments);
    fclose(stream);
    return text;
}
