/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "units.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct scale {
    const char *unit;
    double size;
    double below; /* the scale holds for what is less, once rounded */
};

/* 59.95 s would round to 60.0 s, 999.5 us to 1000 us: the next scale has them. */
static const struct scale time_scales[] = {
    {"us", 1e3, 999.5e3}, {"ms", 1e6, 999.5e6}, {"s", 1e9, 59.95e9},
    {"m", 60e9, 3597e9},  {"h", 3600e9, 0},
};
static const struct scale byte_scales[] = {
    {"KB", 0x1p10, 999.5 * 0x1p10},
    {"MB", 0x1p20, 999.5 * 0x1p20},
    {"GB", 0x1p30, 999.5 * 0x1p30},
    {"TB", 0x1p40, 0},
};

/* Decimals that make three digits of `value`, as it is after rounding. */
static int decimals(double value)
{
    return value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
}

static void format_scaled(char *out, double value, const struct scale *scale)
{
    while (scale->below > 0 && value >= scale->below)
        scale++;
    value /= scale->size;
    snprintf(out, P11PROF_UNIT_TEXT_BYTES, "%.*f %s", decimals(value), value, scale->unit);
}

void p11prof_format_ns(char *out, uint64_t ns)
{
    if (ns < 1000)
        snprintf(out, P11PROF_UNIT_TEXT_BYTES, "%u ns", (unsigned)ns);
    else
        format_scaled(out, (double)ns, time_scales);
}

bool p11prof_parse_ns(const char *text, uint64_t *out_ns)
{
    static const struct {
        const char *name;
        double size_ns;
    } units[] = {{"ns", 1},     {"us", 1e3},    {"\u00B5s", 1e3}, {"\u03BCs", 1e3},
                 {"ms", 1e6},   {"s", 1e9},     {"m", 60e9},      {"min", 60e9},
                 {"h", 3600e9}, {"d", 86400e9}, {"w", 604800e9}};
    char *unit;
    if (text[0] < '0' || text[0] > '9' || text[1] == 'x' || text[1] == 'X')
        return false;
    double value = strtod(text, &unit);
    unit += strspn(unit, " ");
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        double ns = value * units[i].size_ns + 0.5;
        if (strcmp(unit, units[i].name) != 0)
            continue;
        if (ns < 0x1p63)
            *out_ns = (uint64_t)ns;
        return ns < 0x1p63;
    }
    return false;
}

void p11prof_format_moment(char *out, uint64_t ns)
{
    snprintf(out, P11PROF_UNIT_TEXT_BYTES, "%" PRIu64 ".%06u s", ns / 1000000000,
             (unsigned)(ns / 1000 % 1000000));
}

static uint64_t rounded(uint64_t ns, unsigned digits)
{
    uint64_t limit = 1, unit = 1;
    while (digits-- > 0)
        limit *= 10;
    while (ns / unit >= limit)
        unit *= 10;
    uint64_t half = unit / 2;
    return ns > UINT64_MAX - half ? ns : (ns + half) / unit * unit;
}

void p11prof_format_round_ns(char *out, uint64_t ns, unsigned digits)
{
    static const char *const names[] = {"ns", "us", "ms", "s"};
    uint64_t size = 1, whole = rounded(ns, digits);
    int unit = 0, decimals;
    for (; unit < 3 && whole / size >= 1000; unit++)
        size *= 1000;
    uint64_t part = whole % size;
    for (decimals = 3 * unit; decimals > 0 && part % 10 == 0; decimals--)
        part /= 10;
    snprintf(out, P11PROF_UNIT_TEXT_BYTES, "%.*f %s", decimals, (double)whole / (double)size,
             names[unit]);
}

void p11prof_format_bytes(char *out, uint64_t bytes)
{
    if (bytes < 1024)
        snprintf(out, P11PROF_UNIT_TEXT_BYTES, "%u B", (unsigned)bytes);
    else
        format_scaled(out, (double)bytes, byte_scales);
}

void p11prof_format_share(char *out, double ratio)
{
    double percent = 100 * ratio;
    if (percent > 0 && percent < 0.1)
        snprintf(out, P11PROF_UNIT_TEXT_BYTES, "<0.1 %%");
    else
        snprintf(out, P11PROF_UNIT_TEXT_BYTES, "%.1f %%", percent);
}

void p11prof_format_change(char *out, double ratio)
{
    double percent = 100 * ratio, size = percent < 0 ? -percent : percent;
    if (size < 0.005)
        snprintf(out, P11PROF_UNIT_TEXT_BYTES, "0.00 %%");
    else if (size < 1e6)
        snprintf(out, P11PROF_UNIT_TEXT_BYTES, "%+.*f %%", decimals(size), percent);
    else
        snprintf(out, P11PROF_UNIT_TEXT_BYTES, "%+.2g %%", percent);
}

void p11prof_format_rate(char *out, double per_second)
{
    if (per_second >= 0.995)
        snprintf(out, P11PROF_UNIT_TEXT_BYTES, "%.*f", decimals(per_second), per_second);
    else
        snprintf(out, P11PROF_UNIT_TEXT_BYTES, "%.3g", per_second);
}
