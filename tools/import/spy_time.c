/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "import/spy_time.h"

#include <string.h>
#include <time.h>

enum { MINUTE_CHARACTERS = 16, MILLISECOND_NS = 1000000 };

static bool has_shape(const char *text, const char *shape)
{
    for (; *shape; text++, shape++)
        if (*shape == '0' ? *text < '0' || *text > '9' : *text != *shape)
            return false;
    return *text == '\0';
}

static int number(const char *digits, int count)
{
    int value = 0;
    while (count-- > 0)
        value = value * 10 + (*digits++ - '0');
    return value;
}

static bool minute_read(struct p11prof_spy_clock *clock, const char *line)
{
    struct tm local = {.tm_year = number(line, 4) - 1900,
                       .tm_mon = number(line + 5, 2) - 1,
                       .tm_mday = number(line + 8, 2),
                       .tm_hour = number(line + 11, 2),
                       .tm_min = number(line + 14, 2),
                       .tm_isdst = -1};
    struct tm asked = local;
    time_t seconds = mktime(&local);
    if (seconds <= 0 || local.tm_mday != asked.tm_mday || local.tm_mon != asked.tm_mon ||
        local.tm_min != asked.tm_min || local.tm_year > 2262 - 1900)
        return false;
    memcpy(clock->minute, line, MINUTE_CHARACTERS);
    clock->minute_ns = (uint64_t)seconds * 1000 * MILLISECOND_NS;
    return true;
}

bool p11prof_spy_time(struct p11prof_spy_clock *clock, const char *line, uint64_t *wall_ns)
{
    if (!has_shape(line, "0000-00-00 00:00:00.000"))
        return false;
    if (strncmp(clock->minute, line, MINUTE_CHARACTERS) != 0 && !minute_read(clock, line))
        return false;
    int second = number(line + 17, 2);
    if (second > 60)
        return false;
    *wall_ns = clock->minute_ns + (uint64_t)(second * 1000 + number(line + 20, 3)) * MILLISECOND_NS;
    return true;
}
