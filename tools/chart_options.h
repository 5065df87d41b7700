/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The options of commands that draw: how wide, in which characters, in colour or not. */
#ifndef P11PROF_TOOLS_CHART_OPTIONS_H
#define P11PROF_TOOLS_CHART_OPTIONS_H

#include "options.h"
#include "report/canvas.h"
#include "report/writer.h"

enum {
    P11PROF_CHART_ID_WIDTH = 0x300,
    P11PROF_CHART_ID_ASCII,
    P11PROF_CHART_ID_COLOUR,
    P11PROF_CHART_ID_END,
};

/* Entries of a command's table of options. */
#define P11PROF_OPTIONS_CHART                                                                      \
    {"width", P11PROF_CHART_ID_WIDTH, "N", "columns of a line (default: the terminal, or 80)"},    \
        {"ascii", P11PROF_CHART_ID_ASCII, NULL, "draw with ASCII (default: if the locale is)"},    \
    {                                                                                              \
        "color", P11PROF_CHART_ID_COLOUR, "WHEN", "always, never or auto (default)",               \
            P11PROF_VALUE_WORDS, "always never auto"                                               \
    }

/* Starts as {0}. */
struct p11prof_chart_options {
    size_t width; /* 0: not said */
    bool ascii;
    enum { P11PROF_COLOUR_AUTO, P11PROF_COLOUR_ALWAYS, P11PROF_COLOUR_NEVER } colour;
};

/* Whether an option is one of them. */
bool p11prof_is_chart_option(int id);

/* Takes one of them; false if its value is bad, after it said so. */
bool p11prof_chart_option(struct p11prof_chart_options *out, int id, const char *value);

/* How a chart on this stream looks: as the options say, else as fits its terminal, COLUMNS, the
 * locale, NO_COLOR and TERM. Markdown has no colours, and data no terminal's width. */
struct p11prof_chart_style p11prof_chart_style_choose(const struct p11prof_chart_options *options,
                                                      FILE *stream, enum p11prof_format format);

#endif
