/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "round_steps.h"
#include "units.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#define SECOND_NS UINT64_C(1000000000)
#define MINUTE_NS (60 * SECOND_NS)
#define HOUR_NS   (60 * MINUTE_NS)
#define DAY_NS    (24 * HOUR_NS)

struct round {
    double factor;
    uint64_t unit_ns; /* 0: the end */
};

/* Those of 1 s and more. Days go on in tens. */
static const struct round steps[] = {
    {1, SECOND_NS},   {1.5, SECOND_NS}, {2, SECOND_NS},  {3, SECOND_NS},  {4, SECOND_NS},
    {5, SECOND_NS},   {6, SECOND_NS},   {8, SECOND_NS},  {10, SECOND_NS}, {12, SECOND_NS},
    {15, SECOND_NS},  {20, SECOND_NS},  {30, SECOND_NS}, {40, SECOND_NS}, {1, MINUTE_NS},
    {1.5, MINUTE_NS}, {2, MINUTE_NS},   {3, MINUTE_NS},  {4, MINUTE_NS},  {5, MINUTE_NS},
    {6, MINUTE_NS},   {8, MINUTE_NS},   {10, MINUTE_NS}, {12, MINUTE_NS}, {15, MINUTE_NS},
    {20, MINUTE_NS},  {30, MINUTE_NS},  {40, MINUTE_NS}, {1, HOUR_NS},    {1.5, HOUR_NS},
    {2, HOUR_NS},     {3, HOUR_NS},     {4, HOUR_NS},    {6, HOUR_NS},    {8, HOUR_NS},
    {12, HOUR_NS},    {16, HOUR_NS},    {1, DAY_NS},     {1.5, DAY_NS},   {2, DAY_NS},
    {3, DAY_NS},      {4, DAY_NS},      {5, DAY_NS},     {6, DAY_NS},     {8, DAY_NS},
    {0, 0},
};
static const struct round ticks[] = {
    {1, SECOND_NS}, {2, SECOND_NS}, {5, SECOND_NS}, {10, SECOND_NS}, {30, SECOND_NS},
    {1, MINUTE_NS}, {2, MINUTE_NS}, {5, MINUTE_NS}, {10, MINUTE_NS}, {30, MINUTE_NS},
    {1, HOUR_NS},   {2, HOUR_NS},   {6, HOUR_NS},   {12, HOUR_NS},   {1, DAY_NS},
    {2, DAY_NS},    {5, DAY_NS},    {0, 0},
};
/* Below 1 s, in each decade. */
static const unsigned step_tenths[] = {10, 15, 20, 30, 40, 50, 60, 80, 0};
static const unsigned tick_tenths[] = {10, 20, 50, 0};

uint64_t p11prof_step_count(uint64_t duration_ns, uint64_t step_ns)
{
    return duration_ns == 0 ? 1 : (duration_ns - 1) / step_ns + 1;
}

static int fits(uint64_t step_ns, uint64_t duration_ns, size_t most, uint64_t least_ns)
{
    return step_ns >= least_ns && (least_ns == 0 || step_ns % least_ns == 0) &&
           p11prof_step_count(duration_ns, step_ns) <= most;
}

static uint64_t choose(const struct round *rounds, const unsigned *tenths, uint64_t duration_ns,
                       size_t most, uint64_t least_ns)
{
    for (uint64_t decade = 1; decade < SECOND_NS; decade *= 10)
        for (const unsigned *tenth = tenths; *tenth; tenth++)
            if (decade * *tenth % 10 == 0 &&
                fits(decade * *tenth / 10, duration_ns, most, least_ns))
                return decade * *tenth / 10;
    for (const struct round *round = rounds; round->unit_ns; round++) {
        uint64_t step_ns = (uint64_t)(round->factor * (double)round->unit_ns);
        if (fits(step_ns, duration_ns, most, least_ns))
            return step_ns;
    }
    uint64_t step_ns =
        least_ns > 0 ? (10 * DAY_NS + least_ns - 1) / least_ns * least_ns : 10 * DAY_NS;
    while (p11prof_step_count(duration_ns, step_ns) > most)
        step_ns += step_ns;
    return step_ns;
}

uint64_t p11prof_round_step(uint64_t duration_ns, size_t most, uint64_t least_ns)
{
    return choose(steps, step_tenths, duration_ns, most, least_ns);
}

uint64_t p11prof_round_tick(uint64_t duration_ns, size_t most)
{
    return choose(ticks, tick_tenths, duration_ns, most, 0);
}

void p11prof_format_tick(char *out, uint64_t ns, uint64_t tick_ns)
{
    static const struct {
        uint64_t ns;
        const char *name;
    } units[] = {{DAY_NS, "d"},   {HOUR_NS, "h"}, {MINUTE_NS, "m"}, {SECOND_NS, "s"},
                 {1000000, "ms"}, {1000, "us"},   {1, "ns"}};
    size_t unit = 0;
    while (tick_ns % units[unit].ns != 0)
        unit++;
    if (ns == 0)
        snprintf(out, P11PROF_UNIT_TEXT_BYTES, "0");
    else
        snprintf(out, P11PROF_UNIT_TEXT_BYTES, "%" PRIu64 " %s", ns / units[unit].ns,
                 units[unit].name);
}

static const double mantissas[] = {1, 1.5, 2, 3, 5, 7, 10};
enum { MANTISSAS = sizeof mantissas / sizeof mantissas[0] };

double p11prof_round_up(double value)
{
    if (value <= 0)
        return 0;
    double decade = pow(10, floor(log10(value)));
    for (size_t i = 0; i < MANTISSAS; i++)
        if (mantissas[i] * decade >= value * (1 - 1e-12))
            return mantissas[i] * decade;
    return 10 * decade;
}

double p11prof_round_down(double value)
{
    double decade = pow(10, floor(log10(value)));
    for (size_t i = MANTISSAS; i-- > 0;)
        if (mantissas[i] * decade <= value * (1 + 1e-12))
            return mantissas[i] * decade;
    return decade;
}
