/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Quantities and texts as people see them. */
#include "report/foreign_words.h"
#include "report/nearest.h"
#include "report/safe_text.h"
#include "report/units.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void durations_have_three_digits(void **state)
{
    (void)state;
    static const struct {
        uint64_t ns;
        const char *text;
    } examples[] = {
        {0, "0 ns"},
        {999, "999 ns"},
        {1000, "1.00 us"},
        {1234, "1.23 us"},
        {9994, "9.99 us"},
        {9996, "10.0 us"},
        {99960, "100 us"},
        {999400, "999 us"},
        {999500, "1.00 ms"},
        {12345678, "12.3 ms"},
        {999499999, "999 ms"},
        {999500000, "1.00 s"},
        {59900000000, "59.9 s"},
        {59950000000, "1.00 m"},
        {150000000000, "2.50 m"},
        {3600000000000, "1.00 h"},
        {93600000000000, "26.0 h"},
        {UINT64_MAX, "5124096 h"},
    };
    char text[P11PROF_UNIT_TEXT_BYTES];
    for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++) {
        p11prof_format_ns(text, examples[i].ns);
        assert_string_equal(text, examples[i].text);
    }
}

static void durations_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t ns;
    } examples[] = {
        {"0ns", 0},
        {"1ns", 1},
        {"1.5ms", 1500000},
        {"1.23 us", 1230},
        {"3 \u00B5s", 3000},
        {"3\u03BCs", 3000},
        {"2.0005us", 2001},
        {"90s", 90000000000},
        {"2m", 120000000000},
        {"0.5 min", 30000000000},
        {"1h", 3600000000000},
        {"9223372036s", 9223372036000000000},
    };
    for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++) {
        uint64_t ns = UINT64_MAX;
        if (!p11prof_parse_ns(examples[i].text, &ns) || ns != examples[i].ns) {
            fail_msg("%s: %llu", examples[i].text, (unsigned long long)ns);
        }
    }
}

static void what_is_no_duration_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"",       "ms",          "1",    "1.5",   "-1ms",  "+1ms",
                                        " 1ms",   "1ms ",        "1 Ms", "0x1ms", "nan s", "inf s",
                                        "1e400s", "9223372037s", "1y",   "1ms2"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        uint64_t ns = 7;
        if (p11prof_parse_ns(texts[i], &ns) || ns != 7) {
            fail_msg("'%s' is read as %llu", texts[i], (unsigned long long)ns);
        }
    }
}

static void moments_are_told_apart(void **state)
{
    (void)state;
    char text[P11PROF_UNIT_TEXT_BYTES];
    p11prof_format_moment(text, 0);
    assert_string_equal(text, "0.000000 s");
    p11prof_format_moment(text, UINT64_C(12345678999));
    assert_string_equal(text, "12.345678 s");
    p11prof_format_moment(text, UINT64_MAX);
    assert_string_equal(text, "18446744073.709551 s");
}

static void sizes_are_powers_of_1024(void **state)
{
    (void)state;
    char text[P11PROF_UNIT_TEXT_BYTES];
    p11prof_format_bytes(text, 1023);
    assert_string_equal(text, "1023 B");
    p11prof_format_bytes(text, 1536);
    assert_string_equal(text, "1.50 KB");
    p11prof_format_bytes(text, UINT64_C(64) << 20);
    assert_string_equal(text, "64.0 MB");
}

static void changes(void **state)
{
    (void)state;
    static const struct {
        double ratio;
        const char *text;
    } cases[] = {{0, "0.00 %"},       {0.00001, "0.00 %"},  {-0.00001, "0.00 %"},
                 {0.1234, "+12.3 %"}, {-0.0456, "-4.56 %"}, {0.09996, "+10.0 %"},
                 {-0.5, "-50.0 %"},   {1.5, "+150 %"},      {1e9, "+1e+11 %"}};
    char text[P11PROF_UNIT_TEXT_BYTES];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        p11prof_format_change(text, cases[i].ratio);
        assert_string_equal(text, cases[i].text);
    }
}

static void shares_and_rates(void **state)
{
    (void)state;
    char text[P11PROF_UNIT_TEXT_BYTES];
    p11prof_format_share(text, 0);
    assert_string_equal(text, "0.0 %");
    p11prof_format_share(text, 0.0004);
    assert_string_equal(text, "<0.1 %");
    p11prof_format_share(text, 1);
    assert_string_equal(text, "100.0 %");
    p11prof_format_rate(text, 1234.5);
    assert_string_equal(text, "1234");
    p11prof_format_rate(text, 0.00123);
    assert_string_equal(text, "0.00123");
}

/* What a token may be called to fool a terminal. */
static void texts_cannot_act(void **state)
{
    (void)state;
    static const struct {
        const char *text, *safe;
    } examples[] = {
        {"plain", "plain"},
        {"Schl\u00FCssel \u20AC \U0001F511", "Schl\u00FCssel \u20AC \U0001F511"},
        {"\x1B[31mred", "\\x1B[31mred"},
        {"a\nb\tc\x7F", "a\\x0Ab\\x09c\\x7F"},
        {"\xC2\x9B", "\\u009B"},
        {"\u202Egnp.exe", "\\u202Egnp.exe"},
        {"\xFF\xC3", "\\xFF\\xC3"},
        {"\xC0\x8A", "\\xC0\\x8A"},
        {"\xED\xA0\x80", "\\xED\\xA0\\x80"},
    };
    char safe[64];
    for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++) {
        p11prof_safe_text(safe, sizeof safe, examples[i].text);
        assert_string_equal(safe, examples[i].safe);
    }
    p11prof_safe_text(safe, 4, "ab\u20AC");
    assert_string_equal(safe, "ab");
    p11prof_valid_text(safe, sizeof safe, "a\xFFz");
    assert_string_equal(safe, "a\uFFFDz");
    assert_int_equal(p11prof_text_width("\u20ACz"), 2);
    assert_int_equal(p11prof_text_prefix("\u20ACz", 1), 3);
}

static void the_nearest_name_is_found(void **state)
{
    (void)state;
    static const char *const names[] = {"format", "db", "no-collect", "by", "sort"};
    assert_string_equal(p11prof_nearest("fromat", names, 5), "format");
    assert_string_equal(p11prof_nearest("for", names, 5), "format");
    assert_string_equal(p11prof_nearest("nocollect", names, 5), "no-collect");
    assert_null(p11prof_nearest("zebra", names, 5));
    assert_null(p11prof_nearest("", names, 5));
}

static void words_of_other_tools_are_known(void **state)
{
    (void)state;
    static const char *const names[] = {"module", "slot-index", "pin-source"};
    assert_string_equal(p11prof_foreign_option("library", names, 3), "module");
    assert_string_equal(p11prof_foreign_option("s", names, 3), "slot-index");
    assert_null(p11prof_foreign_option("library", names + 1, 2));
    assert_null(p11prof_foreign_option("librar", names, 3));
    assert_null(p11prof_foreign_option("", names, 3));
    assert_string_equal(p11prof_foreign_command("benchmark-compare"), "compare");
    assert_null(p11prof_foreign_command("bench"));
    assert_null(p11prof_foreign_command(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_have_three_digits),
        cmocka_unit_test(durations_are_read),
        cmocka_unit_test(what_is_no_duration_is_refused),
        cmocka_unit_test(moments_are_told_apart),
        cmocka_unit_test(sizes_are_powers_of_1024),
        cmocka_unit_test(changes),
        cmocka_unit_test(shares_and_rates),
        cmocka_unit_test(texts_cannot_act),
        cmocka_unit_test(the_nearest_name_is_found),
        cmocka_unit_test(words_of_other_tools_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
