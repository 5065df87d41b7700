/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Change points against series whose changes are known, and against series that have none. */
#include "draws.h"
#include "report/change_points.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { SERIES_MAX = 600 };

static double values[SERIES_MAX];
static struct p11prof_change_points found;

/* Lognormal about `level` from first to end. */
static void level(size_t first, size_t end, double at, double deviation)
{
    for (size_t i = first; i < end; i++)
        values[i] = draw_lognormal(at, deviation);
}

static void one_step_is_found_where_it_is(void **state)
{
    (void)state;
    draw_seed(1);
    level(0, 12, 1.92e6, 0.01);
    level(12, 20, 2.31e6, 0.01);
    p11prof_change_points_find(&found, values, 20);
    assert_int_equal(found.count, 1);
    const struct p11prof_change_point *point = &found.points[0];
    assert_int_equal(point->index, 12);
    assert_int_equal(point->first, 0);
    assert_int_equal(point->end, 20);
    assert_true(point->before > 1.9e6 && point->before < 1.94e6);
    assert_true(point->after > 2.28e6 && point->after < 2.34e6);
    assert_true(point->low < 0.203 && point->high > 0.203);
    assert_true(point->low > 0.18 && point->high < 0.23);
    assert_true(point->p_value <= 0.01);
}

static void up_and_down_are_two(void **state)
{
    (void)state;
    draw_seed(2);
    level(0, 10, 100, 0.02);
    level(10, 18, 150, 0.02);
    level(18, 30, 100, 0.02);
    p11prof_change_points_find(&found, values, 30);
    assert_int_equal(found.count, 2);
    assert_int_equal(found.points[0].index, 10);
    assert_int_equal(found.points[1].index, 18);
    assert_true(found.points[0].change > 0.4 && found.points[1].change < -0.25);
}

static void exact_levels_have_no_spread(void **state)
{
    (void)state;
    for (size_t i = 0; i < 8; i++)
        values[i] = i < 4 ? 100 : 110;
    p11prof_change_points_find(&found, values, 8);
    assert_int_equal(found.count, 1);
    assert_int_equal(found.points[0].index, 4);
    for (size_t i = 0; i < 8; i++)
        values[i] = 100;
    p11prof_change_points_find(&found, values, 8);
    assert_int_equal(found.count, 0);
}

static void small_and_short_ones_are_none(void **state)
{
    (void)state;
    for (size_t i = 0; i < 20; i++)
        values[i] = i < 10 ? 1000 : 1015; /* 1.5 % */
    p11prof_change_points_find(&found, values, 20);
    assert_int_equal(found.count, 0);
    for (size_t i = 0; i < 20; i++)
        values[i] = i < 17 ? 100 : 200; /* three bad nights may be by chance */
    p11prof_change_points_find(&found, values, 20);
    assert_int_equal(found.count, 0);
    draw_seed(3);
    level(0, 20, 100, 0.01);
    values[9] = 300; /* one bad night is no new level */
    p11prof_change_points_find(&found, values, 20);
    assert_int_equal(found.count, 0);
}

static void unknown_values_say_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < 20; i++)
        values[i] = i < 10 ? 100 : 200;
    values[5] = 0;
    p11prof_change_points_find(&found, values, 20);
    assert_int_equal(found.count, 0);
    values[5] = NAN;
    p11prof_change_points_find(&found, values, 20);
    assert_int_equal(found.count, 0);
    p11prof_change_points_find(&found, values, 0);
    assert_int_equal(found.count, 0);
}

/* Of series without a change at most 1 % have one, with room for luck. */
static void series_without_a_change_have_none(void **state)
{
    static const size_t lengths[] = {8, 9, 20, 60};
    (void)state;
    for (size_t length = 0; length < sizeof lengths / sizeof lengths[0]; length++) {
        size_t with_change = 0;
        draw_seed(100 + length);
        for (size_t i = 0; i < 300; i++) {
            level(0, lengths[length], 1e6, 0.05);
            p11prof_change_points_find(&found, values, lengths[length]);
            with_change += found.count > 0;
        }
        assert_in_range(with_change, 0, 9);
    }
}

/* 10 % between runs that scatter by 3 %, with ten runs on each side. */
static void steps_above_the_noise_are_found(void **state)
{
    size_t right = 0;
    (void)state;
    draw_seed(7);
    for (size_t i = 0; i < 50; i++) {
        level(0, 10, 1e6, 0.03);
        level(10, 20, 1.1e6, 0.03);
        p11prof_change_points_find(&found, values, 20);
        right += found.count == 1 && found.points[0].index >= 9 && found.points[0].index <= 11;
    }
    assert_in_range(right, 45, 50);
}

/* Odd runs are twice as slow. */
enum odd { NO_ODD_RUN, ONE_ODD_RUN, TWO_ADJACENT, ONE_IN_TEN };

static void add_odd(size_t count, enum odd odd)
{
    size_t at = (size_t)(draw_uniform() * (double)(count - (odd == TWO_ADJACENT)));
    if (odd == ONE_ODD_RUN || odd == TWO_ADJACENT)
        values[at] *= 2;
    if (odd == TWO_ADJACENT)
        values[at + 1] *= 2;
    for (size_t i = 0; i < count && odd == ONE_IN_TEN; i++)
        if (draw_uniform() < 0.1)
            values[i] *= 2;
}

/* 8 to 40 runs that scatter by 2 %. */
static void odd_runs_are_no_level(void **state)
{
    enum { SERIES = 400, FALSE_MOST = 8 };
    (void)state;
    for (enum odd odd = NO_ODD_RUN; odd <= ONE_IN_TEN; odd++) {
        size_t with_change = 0;
        draw_seed(200 + odd);
        for (size_t i = 0; i < SERIES; i++) {
            size_t count = 8 + i % 33;
            level(0, count, 1e6, 0.02);
            add_odd(count, odd);
            p11prof_change_points_find(&found, values, count);
            with_change += found.count > 0;
        }
        print_message("odd runs, way %d: %zu of %d series have a change\n", odd, with_change,
                      SERIES);
        assert_in_range(with_change, 0, FALSE_MOST);
    }
}

/* Is there one, 10 % up, at that run or one beside it? */
static bool step_is_found(size_t at)
{
    for (size_t i = 0; i < found.count; i++)
        if (found.points[i].index + 1 >= at && found.points[i].index <= at + 1 &&
            found.points[i].low > 0 && found.points[i].high < 0.3)
            return true;
    return false;
}

/* 8 to 40 runs, four at least on each side. */
static void steps_are_found_beside_an_odd_run(void **state)
{
    enum { SERIES = 160, RIGHT_LEAST = 152 };
    (void)state;
    for (enum odd odd = NO_ODD_RUN; odd <= ONE_ODD_RUN; odd++) {
        size_t right = 0;
        draw_seed(300 + odd);
        for (size_t i = 0; i < SERIES; i++) {
            size_t count = 8 + i % 33, at = 4 + (size_t)(draw_uniform() * (double)(count - 7));
            level(0, at, 1e6, 0.02);
            level(at, count, 1.1e6, 0.02);
            add_odd(count, odd);
            p11prof_change_points_find(&found, values, count);
            right += step_is_found(at);
        }
        print_message("odd runs, way %d: %zu of %d steps are found\n", odd, right, SERIES);
        assert_in_range(right, RIGHT_LEAST, SERIES);
    }
}

/* Runs 17 and 18 of 20, wherever the series ends after them. */
static void two_slow_nights_are_no_level(void **state)
{
    (void)state;
    for (size_t count = 8; count <= 20; count++) {
        for (size_t i = 0; i < count; i++)
            values[i] = 1.09 + (double)(i * 7 % 5) * 0.005;
        for (size_t i = 16; i < 18 && i < count; i++)
            values[i] = 2.1;
        p11prof_change_points_find(&found, values, count);
        assert_int_equal(found.count, 0);
    }
}

static void levels_are_medians_of_all_runs(void **state)
{
    static const double runs[] = {100, 101, 200, 99,  100, 101, 99,  100, 101, 99,
                                  120, 121, 119, 120, 240, 121, 119, 120, 121, 119};
    (void)state;
    p11prof_change_points_find(&found, runs, 20);
    assert_int_equal(found.count, 1);
    assert_int_equal(found.points[0].index, 10);
    assert_true(fabs(found.points[0].before - 100) < 0.51);
    assert_true(fabs(found.points[0].after - 120) < 0.51);
    assert_true(found.points[0].low > 0.15 && found.points[0].high < 0.25);
}

static void long_series_keep_their_end(void **state)
{
    (void)state;
    draw_seed(8);
    level(0, 520, 100, 0.02);
    level(520, SERIES_MAX, 120, 0.02);
    p11prof_change_points_find(&found, values, SERIES_MAX);
    assert_int_equal(found.count, 1);
    assert_int_equal(found.points[0].index, 520);
    assert_int_equal(found.points[0].end, SERIES_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_step_is_found_where_it_is),
        cmocka_unit_test(up_and_down_are_two),
        cmocka_unit_test(exact_levels_have_no_spread),
        cmocka_unit_test(small_and_short_ones_are_none),
        cmocka_unit_test(unknown_values_say_nothing),
        cmocka_unit_test(series_without_a_change_have_none),
        cmocka_unit_test(steps_above_the_noise_are_found),
        cmocka_unit_test(odd_runs_are_no_level),
        cmocka_unit_test(steps_are_found_beside_an_odd_run),
        cmocka_unit_test(two_slow_nights_are_no_level),
        cmocka_unit_test(levels_are_medians_of_all_runs),
        cmocka_unit_test(long_series_keep_their_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
