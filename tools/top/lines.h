/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What a view shows, as lines of text: the same on a terminal and with --once. */
#ifndef P11PROF_TOP_LINES_H
#define P11PROF_TOP_LINES_H

#include "figures.h"

#include <stdio.h>

enum top_page { TOP_PAGE_FUNCTIONS, TOP_PAGE_PROCESSES };

/* What the rows are sorted by, and the key that says so. */
struct top_sort {
    int key;
    const char *label;
    const char *columns[2]; /* of enum top_page; NULL: that page has none */
};
enum { TOP_SORTS = 6 };
extern const struct top_sort top_sorts[TOP_SORTS];

/* Two lines about all. */
void top_lines_head(FILE *stream, const struct top_figures *figures);

/* The table of a page, a heading and its rows, as wide as fits; width 0: any. Sorts the rows. */
void top_lines_table(FILE *stream, struct top_figures *figures, enum top_page page,
                     const struct top_sort *sort, size_t width);

#endif
