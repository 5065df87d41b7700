/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "moments.h"
#include "units.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static bool is_digit(char character)
{
    return character >= '0' && character <= '9';
}

bool p11prof_read_duration(const char *text, uint64_t *out_ns)
{
    static const uint64_t most_ns = UINT64_C(100) * 366 * 24 * 3600 * 1000000000;
    char seconds[64];
    bool plain = is_digit(text[0]) && text[strspn(text, "0123456789.")] == '\0';
    snprintf(seconds, sizeof seconds, "%ss", text);
    return p11prof_parse_ns(plain ? seconds : text, out_ns) && *out_ns <= most_ns;
}

/* ".25Z" and "" are fractions of a second; false if something follows. */
static bool read_fraction(const char *text, int64_t *ns)
{
    *ns = 0;
    if (*text == '.' && is_digit(text[1])) {
        text++;
        for (int64_t digit_ns = 100000000; is_digit(*text); digit_ns /= 10)
            *ns += (*text++ - '0') * digit_ns;
    }
    return strcmp(text, "") == 0 || strcmp(text, "Z") == 0;
}

static bool read_utc(const char *text, int64_t *ns)
{
    static const char *const forms[] = {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M",
                                        "%Y-%m-%d %H:%M", "%Y-%m-%d"};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        struct tm parts = {.tm_isdst = 0};
        int64_t fraction_ns;
        const char *rest = strptime(text, forms[i], &parts);
        if (!rest || !read_fraction(rest, &fraction_ns))
            continue;
        if (parts.tm_year < 70 || parts.tm_year >= 300)
            return false;
        *ns = (int64_t)timegm(&parts) * 1000000000 + fraction_ns;
        return true;
    }
    return false;
}

bool p11prof_read_moment(const char *text, struct p11prof_moment *out)
{
    uint64_t ns;
    bool back = text[0] == '-';
    out->text = text;
    if (p11prof_read_duration(text + back, &ns)) {
        out->kind = back ? P11PROF_MOMENT_BEFORE_END : P11PROF_MOMENT_SINCE_START;
        out->ns = (int64_t)ns;
        return true;
    }
    out->kind = P11PROF_MOMENT_UTC;
    return read_utc(text, &out->ns);
}

int64_t p11prof_moment_in_run(const struct p11prof_moment *moment, int64_t start_wall_ns,
                              int64_t duration_ns)
{
    switch (moment->kind) {
    case P11PROF_MOMENT_BEFORE_END:
        return duration_ns - moment->ns;
    case P11PROF_MOMENT_UTC:
        return moment->ns - start_wall_ns;
    case P11PROF_MOMENT_NONE:
    case P11PROF_MOMENT_SINCE_START:
        break;
    }
    return moment->ns;
}

uint64_t p11prof_moments_overlap_ns(const struct p11prof_moment *since,
                                    const struct p11prof_moment *until, int64_t start_wall_ns,
                                    int64_t duration_ns)
{
    int64_t first_ns = 0, end_ns = duration_ns;
    if (since->kind != P11PROF_MOMENT_NONE)
        first_ns = p11prof_moment_in_run(since, start_wall_ns, duration_ns);
    if (until->kind != P11PROF_MOMENT_NONE)
        end_ns = p11prof_moment_in_run(until, start_wall_ns, duration_ns);
    first_ns = first_ns > 0 ? first_ns : 0;
    end_ns = end_ns < duration_ns ? end_ns : duration_ns;
    return end_ns > first_ns ? (uint64_t)(end_ns - first_ns) : 0;
}

void p11prof_format_utc(char *out, int64_t wall_ns)
{
    time_t seconds = (time_t)(wall_ns / 1000000000);
    struct tm parts;
    char text[24];
    gmtime_r(&seconds, &parts);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(out, P11PROF_UTC_BYTES, "%s.%03dZ", text, (int)(wall_ns / 1000000 % 1000));
}
