/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The draws of a mix: as often as their weights say, and the same for the same seed. */
#include "bench/draw.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { DRAWS = 1000000, MOST = 16 };

/* Within 4 sigma of a binomial distribution. */
static void check_weights(const double *weights, unsigned count, uint64_t seed)
{
    uint64_t limits[MOST], state = draw_seed(seed, 0, 0, 2);
    unsigned counts[MOST] = {0};
    double sum = 0;
    for (unsigned i = 0; i < count; i++)
        sum += weights[i];
    draw_limits(limits, weights, count);
    for (unsigned i = 0; i < DRAWS; i++)
        counts[draw_choose(&state, limits, count)]++;
    for (unsigned i = 0; i < count; i++) {
        double part = weights[i] / sum, expected = DRAWS * part;
        double sigma = sqrt(DRAWS * part * (1 - part));
        if (fabs(counts[i] - expected) > 4 * sigma)
            fail_msg("%u of %u: drawn %u times, expected %.0f +- %.0f", i, count, counts[i],
                     expected, sigma);
    }
}

static void draws_follow_the_weights(void **state)
{
    static const double mix[] = {0.5, 0.3, 0.2}, odd[] = {5, 0.001, 3, 1e-9, 2}, one[] = {7};
    static const double many[MOST] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    static const double little[] = {1, 1e-6};
    (void)state;
    for (uint64_t seed = 0; seed < 5; seed++) {
        check_weights(mix, 3, seed);
        check_weights(odd, 5, seed);
        check_weights(many, MOST, seed);
        check_weights(little, 2, seed);
        check_weights(one, 1, seed);
    }
}

static void draw_some(unsigned *out, uint64_t seed, unsigned process, unsigned thread)
{
    static const double weights[] = {1, 1, 1, 1};
    uint64_t limits[4], state = draw_seed(seed, process, thread, 2);
    draw_limits(limits, weights, 4);
    for (unsigned i = 0; i < 64; i++)
        out[i] = draw_choose(&state, limits, 4);
}

static void a_seed_repeats_its_draws(void **state)
{
    unsigned first[64], again[64];
    (void)state;
    draw_some(first, 42, 1, 3);
    draw_some(again, 42, 1, 3);
    assert_memory_equal(first, again, sizeof first);
}

static void seeds_processes_and_threads_differ(void **state)
{
    static const struct {
        uint64_t seed;
        unsigned process, thread;
    } others[] = {{43, 0, 0}, {0, 0, 0}, {42, 1, 0}, {42, 0, 1}, {42, 63, 255}, {41, 1, 0}};
    unsigned first[64], other[64];
    (void)state;
    draw_some(first, 42, 0, 0);
    for (unsigned i = 0; i < sizeof others / sizeof others[0]; i++) {
        draw_some(other, others[i].seed, others[i].process, others[i].thread);
        assert_memory_not_equal(first, other, sizeof first);
        /* nor is one the other a few draws later */
        for (unsigned shift = 1; shift < 32; shift++)
            assert_memory_not_equal(first + shift, other, sizeof first - shift * sizeof *first);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(draws_follow_the_weights),
        cmocka_unit_test(a_seed_repeats_its_draws),
        cmocka_unit_test(seeds_processes_and_threads_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
