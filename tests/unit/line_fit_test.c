/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* A line through durations by size of data: found where there is one, and only there. */
#include "report/line_fit.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void check_near(double found, double value)
{
    if (fabs(found / value - 1) > 1e-9) {
        fail_msg("%.9f is not %.9f", found, value);
    }
}

static void a_line_is_recovered(void **state)
{
    (void)state;
    const double bytes[] = {16, 1024, 65536, 1 << 20};
    double ns[4];
    struct p11prof_line line;
    for (size_t i = 0; i < 4; i++)
        ns[i] = 790000 + 90.5 * bytes[i];
    p11prof_line_fit(&line, bytes, ns, 4);
    assert_true(line.fits && line.fixed_known && line.half_known);
    check_near(line.fixed_ns, 790000);
    check_near(line.slope_ns, 90.5);
    check_near(line.half_bytes, 790000 / 90.5);
    p11prof_line_fit(&line, bytes, ns, 2);
    assert_false(line.fits);
}

/* Errors of 2 %: absolute ones would make the small sizes drown in that of the largest. */
static void noise_leaves_the_line(void **state)
{
    (void)state;
    const double bytes[] = {16, 256, 4096, 65536, 1 << 20};
    const double noise[] = {1.02, 0.98, 1.02, 0.98, 1.02};
    double ns[5];
    struct p11prof_line line;
    for (size_t i = 0; i < 5; i++)
        ns[i] = (5000 + 2 * bytes[i]) * noise[i];
    p11prof_line_fit(&line, bytes, ns, 5);
    assert_true(line.fits && line.fixed_known);
    assert_true(line.fixed_ns > 4750 && line.fixed_ns < 5250);
    assert_true(line.slope_ns > 1.9 && line.slope_ns < 2.1);
}

static void no_line_is_seen_in_noise(void **state)
{
    (void)state;
    const double bytes[] = {16, 64, 256, 1024};
    const double flat[] = {1000, 1010, 990, 1005}, wild[] = {1000, 4000, 900, 6000};
    const double negative[] = {1, 60, 255, 1023};
    struct p11prof_line line;
    p11prof_line_fit(&line, bytes, flat, 4);
    assert_false(line.fits);
    p11prof_line_fit(&line, bytes, wild, 4);
    assert_false(line.fits);
    p11prof_line_fit(&line, bytes, negative, 4);
    assert_false(line.fits);
    assert_int_equal(line.size_count, 4);
}

/* The points stray by 28 %: a line through them says little, however many they are. */
static void what_strays_is_no_line(void **state)
{
    (void)state;
    double bytes[8], ns[8];
    struct p11prof_line line;
    for (size_t i = 0; i < 8; i++) {
        bytes[i] = (double)(16 << 2 * i);
        ns[i] = (1000 + 2 * bytes[i]) * (i % 2 ? 0.7 : 1.3);
    }
    p11prof_line_fit(&line, bytes, ns, 8);
    assert_true(line.fixed_ns > 0 && line.slope_ns > 1);
    assert_false(line.fits);
}

/* Fixed 143 ns that may be 129 more or less: the line stands, its fixed part is not told. */
static void a_small_fixed_part_is_not_told(void **state)
{
    (void)state;
    const double bytes[] = {1024, 2048, 4096, 8192, 16384};
    const double noise[] = {1.05, 0.95, 1.04, 0.97, 1};
    double ns[5];
    struct p11prof_line line;
    for (size_t i = 0; i < 5; i++)
        ns[i] = (50 + 2 * bytes[i]) * noise[i];
    p11prof_line_fit(&line, bytes, ns, 5);
    assert_true(line.fits && line.fixed_ns > 0);
    assert_false(line.fixed_known || line.half_known);
}

/* Half of the peak rate is not said of sizes that nobody measured. */
static void half_is_within_the_sizes(void **state)
{
    (void)state;
    const double bytes[] = {16, 64, 256};
    double ns[3];
    struct p11prof_line line;
    for (size_t i = 0; i < 3; i++)
        ns[i] = 10000 + 10 * bytes[i];
    p11prof_line_fit(&line, bytes, ns, 3);
    assert_true(line.fits && line.fixed_known);
    assert_false(line.half_known);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_recovered),
        cmocka_unit_test(noise_leaves_the_line),
        cmocka_unit_test(no_line_is_seen_in_noise),
        cmocka_unit_test(what_strays_is_no_line),
        cmocka_unit_test(a_small_fixed_part_is_not_told),
        cmocka_unit_test(half_is_within_the_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
