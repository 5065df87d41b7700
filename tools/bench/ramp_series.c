/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "ramp.h"

#include "../report/allocate.h"
#include "amounts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { RATE_STEPS = 12, RATE_DIGITS = 2, RATE_DIGITS_FINE = 4 };
static const double coarse_ratio = 1.1;

static uint64_t most_of(enum p11prof_ramp_of of)
{
    return of == P11PROF_RAMP_THREADS ? BENCH_THREADS_MOST : BENCH_PROCESSES_MOST;
}

double ramp_round(double value, unsigned digits)
{
    if (!(value > 0))
        return 0;
    double unit = pow(10, floor(log10(value)) - (digits - 1));
    double rounded = round(value / unit) * unit;
    /* A unit below 1 is no double: what it divides is. */
    return unit < 1 ? round(value / unit) / round(1 / unit) : rounded;
}

/* --- steps --- */

/* Keeps them in ascending order, each once; false: there is no room. */
static bool add(struct bench_ramp *ramp, double value)
{
    unsigned place = ramp->count;
    while (place > 0 && ramp->values[place - 1] > value)
        place--;
    if (place > 0 && ramp->values[place - 1] == value)
        return true;
    if (ramp->count == BENCH_RAMP_MOST)
        return false;
    memmove(&ramp->values[place + 1], &ramp->values[place],
            (ramp->count - place) * sizeof *ramp->values);
    ramp->values[place] = value;
    ramp->count++;
    return true;
}

/* 1 2 3 4 6 8 12 16 …, of which those between the ends count. */
static void counts_add(struct bench_ramp *ramp, double low, double high)
{
    add(ramp, low);
    for (double power = 1; power <= high; power *= 2) {
        if (power > low)
            add(ramp, power);
        if (power > 1 && power * 1.5 > low && power * 1.5 < high)
            add(ramp, power * 1.5);
    }
    add(ramp, high);
}

static void rates_add(struct bench_ramp *ramp, double low, double high)
{
    double ratio = pow(high / low, 1.0 / (RATE_STEPS - 1)), rate = low;
    add(ramp, low);
    for (unsigned i = 1; i < RATE_STEPS - 1; i++) {
        rate *= ratio;
        double rounded = ramp_round(rate, ratio > coarse_ratio ? RATE_DIGITS : RATE_DIGITS_FINE);
        if (rounded > low && rounded < high)
            add(ramp, rounded);
    }
    add(ramp, high);
}

/* --- words --- */

static bool read_value(const char *text, enum p11prof_ramp_of of, double *out)
{
    uint64_t number = 0;
    if (of == P11PROF_RAMP_RATE)
        return amounts_rate(text, out);
    bool read = amounts_number(text, &number);
    *out = (double)number;
    return read && number >= 1 && number <= most_of(of);
}

static bool read_range(struct bench_ramp *out, char *text, char *dots)
{
    double low, high;
    *dots = '\0';
    if (!read_value(text, out->of, &low) || !read_value(dots + 2, out->of, &high) || low >= high)
        return false;
    out->range = true;
    (out->of == P11PROF_RAMP_RATE ? rates_add : counts_add)(out, low, high);
    return true;
}

static bool read_list(struct bench_ramp *out, char *text)
{
    double value;
    for (char *word; (word = strsep(&text, ","));)
        if (!read_value(word, out->of, &value) || !add(out, value))
            return false;
    return true;
}

enum p11prof_status ramp_read(struct bench_ramp *out, const char *text, struct p11prof_error *error)
{
    char *copy = p11prof_copy(text), *values = strchr(copy, '=');
    bool good = values != NULL;
    out->count = 0;
    out->range = false;
    if (good)
        *values++ = '\0';
    good = good && p11prof_ramp_named(copy, &out->of);
    char *dots = good ? strstr(values, "..") : NULL;
    good = good && (dots ? read_range(out, values, dots) : read_list(out, values));
    free(copy);
    if (good)
        return P11PROF_OK;
    return p11prof_error_set(error, P11PROF_BAD_INPUT,
                             "--ramp wants threads=1..64, processes=1..8 or rate=100..5000 (up to "
                             "%d threads, %d processes), or up to %d values with commas between, "
                             "not '%.80s'",
                             BENCH_THREADS_MOST, BENCH_PROCESSES_MOST, BENCH_RAMP_MOST, text);
}
