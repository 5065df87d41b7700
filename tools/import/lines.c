/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "import/lines.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* FNV-1a with 128 bits. */
static const uint64_t hash_start[2] = {0x6c62272e07bb0142, 0x62b821756295c58d};
enum { HASH_LOW = 0x13b, HASH_SHIFT = 24 };

static void hash_add(uint64_t hash[2], const char *bytes, size_t count)
{
    uint64_t high = hash[0], low = hash[1];
    for (size_t i = 0; i < count; i++) {
        low ^= (uint8_t)bytes[i];
        unsigned __int128 product = (unsigned __int128)low * HASH_LOW;
        high = high * HASH_LOW + (uint64_t)(product >> 64) + (low << HASH_SHIFT);
        low = (uint64_t)product;
    }
    hash[0] = high;
    hash[1] = low;
}

void p11prof_lines_init(struct p11prof_lines *lines, FILE *stream, const char *name, uint64_t most)
{
    memset(lines, 0, offsetof(struct p11prof_lines, buffer));
    lines->stream = stream;
    lines->name = name;
    lines->most = most;
    memcpy(lines->hash, hash_start, sizeof lines->hash);
}

/* Moves what is left to the front and reads more behind it. */
static void fill(struct p11prof_lines *lines)
{
    memmove(lines->buffer, lines->buffer + lines->start, lines->end - lines->start);
    lines->end -= lines->start;
    lines->start = 0;
    size_t room = P11PROF_LINES_BUFFER_BYTES - lines->end;
    size_t count =
        lines->bytes > lines->most ? 0 : fread(lines->buffer + lines->end, 1, room, lines->stream);
    hash_add(lines->hash, lines->buffer + lines->end, count);
    lines->end += count;
    lines->bytes += count;
    lines->ended = count < room;
}

const char *p11prof_lines_peek(struct p11prof_lines *lines, size_t *bytes)
{
    if (!lines->ended && lines->end == lines->start)
        fill(lines);
    if (lines->start == 0 && lines->end >= 3 && memcmp(lines->buffer, "\xEF\xBB\xBF", 3) == 0)
        lines->start = 3;
    lines->buffer[lines->end] = '\0';
    *bytes = lines->end - lines->start;
    return lines->buffer + lines->start;
}

/* Skips to the end of a line whose begin fills the buffer. */
static void skip_line(struct p11prof_lines *lines)
{
    const char *newline = NULL;
    while (!newline && !lines->ended) {
        lines->start = lines->end = 0;
        fill(lines);
        newline = memchr(lines->buffer, '\n', lines->end);
    }
    lines->start = newline ? (size_t)(newline - lines->buffer) + 1 : lines->end;
}

static char *take_line(struct p11prof_lines *lines, size_t length, size_t skipped)
{
    char *line = lines->buffer + lines->start;
    lines->start += length + skipped;
    lines->number++;
    length -= length > 0 && line[length - 1] == '\r';
    line[length] = '\0';
    return line;
}

char *p11prof_lines_next(struct p11prof_lines *lines)
{
    static char cut[] = "";
    size_t left = lines->end - lines->start;
    char *newline = memchr(lines->buffer + lines->start, '\n', left);
    if (!newline && !lines->ended) {
        fill(lines);
        left = lines->end - lines->start;
        newline = memchr(lines->buffer + lines->start, '\n', left);
    }
    if (newline)
        return take_line(lines, (size_t)(newline - lines->buffer) - lines->start, 1);
    if (left == 0)
        return NULL;
    if (lines->ended)
        return take_line(lines, left, 0);
    skip_line(lines);
    lines->number++;
    return cut;
}

enum p11prof_status p11prof_lines_check(const struct p11prof_lines *lines,
                                        struct p11prof_error *error)
{
    if (ferror(lines->stream))
        return p11prof_error_set(error, P11PROF_BAD_INPUT, "%s: cannot be read: %s", lines->name,
                                 strerror(errno));
    if (lines->bytes > lines->most)
        return p11prof_error_set(error, P11PROF_BAD_INPUT, "%s: larger than %" PRIu64 " MiB",
                                 lines->name, lines->most >> 20);
    return P11PROF_OK;
}

char *p11prof_lines_rest(struct p11prof_lines *lines, size_t *bytes, struct p11prof_error *error)
{
    char *text = NULL;
    *bytes = 0;
    do {
        if (lines->start == lines->end)
            fill(lines);
        size_t count = lines->end - lines->start;
        char *larger = realloc(text, *bytes + count + 1);
        if (!larger) {
            free(text);
            p11prof_error_set(error, P11PROF_FAILED, "%s: no memory to read it", lines->name);
            return NULL;
        }
        text = larger;
        memcpy(text + *bytes, lines->buffer + lines->start, count);
        *bytes += count;
        text[*bytes] = '\0';
        lines->start = lines->end;
    } while (!lines->ended);
    if (p11prof_lines_check(lines, error) == P11PROF_OK)
        return text;
    free(text);
    return NULL;
}

void p11prof_lines_uuid(const struct p11prof_lines *lines, uint8_t uuid[16])
{
    for (int i = 0; i < 16; i++)
        uuid[i] = (uint8_t)(lines->hash[i / 8] >> (56 - 8 * (i % 8)));
    uuid[6] = (uint8_t)((uuid[6] & 0x0f) | 0x80);
    uuid[8] = (uint8_t)((uuid[8] & 0x3f) | 0x80);
}
