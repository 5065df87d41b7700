/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Random numbers and durations for tests: the same ones for the same seed. */
#ifndef P11PROF_TEST_DRAWS_H
#define P11PROF_TEST_DRAWS_H

#include <math.h>
#include <stdint.h>

static uint64_t draw_state = 1;

static inline void draw_seed(uint64_t seed)
{
    draw_state = seed * UINT64_C(0x9E3779B97F4A7C15) + 1;
}

/* Between 0 and 1, neither of both. */
static inline double draw_uniform(void)
{
    draw_state = draw_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return ((double)(draw_state >> 11) + 0.5) / 0x1p53;
}

/* Lognormal with that median. */
static inline double draw_lognormal(double median, double deviation)
{
    double normal = sqrt(-2 * log(draw_uniform())) * cos(2 * M_PI * draw_uniform());
    return median * exp(deviation * normal);
}

#endif
