/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What is found in a stress run: slower at the end or not, heat, memory; and how it is said. */
#include "results_fixture.h"

#include "report/stress.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SLICE_NS = 100000000, MB = 1 << 20 };

static void run_sql(const char *sql)
{
    char *message = NULL;
    if (sqlite3_exec(p11prof_store_sqlite(fixture_store), sql, NULL, NULL, &message)) {
        fail_msg("%s: %s", sql, message);
    }
}

/* A load whose slices have `count` operations, less or more by a few; those of its last third last
 * longer by `slower`. */
static void write_slices(unsigned slices, unsigned count, double slower)
{
    char sql[512];
    bench_load(1, "ecdsa-p256-sign", 32, 1, 1);
    run_sql("INSERT INTO call_group VALUES (1, 1, 1, 1, 0, -1, -1, -1, 6, 0, 0, 0, 0, 0, 0, 0, "
            "NULL, NULL, 0, 0)");
    run_sql("UPDATE call_group SET code = (SELECT operation FROM bench_load)");
    for (unsigned i = 0; i < slices; i++) {
        uint64_t start_ns = (uint64_t)(i + 1) * SLICE_NS;
        double ns = i < slices - slices / 3 ? SLICE_NS : SLICE_NS * (1 + slower);
        unsigned done = count == 0 ? 0 : count + i * 7 % 5 - 2;
        bench_slice(1, i + 1, start_ns, (uint64_t)ns);
        snprintf(sql, sizeof sql,
                 "INSERT INTO group_window VALUES (%u, 1, %llu, 0, %u, %u, 0, 0, %u, 0, 0, 1, 1, "
                 "0, 0)",
                 i + 1, (unsigned long long)start_ns, done, done, done);
        run_sql(sql);
    }
}

/* Values of an interval; those not set are unknown. */
struct reading {
    double celsius;
    int64_t hz, rss_bytes;
};

static void write_interval(unsigned number, const struct reading *reading)
{
    struct p11prof_error error = {0};
    struct p11prof_interval_row row = {.load = 1,
                                       .interval = number,
                                       .start_ns = number * UINT64_C(1000000000),
                                       .duration_ns = 1000000000,
                                       .until_ns = number * UINT64_C(1000000000),
                                       .measured_ns = 1000000000,
                                       .count = 1000,
                                       .error_count = number == 2,
                                       .p50_ns = -1,
                                       .p99_ns = -1,
                                       .cpu_share = 0.5,
                                       .steal_share = -1,
                                       .temperature_celsius = reading->celsius,
                                       .frequency_hz = reading->hz,
                                       .rss_bytes = reading->rss_bytes,
                                       .session_count = -1};
    if (p11prof_store_interval_add(fixture_store, 1, &row, &error)) {
        fail_msg("%s", error.text);
    }
}

/* Ten intervals; each reading goes from the first value to the last one. */
static void write_intervals(const struct reading *first, const struct reading *last)
{
    for (int i = 0; i < 10; i++) {
        const struct reading reading = {first->celsius + (last->celsius - first->celsius) * i / 9,
                                        first->hz + (last->hz - first->hz) * i / 9,
                                        first->rss_bytes +
                                            (last->rss_bytes - first->rss_bytes) * i / 9};
        write_interval((unsigned)i + 1, &reading);
    }
}

static const struct reading unknown = {(double)NAN, -1, -1};

/* The page; valid until the next call. */
static const char *printed(bool intervals)
{
    static char *text;
    size_t bytes;
    struct p11prof_stress stress = {.intervals = {.columns = NULL}};
    struct p11prof_error error = {0};
    free(text);
    struct p11prof_page page = {.stream = open_memstream(&text, &bytes),
                                .format = P11PROF_FORMAT_TEXT};
    if (p11prof_stress_load(&stress, p11prof_store_sqlite(fixture_store), 1, &error)) {
        fail_msg("%s", error.text);
    }
    p11prof_stress_page(&page, &stress, intervals);
    p11prof_stress_clear(&stress);
    fclose(page.stream);
    return text;
}

static void has(const char *part)
{
    const char *text = printed(true);
    if (!strstr(text, part)) {
        fail_msg("there is no '%s' in:\n%s", part, text);
    }
}

static void lacks(const char *part)
{
    const char *text = printed(true);
    if (strstr(text, part)) {
        fail_msg("there is '%s' in:\n%s", part, text);
    }
}

/* --- degradation --- */

static void finds_a_slow_end(void **state)
{
    (void)state;
    write_slices(200, 100, 0.25);
    write_intervals(&unknown, &unknown);
    has("ecdsa-p256-sign: 10000 operations, 1 error in 10.0 s");
    has("degradation: 25.0 % slower in the last tenth than in the first (95 %: 2");
    lacks("throttling");
    lacks("leak");
}

static void finds_none_where_there_is_none(void **state)
{
    (void)state;
    write_slices(200, 100, 0);
    write_intervals(&unknown, &unknown);
    has("no degradation beyond 0.");
    lacks("slower");
}

static void a_small_one_is_none(void **state)
{
    (void)state;
    write_slices(400, 1000, 0.005);
    write_intervals(&unknown, &unknown);
    has("no degradation beyond 0.5");
    lacks("slower");
}

static void faster_is_no_degradation(void **state)
{
    (void)state;
    write_slices(200, 100, -0.2);
    write_intervals(&unknown, &unknown);
    has("no degradation: 20.0 % faster in the last tenth than in the first");
}

static void few_slices_are_too_few(void **state)
{
    (void)state;
    write_slices(99, 100, 0.5);
    write_intervals(&unknown, &unknown);
    has("degradation: unknown: fewer than 10 windows of time");
}

static void nothing_done_is_unknown(void **state)
{
    (void)state;
    write_slices(200, 0, 0);
    write_intervals(&unknown, &unknown);
    has("degradation: unknown: ");
}

static void no_slice_is_unknown(void **state)
{
    (void)state;
    bench_load(1, "ecdsa-p256-sign", 32, 1, 1);
    write_interval(1, &unknown);
    has("degradation: unknown: ");
    run_sql("DELETE FROM bench_interval");
    assert_string_equal(printed(true), "");
}

/* --- what moved with it --- */

static void heat_is_named(void **state)
{
    (void)state;
    const struct reading cool = {40, 3000000000, -1}, hot = {80, 3000000000, -1};
    write_slices(200, 100, 0.25);
    write_intervals(&cool, &hot);
    has("thermal throttling? it got 40.0 °C hotter\n");
}

static void a_lower_frequency_is_named(void **state)
{
    (void)state;
    const struct reading fast = {40, 3000000000, -1}, slow = {40, 2400000000, -1};
    write_slices(200, 100, 0.25);
    write_intervals(&fast, &slow);
    has("thermal throttling? the processors' frequency changed by -20.0 %");
}

static void heat_alone_is_no_matter(void **state)
{
    (void)state;
    const struct reading cool = {40, 3000000000, -1}, hot = {80, 2000000000, -1};
    write_slices(200, 100, 0);
    write_intervals(&cool, &hot);
    lacks("throttling");
}

static void slower_without_heat_is_no_throttling(void **state)
{
    (void)state;
    const struct reading cool = {60, 3000000000, -1}, cooler = {55, 3200000000, -1};
    write_slices(200, 100, 0.25);
    write_intervals(&cool, &cooler);
    has("degradation: 25");
    lacks("throttling");
}

/* --- memory --- */

static void memory_that_grows_is_named(void **state)
{
    (void)state;
    const struct reading small = {(double)NAN, -1, 10 * MB}, large = {(double)NAN, -1, 28 * MB};
    write_slices(200, 100, 0);
    write_intervals(&small, &large);
    has("RSS grew by 16.0 MB: does the module leak?");
}

static void memory_that_stays_is_not(void **state)
{
    (void)state;
    static const int mb[3][10] = {
        {10, 20, 20, 20, 20, 20, 20, 20, 20, 20}, /* a cache, filled in the first interval */
        {10, 14, 18, 22, 24, 24, 24, 24, 24, 24}, /* in the first half */
        {10, 12, 10, 12, 10, 12, 10, 12, 10, 12}, /* up and down */
    };
    write_slices(200, 100, 0);
    for (unsigned way = 0; way < 3; way++) {
        run_sql("DELETE FROM bench_interval");
        for (unsigned i = 0; i < 10; i++)
            write_interval(i + 1, &(struct reading){(double)NAN, -1, (int64_t)mb[way][i] * MB});
        lacks("leak");
    }
}

/* --- the table --- */

static void intervals_are_rows(void **state)
{
    (void)state;
    const struct reading reading = {-3.5, -1, 10 * MB};
    write_slices(200, 100, 0);
    write_interval(1, &reading);
    write_interval(2, &unknown);
    has("Intervals");
    has("1.00 s   1000    -    -       0  50.0 %  -3.5  10.0 MB         -\n");
    has("2.00 s    999    -    -       1  50.0 %     -        -         -\n");
    lacks("STOLEN");
    assert_null(strstr(printed(false), "Intervals"));
    run_sql("UPDATE bench_interval SET steal_share = 0.25 WHERE interval = 2");
    has("STOLEN");
}

static void many_intervals_are_cut(void **state)
{
    (void)state;
    write_slices(20, 100, 0);
    for (unsigned i = 1; i <= 65; i++)
        write_interval(i, &unknown);
    has("… 5 more (view intervals)");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup, bench_teardown)
    const struct CMUnitTest tests[] = {
        TEST(finds_a_slow_end),
        TEST(finds_none_where_there_is_none),
        TEST(a_small_one_is_none),
        TEST(faster_is_no_degradation),
        TEST(few_slices_are_too_few),
        TEST(nothing_done_is_unknown),
        TEST(no_slice_is_unknown),
        TEST(heat_is_named),
        TEST(a_lower_frequency_is_named),
        TEST(heat_alone_is_no_matter),
        TEST(slower_without_heat_is_no_throttling),
        TEST(memory_that_grows_is_named),
        TEST(memory_that_stays_is_not),
        TEST(intervals_are_rows),
        TEST(many_intervals_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
