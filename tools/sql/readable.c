/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "readable.h"
#include "arguments.h"
#include "report/units.h"

#include <math.h>
#include <string.h>

enum { BAR_WIDTH = 40, BAR_MOST = 1000, EIGHTHS = 8, BLOCK_BYTES = 3 };

/* Of a number: its amount, to the nearest ns. */
static uint64_t amount_ns(sqlite3_value *value, int type)
{
    int64_t integer = sqlite3_value_int64(value);
    double real = fabs(sqlite3_value_double(value));
    if (type == SQLITE_INTEGER)
        return integer < 0 ? -(uint64_t)integer : (uint64_t)integer;
    return real < 0x1p63 ? (uint64_t)(real + 0.5) : INT64_MAX;
}

void p11prof_duration(sqlite3_context *context, int count, sqlite3_value **arguments)
{
    (void)count;
    char text[1 + P11PROF_UNIT_TEXT_BYTES] = "-";
    if (p11prof_argument_is_null(arguments[0]))
        return;
    int type = p11prof_argument_number(context, arguments[0]);
    if (type == 0)
        return;
    uint64_t ns = amount_ns(arguments[0], type);
    bool negative = ns > 0 && sqlite3_value_double(arguments[0]) < 0;
    p11prof_format_ns(text + 1, ns);
    sqlite3_result_text(context, negative ? text : text + 1, -1, SQLITE_TRANSIENT);
}

void p11prof_duration_ns(sqlite3_context *context, int count, sqlite3_value **arguments)
{
    (void)count;
    uint64_t ns;
    if (p11prof_argument_is_null(arguments[0]))
        return;
    const char *text = (const char *)sqlite3_value_text(arguments[0]);
    if (!text)
        sqlite3_result_error_nomem(context);
    else if (p11prof_parse_ns(text, &ns))
        p11prof_result_ns(context, ns);
    else
        p11prof_argument_wrong(
            context, arguments[0],
            "is no duration: a number and ns, us, ms, s, m, h, d or w, as '1.5ms'");
}

static void result_bar(sqlite3_context *context, size_t eighths)
{
    static const char blocks[EIGHTHS][BLOCK_BYTES + 1] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    char bar[BAR_MOST * BLOCK_BYTES + 1] = "";
    size_t full = eighths / EIGHTHS;
    for (size_t i = 0; i < full; i++)
        memcpy(bar + i * BLOCK_BYTES, "█", BLOCK_BYTES);
    strcpy(bar + full * BLOCK_BYTES, blocks[eighths % EIGHTHS]);
    sqlite3_result_text(context, bar, -1, SQLITE_TRANSIENT);
}

static size_t bar_eighths(double value, double max, int64_t width)
{
    double all = (double)width * EIGHTHS;
    if (!(value > 0) || !(max > 0))
        return 0;
    if (value >= max)
        return (size_t)all;
    size_t eighths = (size_t)(value / max * all + 0.5);
    return eighths > 0 ? eighths : 1;
}

void p11prof_bar(sqlite3_context *context, int count, sqlite3_value **arguments)
{
    int64_t width = BAR_WIDTH;
    for (int i = 0; i < count; i++)
        if (p11prof_argument_is_null(arguments[i]))
            return;
    for (int i = 0; i < count; i++)
        if (p11prof_argument_number(context, arguments[i]) == 0)
            return;
    if (count == 3)
        width = sqlite3_value_int64(arguments[2]);
    if (width < 1 || width > BAR_MOST) {
        p11prof_argument_wrong(context, arguments[2], "is no width from 1 to 1000");
        return;
    }
    result_bar(context, bar_eighths(sqlite3_value_double(arguments[0]),
                                    sqlite3_value_double(arguments[1]), width));
}
