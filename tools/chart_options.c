/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "chart_options.h"
#include "message.h"
#include "report/histogram_draw.h"

#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DEFAULT_WIDTH = 80 };

bool p11prof_is_chart_option(int id)
{
    return id >= P11PROF_CHART_ID_WIDTH && id < P11PROF_CHART_ID_END;
}

static bool take_width(struct p11prof_chart_options *out, const char *value)
{
    uint64_t width;
    if (!p11prof_option_number("width", value, UINT32_MAX, &width))
        return false;
    out->width = (size_t)width;
    if (width >= P11PROF_CHART_WIDTH_LEAST && width <= P11PROF_CHART_WIDTH_MOST)
        return true;
    p11prof_complain(0, "--width is from %d to %d", P11PROF_CHART_WIDTH_LEAST,
                     P11PROF_CHART_WIDTH_MOST);
    return false;
}

static bool take_colour(struct p11prof_chart_options *out, const char *value)
{
    static const char *const words[] = {[P11PROF_COLOUR_AUTO] = "auto",
                                        [P11PROF_COLOUR_ALWAYS] = "always",
                                        [P11PROF_COLOUR_NEVER] = "never"};
    unsigned i = 0;
    while (i < sizeof words / sizeof words[0] && strcmp(words[i], value) != 0)
        i++;
    out->colour = i;
    return i < sizeof words / sizeof words[0];
}

bool p11prof_chart_option(struct p11prof_chart_options *out, int id, const char *value)
{
    switch (id) {
    case P11PROF_CHART_ID_WIDTH:
        return take_width(out, value);
    case P11PROF_CHART_ID_COLOUR:
        return take_colour(out, value);
    default:
        out->ascii = true;
        return true;
    }
}

static size_t surrounding_width(FILE *stream)
{
    size_t width = p11prof_terminal_width(stream);
    const char *columns = getenv("COLUMNS");
    if (width == 0 && columns)
        width = strtoul(columns, NULL, 10);
    if (width == 0)
        return DEFAULT_WIDTH;
    if (width < P11PROF_CHART_WIDTH_LEAST)
        return P11PROF_CHART_WIDTH_LEAST;
    return width > P11PROF_CHART_WIDTH_MOST ? P11PROF_CHART_WIDTH_MOST : width;
}

static bool locale_is_ascii(void)
{
    setlocale(LC_CTYPE, "");
    bool ascii = strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
    setlocale(LC_CTYPE, "C");
    return ascii;
}

static bool is_colourful(FILE *stream)
{
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    return isatty(fileno(stream)) && !(no_color && no_color[0]) && term && term[0] &&
           strcmp(term, "dumb") != 0;
}

struct p11prof_chart_style p11prof_chart_style_choose(const struct p11prof_chart_options *options,
                                                      FILE *stream, enum p11prof_format format)
{
    struct p11prof_chart_style style = {.width = options->width, .ascii = options->ascii};
    bool data = format == P11PROF_FORMAT_CSV || format == P11PROF_FORMAT_JSON;
    if (style.width == 0)
        style.width = data ? DEFAULT_WIDTH : surrounding_width(stream);
    style.ascii = style.ascii || locale_is_ascii();
    style.colour = format == P11PROF_FORMAT_TEXT &&
                   (options->colour == P11PROF_COLOUR_ALWAYS ||
                    (options->colour == P11PROF_COLOUR_AUTO && is_colourful(stream)));
    return style;
}
