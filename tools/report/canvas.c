/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "canvas.h"
#include "allocate.h"
#include "safe_text.h"

#include <stdlib.h>

enum { PARTS = 8 }; /* of a cell */

/* Filled from the left, from the bottom: 1/8 to 8/8. */
static const uint32_t from_left[] = {0x258F, 0x258E, 0x258D, 0x258C,
                                     0x258B, 0x258A, 0x2589, 0x2588};
static const uint32_t from_bottom[] = {0x2581, 0x2582, 0x2583, 0x2584,
                                       0x2585, 0x2586, 0x2587, 0x2588};
static const uint32_t ascii_from_left[] = {'-', '-', '-', '-', '=', '=', '=', '#'};
static const uint32_t ascii_from_bottom[] = {'.', '.', '.', ':', ':', ':', '#', '#'};

void p11prof_canvas_make(struct p11prof_canvas *canvas, size_t width, size_t height)
{
    canvas->width = width;
    canvas->height = height;
    canvas->cells = p11prof_zalloc(width * height, sizeof *canvas->cells);
}

void p11prof_canvas_clear(struct p11prof_canvas *canvas)
{
    free(canvas->cells);
    *canvas = (struct p11prof_canvas){.cells = NULL};
}

void p11prof_canvas_put(struct p11prof_canvas *canvas, size_t x, size_t y, enum p11prof_ink ink,
                        uint32_t character)
{
    if (x < canvas->width && y < canvas->height)
        canvas->cells[y * canvas->width + x] = (struct p11prof_canvas_cell){character, ink};
}

void p11prof_canvas_text(struct p11prof_canvas *canvas, size_t x, size_t y, enum p11prof_ink ink,
                         const char *text)
{
    while (*text) {
        uint32_t character = p11prof_next_character(&text);
        p11prof_canvas_put(canvas, x++, y, ink, character);
    }
}

void p11prof_canvas_text_before(struct p11prof_canvas *canvas, size_t x, size_t y,
                                enum p11prof_ink ink, const char *text)
{
    size_t width = p11prof_text_width(text);
    p11prof_canvas_text(canvas, x > width ? x - width : 0, y, ink, text);
}

/* How many parts of a length of cells are filled. */
static size_t parts_of(size_t length, double share)
{
    size_t all = length * PARTS;
    size_t parts = (size_t)(share * (double)all + 0.5);
    return parts > all ? all : parts == 0 && share > 0 ? 1 : parts;
}

void p11prof_canvas_bar(struct p11prof_canvas *canvas, size_t x, size_t y, size_t length,
                        enum p11prof_ink ink, double share, bool ascii)
{
    const uint32_t *characters = ascii ? ascii_from_left : from_left;
    for (size_t parts = parts_of(length, share); parts > 0; x++) {
        size_t here = parts < PARTS ? parts : PARTS;
        p11prof_canvas_put(canvas, x, y, ink, characters[here - 1]);
        parts -= here;
    }
}

void p11prof_canvas_column(struct p11prof_canvas *canvas, size_t x, size_t y, size_t height,
                           enum p11prof_ink ink, double share, bool ascii)
{
    const uint32_t *characters = ascii ? ascii_from_bottom : from_bottom;
    size_t line = y + height;
    for (size_t parts = parts_of(height, share); parts > 0;) {
        size_t here = parts < PARTS ? parts : PARTS;
        p11prof_canvas_put(canvas, x, --line, ink, characters[here - 1]);
        parts -= here;
    }
}

char p11prof_ascii_character(uint32_t character)
{
    static const struct {
        uint32_t character;
        char ascii;
    } pairs[] = {{0x2013, '-'}, {0x2026, '~'}, {0xB7, '.'},   {0x2500, '-'},
                 {0x2502, '|'}, {0x2514, '+'}, {0x2524, '|'}, {0x252C, '+'}};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        if (pairs[i].character == character)
            return pairs[i].ascii;
    return character >= ' ' && character < 0x7F ? (char)character : '?';
}

static void put_character(FILE *stream, uint32_t character, bool ascii)
{
    if (character == 0)
        putc(' ', stream);
    else if (ascii || character < 0x80)
        putc(p11prof_ascii_character(character), stream);
    else if (character < 0x800)
        fprintf(stream, "%c%c", (int)(0xC0 | character >> 6), (int)(0x80 | (character & 0x3F)));
    else if (character < 0x10000)
        fprintf(stream, "%c%c%c", (int)(0xE0 | character >> 12),
                (int)(0x80 | (character >> 6 & 0x3F)), (int)(0x80 | (character & 0x3F)));
    else
        fprintf(stream, "%c%c%c%c", (int)(0xF0 | character >> 18),
                (int)(0x80 | (character >> 12 & 0x3F)), (int)(0x80 | (character >> 6 & 0x3F)),
                (int)(0x80 | (character & 0x3F)));
}

static void print_line(const struct p11prof_canvas *canvas, size_t y, FILE *stream,
                       const struct p11prof_chart_style *style)
{
    static const char *const colours[] = {
        [P11PROF_INK_PLAIN] = "\033[0m", [P11PROF_INK_FRAME] = "\033[2m",
        [P11PROF_INK_BAR] = "\033[36m",  [P11PROF_INK_MARK] = "\033[33m",
        [P11PROF_INK_BAD] = "\033[31m",
    };
    const struct p11prof_canvas_cell *cells = canvas->cells + y * canvas->width;
    enum p11prof_ink ink = P11PROF_INK_PLAIN;
    size_t end = canvas->width;
    while (end > 0 && (cells[end - 1].character == 0 || cells[end - 1].character == ' '))
        end--;
    for (size_t x = 0; x < end; x++) {
        if (style->colour && cells[x].character != 0 && cells[x].ink != ink) {
            if (ink != P11PROF_INK_PLAIN && cells[x].ink != P11PROF_INK_PLAIN)
                fputs(colours[P11PROF_INK_PLAIN], stream);
            ink = cells[x].ink;
            fputs(colours[ink], stream);
        }
        put_character(stream, cells[x].character, style->ascii);
    }
    if (ink != P11PROF_INK_PLAIN)
        fputs(colours[P11PROF_INK_PLAIN], stream);
    putc('\n', stream);
}

void p11prof_canvas_print(const struct p11prof_canvas *canvas, FILE *stream,
                          const struct p11prof_chart_style *style)
{
    for (size_t y = 0; y < canvas->height; y++)
        print_line(canvas, y, stream, style);
}
