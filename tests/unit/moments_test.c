/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "report/moments.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void durations_have_units(void **state)
{
    (void)state;
    const struct {
        const char *text;
        uint64_t ns;
    } good[] = {{"0", 0},
                {"90", 90000000000},
                {"1.5s", 1500000000},
                {"500ms", 500000000},
                {"100us", 100000},
                {"0.25us", 250},
                {"7ns", 7},
                {"2m", 120000000000},
                {"1h", 3600000000000},
                {"7d", 604800000000000},
                {"2w", 1209600000000000}};
    static const char *const bad[] = {"", "s", "-1s", "1x", "0x10", "1e30", "nan", "inf"};
    uint64_t ns;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(p11prof_read_duration(good[i].text, &ns));
        assert_int_equal(ns, good[i].ns);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(p11prof_read_duration(bad[i], &ns));
}

static void moments_are_of_the_run_or_of_the_world(void **state)
{
    (void)state;
    const int64_t start_ns = 1700000000000000000, second_ns = 1000000000;
    const struct {
        const char *text;
        int64_t ns;
    } good[] = {{"90s", 90 * second_ns},
                {"0", 0},
                {"-30s", 70 * second_ns},
                {"2023-11-14T22:13:21Z", 1 * second_ns},
                {"2023-11-14T22:13:21.25Z", 1250000000},
                {"2023-11-14 22:14", 40 * second_ns},
                {"2023-11-15", 6400 * second_ns},
                {"2023-11-14T22:13:19", -1 * second_ns}};
    static const char *const bad[] = {"",           "yesterday",
                                      "2023-13-01", "2023-11-14T25:00",
                                      "2023-11-1x", "2023-11-14T22:13+01:00",
                                      "1969-01-01", "-"};
    struct p11prof_moment moment;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(p11prof_read_moment(good[i].text, &moment));
        assert_int_equal(p11prof_moment_in_run(&moment, start_ns, 100 * second_ns), good[i].ns);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(p11prof_read_moment(bad[i], &moment));
}

static void utc_is_written_as_it_is_read(void **state)
{
    (void)state;
    char text[P11PROF_UTC_BYTES];
    struct p11prof_moment moment;
    p11prof_format_utc(text, 1700000000123456789);
    assert_string_equal(text, "2023-11-14T22:13:20.123Z");
    assert_true(p11prof_read_moment(text, &moment));
    assert_int_equal(moment.ns, 1700000000123000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_have_units),
        cmocka_unit_test(moments_are_of_the_run_or_of_the_world),
        cmocka_unit_test(utc_is_written_as_it_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
