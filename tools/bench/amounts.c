/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "amounts.h"

#include "p11prof/config.h"
#include "report/moments.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool amounts_number(const char *text, uint64_t *out)
{
    char *end;
    bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    errno = 0;
    *out = strtoull(text, &end, hex ? 16 : 10);
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0;
}

bool amounts_time(const char *text, uint64_t *out_ns)
{
    static const uint64_t year_ns = UINT64_C(366) * 24 * 3600 * 1000000000;
    return p11prof_read_duration(text, out_ns) && *out_ns > 0 && *out_ns <= year_ns;
}

/* Digits with at most one point among them; strtod() would take more. */
static bool decimal_read(const char **text, double *out)
{
    const char *at = *text + strspn(*text, "0123456789");
    bool digits = at > *text;
    if (*at == '.') {
        size_t behind = strspn(at + 1, "0123456789");
        digits = digits && behind > 0;
        at += 1 + behind;
    }
    char *copy = digits ? strndup(*text, (size_t)(at - *text)) : NULL;
    *out = copy ? strtod(copy, NULL) : 0;
    free(copy);
    *text = at;
    return digits;
}

bool amounts_rate(const char *text, double *out_per_s)
{
    static const struct {
        const char *unit;
        double seconds;
    } units[] = {{"", 1}, {"/s", 1}, {"/m", 60}, {"/min", 60}, {"/h", 3600}};
    if (!decimal_read(&text, out_per_s))
        return false;
    if (*text == 'k') {
        *out_per_s *= 1000;
        text++;
    }
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (strcmp(text, units[i].unit) == 0) {
            *out_per_s /= units[i].seconds;
            return *out_per_s <= 1e6 && *out_per_s >= 1.0 / 3600;
        }
    return false;
}

bool amounts_size(const char *text, uint64_t *out_bytes)
{
    return p11prof_config_parse_size(text, out_bytes) && *out_bytes > 0;
}

bool amounts_percent(const char *text, double *out)
{
    char *end;
    if (text[0] < '0' || text[0] > '9' || text[1] == 'x' || text[1] == 'X')
        return false;
    *out = strtod(text, &end) / 100;
    return *out <= 10 && (strcmp(end, "%") == 0 || (*out == 0 && *end == '\0'));
}

bool amounts_read(const char *text, struct bench_amount *out)
{
    uint64_t value;
    *out = (struct bench_amount){0};
    if (amounts_number(text, &value))
        out->count = value;
    else if (amounts_time(text, &value))
        out->ns = value;
    else
        return false;
    return true;
}

static bool list_has(const struct bench_list *list, uint64_t value)
{
    for (unsigned i = 0; i < list->count; i++)
        if (list->values[i] == value)
            return true;
    return false;
}

bool amounts_list(const char *text, uint64_t most, bool (*read)(const char *, uint64_t *),
                  struct bench_list *out)
{
    char *copy = strdup(text), *rest = copy;
    bool good = copy != NULL;
    out->count = 0;
    for (char *word; good && (word = strsep(&rest, ","));) {
        uint64_t value = 0;
        good = read(word, &value) && value >= 1 && value <= most;
        if (!good || list_has(out, value))
            continue;
        good = out->count < BENCH_LIST_MOST;
        if (good)
            out->values[out->count++] = value;
    }
    free(copy);
    return good && out->count > 0;
}
