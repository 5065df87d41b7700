/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Timelines: steps, what falls into them, and the drawing. */
#include "report/round_steps.h"
#include "report/safe_text.h"
#include "report/timeline_draw.h"
#include "report/units.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "draws.h"

#define MS     UINT64_C(1000000)
#define SECOND (1000 * MS)

static struct p11prof_timeline timeline;

static int timeline_teardown(void **state)
{
    (void)state;
    p11prof_timeline_clear(&timeline);
    return 0;
}

static void steps_fill_the_width(void **state)
{
    (void)state;
    for (double duration = 1; duration < 1e18; duration *= 1.37) {
        for (size_t most = 31; most <= 991; most += 320) {
            uint64_t step = p11prof_round_step((uint64_t)duration, most, 0);
            uint64_t count = p11prof_step_count((uint64_t)duration, step);
            assert_in_range(count, 1, most);
            if (step > 1 && duration < 5e17)
                assert_true(count > most / 3);
        }
    }
    assert_int_equal(p11prof_round_step(7 * SECOND, 71, 0), 100 * MS);
    assert_int_equal(p11prof_round_step(3600 * SECOND, 71, 0), 60 * SECOND);
    assert_int_equal(p11prof_round_step(0, 71, 0), 1);
}

static void steps_are_multiples_of_windows(void **state)
{
    (void)state;
    const uint64_t windows[] = {SECOND, 60 * SECOND, 3600 * SECOND, 24 * 3600 * SECOND};
    for (double duration = 1e9; duration < 1e18; duration *= 1.7) {
        for (size_t i = 0; i < 4; i++) {
            uint64_t step = p11prof_round_step((uint64_t)duration, 71, windows[i]);
            assert_int_equal(step % windows[i], 0);
            assert_in_range(p11prof_step_count((uint64_t)duration, step), 1, 71);
        }
    }
}

static void ticks_read_well(void **state)
{
    (void)state;
    static const struct {
        uint64_t duration_ns;
        size_t most;
        uint64_t tick_ns;
        const char *third;
    } examples[] = {
        {100, 8, 20, "40 ns"},
        {7 * SECOND, 8, SECOND, "2 s"},
        {90 * MS, 8, 20 * MS, "40 ms"},
        {200 * SECOND, 8, 30 * SECOND, "60 s"},
        {3600 * SECOND, 8, 600 * SECOND, "20 m"},
        {100 * 3600 * SECOND, 8, 24 * 3600 * SECOND, "2 d"},
    };
    for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++) {
        char text[P11PROF_UNIT_TEXT_BYTES];
        uint64_t tick = p11prof_round_tick(examples[i].duration_ns, examples[i].most);
        assert_int_equal(tick, examples[i].tick_ns);
        p11prof_format_tick(text, 2 * tick, tick);
        assert_string_equal(text, examples[i].third);
        p11prof_format_tick(text, 0, tick);
        assert_string_equal(text, "0");
    }
}

static void check_in_flight(size_t step, double value)
{
    double found = p11prof_timeline_in_flight(&timeline, step);
    if (fabs(found - value) > 1e-9) {
        fail_msg("step %zu has %g in flight, not %g", step, found, value);
    }
}

static void a_call_is_spread_over_its_steps(void **state)
{
    (void)state;
    p11prof_timeline_make(&timeline, 0, 10 * SECOND, SECOND);
    p11prof_timeline_add(&timeline, 1500 * MS, 3 * SECOND, false); /* 1.5 to 4.5 s */
    p11prof_timeline_add(&timeline, 2000 * MS, 250 * MS, true);
    p11prof_timeline_add(&timeline, 9500 * MS, 5 * SECOND, false); /* beyond the end */
    p11prof_timeline_add(&timeline, 6 * SECOND, 0, false);
    p11prof_timeline_finish(&timeline);
    const double in_flight[] = {0, 0.5, 1.25, 1, 0.5, 0, 0, 0, 0, 0.5};
    const uint64_t counts[] = {0, 1, 1, 0, 0, 0, 1, 0, 0, 1};
    for (size_t i = 0; i < 10; i++) {
        check_in_flight(i, in_flight[i]);
        assert_int_equal(timeline.steps[i].count, counts[i]);
        assert_int_equal(timeline.steps[i].sums.count, i == 2 ? 0 : counts[i]);
    }
    assert_int_equal(timeline.steps[2].error_count, 1);
    assert_true(p11prof_timeline_rate(&timeline, 2) == 0);
    assert_true(p11prof_timeline_rate(&timeline, 1) == 1);
}

/* Nothing of the time of many calls is lost, and none is left where there are none. */
static void time_in_the_module_is_kept(void **state)
{
    (void)state;
    double sum = 0, found = 0;
    draw_seed(1);
    p11prof_timeline_make(&timeline, 0, 20 * SECOND, 130 * MS);
    for (size_t i = 0; i < 20000; i++) {
        uint64_t start_ns = (uint64_t)(8e9 * draw_uniform());
        uint64_t duration_ns = (uint64_t)draw_lognormal(50e6, 0.9);
        duration_ns = duration_ns < 2 * SECOND ? duration_ns : 2 * SECOND;
        sum += (double)duration_ns;
        p11prof_timeline_add(&timeline, start_ns, duration_ns, false);
    }
    p11prof_timeline_finish(&timeline);
    for (size_t i = 0; i < timeline.count; i++)
        found += timeline.steps[i].busy_ns;
    assert_true(fabs(found / sum - 1) < 1e-9);
    assert_true(p11prof_timeline_in_flight(&timeline, timeline.count - 1) == 0);
}

static void the_last_step_is_as_long_as_it_is(void **state)
{
    (void)state;
    p11prof_timeline_make(&timeline, SECOND, 3500 * MS, SECOND);
    assert_int_equal(timeline.count, 3);
    assert_int_equal(p11prof_timeline_step_ns(&timeline, 2), 500 * MS);
    p11prof_timeline_add(&timeline, 3000 * MS, 100 * MS, false);
    p11prof_timeline_add(&timeline, 0, 10 * MS, false); /* before the range: the first step */
    p11prof_timeline_finish(&timeline);
    assert_true(p11prof_timeline_rate(&timeline, 2) == 2);
    check_in_flight(2, 0.2);
    check_in_flight(0, 0);
    assert_int_equal(timeline.steps[0].count, 1);
}

static void windows_are_spread_evenly(void **state)
{
    (void)state;
    struct p11prof_timeline_window window = {.start_ns = 2 * SECOND,
                                             .duration_ns = 4 * SECOND,
                                             .count = 8,
                                             .error_count = 1,
                                             .total_ns = 2 * SECOND,
                                             .sums = {7, SECOND, MS, 500 * MS, 0}};
    p11prof_timeline_make(&timeline, 0, 8 * SECOND, SECOND);
    assert_ptr_equal(p11prof_timeline_add_window(&timeline, &window), &timeline.steps[4]);
    p11prof_timeline_finish(&timeline);
    for (size_t i = 0; i < 8; i++)
        check_in_flight(i, i >= 2 && i < 6 ? 0.5 : 0);
    assert_int_equal(timeline.steps[4].count, 8);
    assert_int_equal(timeline.steps[4].error_count, 1);
    assert_int_equal(timeline.steps[4].sums.max_ns, 500 * MS);
}

static void parts_make_the_whole(void **state)
{
    (void)state;
    struct p11prof_timeline part;
    p11prof_timeline_make(&timeline, 0, 4 * SECOND, SECOND);
    p11prof_timeline_make(&part, 0, 4 * SECOND, SECOND);
    p11prof_timeline_add(&timeline, 0, 4 * SECOND, false);
    p11prof_timeline_add(&part, 0, 2 * SECOND, false);
    p11prof_timeline_add(&part, 500 * MS, SECOND, true);
    p11prof_timeline_merge(&timeline, &part);
    p11prof_timeline_clear(&part);
    p11prof_timeline_finish(&timeline);
    const double in_flight[] = {2.5, 2.5, 1, 1};
    for (size_t i = 0; i < 4; i++)
        check_in_flight(i, in_flight[i]);
    assert_int_equal(timeline.steps[0].count, 3);
    assert_int_equal(timeline.steps[0].buckets.count, 2);
}

/* What is drawn; the caller frees it. */
static char *draw(const struct p11prof_chart_style *style, bool iterations)
{
    struct p11prof_canvas canvas;
    char *text;
    size_t bytes;
    FILE *stream = open_memstream(&text, &bytes);
    (iterations ? p11prof_iterations_draw : p11prof_timeline_draw)(&canvas, &timeline, style);
    p11prof_canvas_print(&canvas, stream, style);
    p11prof_canvas_clear(&canvas);
    fclose(stream);
    return text;
}

static void check_text(const char *expected, const struct p11prof_chart_style *style,
                       bool iterations)
{
    char *text = draw(style, iterations);
    assert_string_equal(text, expected);
    free(text);
}

/* 100 calls a second of 1 to 10 ms for 10 s, nothing for 10 s, then half of them, that fail. */
static void add_calls(void)
{
    for (size_t i = 0; i < 1000; i++)
        p11prof_timeline_add(&timeline, i * 10 * MS, (1 + i % 10) * MS, false);
    for (size_t i = 0; i < 500; i++)
        p11prof_timeline_add(&timeline, 20 * SECOND + i * 20 * MS, 5 * MS, i % 10 == 0);
    p11prof_timeline_finish(&timeline);
}

static void a_small_timeline(void **state)
{
    (void)state;
    p11prof_timeline_make(&timeline, 0, 30 * SECOND, SECOND);
    add_calls();
    check_text("latency: p50 to p99\n"
               "   10 ms ██████████\n"
               "         ██████████\n"
               "    7 ms ██████████\n"
               "         ██████████\n"
               "    5 ms ▀▀▀▀▀▀▀▀▀▀          ▀▀▀▀▀▀▀▀▀▀\n"
               "\n"
               "    3 ms\n"
               "calls/s: mean 48.3, most 100\n"
               "     100 ██████████\n"
               "         ██████████          ▃▃▃▃▃▃▃▃▃▃\n"
               "       0 ██████████          ██████████\n"
               "in flight: mean 0.267, most 0.55\n"
               "     0.7 ▃▃▃▃▃▃▃▃▃▃\n"
               "         ██████████          ▁▁▁▁▁▁▁▁▁▁\n"
               "       0 ██████████          ██████████\n"
               "errors: 50\n"
               "    5.00                     ██████████\n"
               "       0                     ██████████\n"
               "        └┬─────────┬─────────┬─────────\n"
               "         0         10 s      20 s\n",
               &(struct p11prof_chart_style){.width = 40}, false);
    check_text("latency: o p50, + p99, * both\n"
               "   10 ms ++++++++++\n"
               "         ::::::::::\n"
               "    7 ms ::::::::::\n"
               "         ::::::::::\n"
               "    5 ms oooooooooo          **********\n"
               "\n"
               "    3 ms\n"
               "calls/s: mean 48.3, most 100\n"
               "     100 ##########\n"
               "         ##########          ..........\n"
               "       0 ##########          ##########\n"
               "in flight: mean 0.267, most 0.55\n"
               "     0.7 ..........\n"
               "         ##########          ..........\n"
               "       0 ##########          ##########\n"
               "errors: 50\n"
               "    5.00                     ##########\n"
               "       0                     ##########\n"
               "        ++---------+---------+---------\n"
               "         0         10 s      20 s\n",
               &(struct p11prof_chart_style){.width = 40, .ascii = true}, false);
}

static void operations_in_their_order(void **state)
{
    (void)state;
    p11prof_timeline_make(&timeline, 0, 55, 10);
    for (size_t i = 0; i < 55; i++)
        p11prof_timeline_add(&timeline, i, i == 33 ? 900 * MS : (i + 1) * MS, i == 20);
    check_text("latency: o p50, + p99, * both, . max\n"
               "     1 s                +++++\n"
               "                        :::::\n"
               "  300 ms                :::::\n"
               "                        :::::\n"
               "  100 ms                :::::\n"
               "                        :::::     +++++\n"
               "   50 ms                ooooo*****ooooo\n"
               "                   *****\n"
               "              *****\n"
               "   10 ms +++++\n"
               "         ooooo\n"
               "    3 ms\n"
               "errors: 1\n"
               "    1.00           #####\n"
               "       0           #####\n"
               "        ++---------+---------+---------\n"
               "         1         20        40\n",
               &(struct p11prof_chart_style){.width = 40, .ascii = true}, true);
}

static void a_single_call(void **state)
{
    (void)state;
    p11prof_timeline_make(&timeline, 0, 1, 1);
    p11prof_timeline_add(&timeline, 0, 1, false);
    p11prof_timeline_finish(&timeline);
    char *text = draw(&(struct p11prof_chart_style){.width = 80}, false);
    assert_non_null(strstr(text, "1 ns"));
    assert_non_null(strstr(text, "in flight: mean 1.00, most 1.00\n"));
    free(text);
}

/* One of 30 days, with calls at both ends only. */
static void idle_time_is_a_gap(void **state)
{
    (void)state;
    uint64_t month_ns = 30 * UINT64_C(86400) * SECOND;
    uint64_t step_ns = p11prof_round_step(month_ns, 71, 0);
    p11prof_timeline_make(&timeline, 0, month_ns, step_ns);
    p11prof_timeline_add(&timeline, 0, MS, false);
    p11prof_timeline_add(&timeline, month_ns - SECOND, 100 * MS, false);
    p11prof_timeline_finish(&timeline);
    char *text = draw(&(struct p11prof_chart_style){.width = 80, .ascii = true}, false),
         *rest = text;
    size_t marked = 0;
    for (char *line; (line = strsep(&rest, "\n")) && strncmp(line, "calls/s", 7) != 0;)
        for (const char *at = line + (strlen(line) < 9 ? strlen(line) : 9);
             strncmp(line, "latency", 7) != 0 && *at; at++)
            marked += *at == '*';
    assert_int_equal(marked, 2);
    free(text);
}

static void lines_fit_the_width(void **state)
{
    (void)state;
    for (size_t width = 40; width <= 1000; width += 37) {
        struct p11prof_chart_style style = {.width = width, .ascii = width % 2};
        uint64_t step_ns = p11prof_round_step(30 * SECOND, p11prof_timeline_room(&style), 0);
        timeline_teardown(NULL);
        p11prof_timeline_make(&timeline, 0, 30 * SECOND, step_ns);
        add_calls();
        char *text = draw(&style, false), *rest = text;
        size_t widest = 0, lines = 0;
        for (char *line; (line = strsep(&rest, "\n")); lines++)
            widest = p11prof_text_width(line) > widest ? p11prof_text_width(line) : widest;
        assert_in_range(widest, width * 2 / 3, width);
        assert_in_range(lines, 10, 22);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_fill_the_width),
        cmocka_unit_test(steps_are_multiples_of_windows),
        cmocka_unit_test(ticks_read_well),
        cmocka_unit_test_teardown(a_call_is_spread_over_its_steps, timeline_teardown),
        cmocka_unit_test_teardown(time_in_the_module_is_kept, timeline_teardown),
        cmocka_unit_test_teardown(the_last_step_is_as_long_as_it_is, timeline_teardown),
        cmocka_unit_test_teardown(windows_are_spread_evenly, timeline_teardown),
        cmocka_unit_test_teardown(parts_make_the_whole, timeline_teardown),
        cmocka_unit_test_teardown(a_small_timeline, timeline_teardown),
        cmocka_unit_test_teardown(operations_in_their_order, timeline_teardown),
        cmocka_unit_test_teardown(a_single_call, timeline_teardown),
        cmocka_unit_test_teardown(idle_time_is_a_gap, timeline_teardown),
        cmocka_unit_test_teardown(lines_fit_the_width, timeline_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
