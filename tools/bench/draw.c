/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "draw.h"

#include <math.h>

/* splitmix64 (Steele, Lea, Flood 2014). */
uint64_t draw_next(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

/* Generators that start next to each other would repeat each other: their starts are scattered. */
uint64_t draw_seed(uint64_t seed, unsigned process, unsigned thread, unsigned phase)
{
    uint64_t place = (uint64_t)process << 40 | (uint64_t)thread << 8 | phase;
    uint64_t state = draw_next(&seed) ^ place;
    return draw_next(&state);
}

void draw_limits(uint64_t *limits, const double *weights, unsigned count)
{
    double sum = 0, before = 0;
    for (unsigned i = 0; i < count; i++)
        sum += weights[i];
    for (unsigned i = 0; i + 1 < count; i++) {
        before += weights[i];
        limits[i] = (uint64_t)fmin(before / sum * 0x1p64, 0x1.fffffffffffffp63);
    }
    limits[count - 1] = UINT64_MAX;
}

unsigned draw_choose(uint64_t *state, const uint64_t *limits, unsigned count)
{
    uint64_t drawn = draw_next(state);
    unsigned i = 0;
    while (i + 1 < count && drawn >= limits[i])
        i++;
    return i;
}
