/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Modes of latencies: found where there are several, and only there. */
#include "report/modes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "draws.h"

static struct p11prof_modes modes_of(double (*draw)(void), size_t count)
{
    struct p11prof_buckets buckets = {.count = 0};
    struct p11prof_modes modes;
    for (size_t i = 0; i < count; i++)
        p11prof_buckets_add(&buckets, (uint64_t)draw(), 1);
    p11prof_modes_find(&modes, &buckets);
    p11prof_buckets_clear(&buckets);
    return modes;
}

static void check_near(double found, double value, double tolerance)
{
    if (fabs(found / value - 1) > tolerance) {
        fail_msg("%.0f is not near %.0f", found, value);
    }
}

static double fast_and_slow(void)
{
    return draw_uniform() < 0.83 ? draw_lognormal(120e3, 0.1) : draw_lognormal(4.1e6, 0.2);
}

static void two_modes_are_found(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 50; seed++) {
        draw_seed(seed);
        struct p11prof_modes modes = modes_of(fast_and_slow, 1000);
        assert_int_equal(modes.count, 2);
        check_near((double)modes.modes[0].peak_ns, 120e3, 0.15);
        check_near((double)modes.modes[1].peak_ns, 4.1e6, 0.3);
        check_near((double)modes.modes[0].count, 830, 0.1);
        assert_int_equal(modes.modes[0].count + modes.modes[1].count, 1000);
        assert_true(modes.modes[0].high_ns == modes.modes[1].low_ns);
        assert_true(modes.modes[0].high_ns > 200e3 && modes.modes[0].high_ns < 2.5e6);
    }
}

static double narrow_and_wide(void)
{
    return draw_uniform() < 0.8 ? draw_lognormal(120e3, 0.01) : draw_lognormal(4.1e6, 0.5);
}

static double close_together(void)
{
    return draw_uniform() < 0.4 ? draw_lognormal(100e3, 0.003) : draw_lognormal(105e3, 0.003);
}

static double three(void)
{
    double which = draw_uniform();
    return draw_lognormal(which < 0.5 ? 1e3 : which < 0.8 ? 10e3 : 1e6, 0.1);
}

static void modes_of_any_width_are_found(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        draw_seed(seed);
        assert_int_equal(modes_of(narrow_and_wide, 1000).count, 2);
        assert_int_equal(modes_of(fast_and_slow, 200).count, 2);
        assert_int_equal(modes_of(close_together, 2000).count, 2);
        assert_int_equal(modes_of(three, 2000).count, 3);
    }
}

static double uniform(void)
{
    return 100e3 + 100e3 * draw_uniform();
}

static double from_zero(void)
{
    return 1e6 * draw_uniform();
}

static double narrow(void)
{
    return draw_lognormal(100e3, 0.02);
}

static double lognormal(void)
{
    return draw_lognormal(100e3, 0.5);
}

static double wide(void)
{
    return draw_lognormal(100e3, 2);
}

static double exponential(void)
{
    return -100e3 * log(draw_uniform());
}

static double few_clock_ticks(void)
{
    return 20 + 3 * fabs(draw_lognormal(1, 0.5));
}

/* 10 % of them are spread over decades. */
static double heavy_tail(void)
{
    return draw_uniform() < 0.9 ? draw_lognormal(100e3, 0.1) : 100e3 / pow(draw_uniform(), 1.25);
}

static void noise_has_one_mode(void **state)
{
    (void)state;
    double (*const draws[])(void) = {uniform, from_zero,   narrow,          lognormal,
                                     wide,    exponential, few_clock_ticks, heavy_tail};
    for (size_t i = 0; i < sizeof draws / sizeof draws[0]; i++) {
        for (uint64_t seed = 1; seed <= 200; seed++) {
            draw_seed(seed);
            size_t count = modes_of(draws[i], seed % 2 ? 200 : 2000).count;
            if (count != 1) {
                fail_msg("distribution %zu, seed %d: %zu modes", i, (int)seed, count);
            }
        }
    }
}

/* A valley of 83 % of the peaks: two ways that take about the same. */
static double overlapping(void)
{
    return draw_lognormal(draw_uniform() < 0.5 ? 100e3 : 130e3, 0.1);
}

static void a_shallow_valley_parts_nothing(void **state)
{
    (void)state;
    draw_seed(1);
    assert_int_equal(modes_of(overlapping, 100000).count, 1);
}

/* 4 % far away are outliers. */
static double with_few_far_away(void)
{
    return draw_uniform() < 0.96 ? draw_lognormal(100e3, 0.1) : draw_lognormal(10e6, 0.05);
}

static void few_are_no_mode(void **state)
{
    (void)state;
    draw_seed(1);
    assert_int_equal(modes_of(with_few_far_away, 20000).count, 1);
    assert_int_equal(modes_of(fast_and_slow, P11PROF_MODES_LEAST_COUNT - 1).count, 0);
    assert_int_equal(modes_of(fast_and_slow, 0).count, 0);
}

static double one_value;
static double constant(void)
{
    return one_value;
}

static void extreme_durations_are_no_trouble(void **state)
{
    (void)state;
    const double values[] = {0, 1, 0x1p62};
    for (size_t i = 0; i < 3; i++) {
        one_value = values[i];
        assert_int_equal(modes_of(constant, 1000).count, 1);
    }
    struct p11prof_buckets buckets = {.count = 0};
    struct p11prof_modes modes;
    p11prof_buckets_add(&buckets, 0, 100);
    p11prof_buckets_add(&buckets, UINT64_C(1) << 62, UINT64_C(1) << 40);
    p11prof_buckets_add(&buckets, 5000, UINT64_C(1) << 40);
    p11prof_modes_find(&modes, &buckets);
    p11prof_buckets_clear(&buckets);
    assert_int_equal(modes.count, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_modes_are_found), cmocka_unit_test(modes_of_any_width_are_found),
        cmocka_unit_test(noise_has_one_mode),  cmocka_unit_test(a_shallow_valley_parts_nothing),
        cmocka_unit_test(few_are_no_mode),     cmocka_unit_test(extreme_durations_are_no_trouble),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
