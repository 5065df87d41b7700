/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* A drawing of characters: a rectangle of cells that bars and texts are put into, and that is
 * printed line by line. What lies outside is left out. Pure but for printing. Starts as {0}. */
#ifndef P11PROF_REPORT_CANVAS_H
#define P11PROF_REPORT_CANVAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* How charts look. */
struct p11prof_chart_style {
    size_t width; /* columns of a line */
    bool ascii;   /* no other characters */
    bool colour;
};

enum p11prof_ink {
    P11PROF_INK_PLAIN,
    P11PROF_INK_FRAME, /* axes and their labels */
    P11PROF_INK_BAR,
    P11PROF_INK_MARK,
    P11PROF_INK_BAD,
};

struct p11prof_canvas {
    size_t width, height;
    struct p11prof_canvas_cell {
        uint32_t character; /* 0: blank */
        enum p11prof_ink ink;
    } * cells; /* line by line, from the top */
};

/* An empty one of that size. */
void p11prof_canvas_make(struct p11prof_canvas *canvas, size_t width, size_t height);
void p11prof_canvas_clear(struct p11prof_canvas *canvas);

void p11prof_canvas_put(struct p11prof_canvas *canvas, size_t x, size_t y, enum p11prof_ink ink,
                        uint32_t character);

/* UTF-8 that starts, or ends before, column x. */
void p11prof_canvas_text(struct p11prof_canvas *canvas, size_t x, size_t y, enum p11prof_ink ink,
                         const char *text);
void p11prof_canvas_text_before(struct p11prof_canvas *canvas, size_t x, size_t y,
                                enum p11prof_ink ink, const char *text);

/* A bar from (x, y) to the right that fills `share` of `length` cells; more than nothing shows. */
void p11prof_canvas_bar(struct p11prof_canvas *canvas, size_t x, size_t y, size_t length,
                        enum p11prof_ink ink, double share, bool ascii);

/* The same from the line y + height - 1 up. */
void p11prof_canvas_column(struct p11prof_canvas *canvas, size_t x, size_t y, size_t height,
                           enum p11prof_ink ink, double share, bool ascii);

/* Prints all lines without the blanks at their ends. ascii: what is not ASCII becomes the nearest
 * character that is, or '?'. */
void p11prof_canvas_print(const struct p11prof_canvas *canvas, FILE *stream,
                          const struct p11prof_chart_style *style);

/* The character for one that is not ASCII. */
char p11prof_ascii_character(uint32_t character);

#endif
