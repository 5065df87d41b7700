/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Rows of a histogram, outliers, and the drawing. */
#include "report/histogram_draw.h"
#include "report/outliers.h"
#include "report/safe_text.h"
#include "report/wrap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "draws.h"

static struct p11prof_tally_group group;

static int group_teardown(void **state)
{
    (void)state;
    p11prof_tally_group_clear(&group);
    return 0;
}

/* Moves the durations into buckets, as they are when rows are gone. */
static void forget_rows(void)
{
    for (size_t i = 0; i < group.duration_count; i++) {
        uint64_t ns = group.durations[i];
        p11prof_sums_add(&group.sums,
                         &(struct p11prof_sums){1, ns, ns, ns, (double)ns * (double)ns});
        p11prof_buckets_add(&group.buckets, ns, 1);
    }
    group.duration_count = 0;
}

static void check_bins(uint64_t min_ns, uint64_t max_ns, bool of_buckets)
{
    struct p11prof_bins bins;
    p11prof_bins_choose(&bins, min_ns, max_ns, of_buckets);
    assert_in_range(bins.count, 1, P11PROF_BINS_MOST);
    assert_true(bins.edges_ns[0] <= min_ns && bins.edges_ns[bins.count] > max_ns);
    for (size_t i = 0; i < bins.count; i++) {
        assert_true(bins.edges_ns[i] < bins.edges_ns[i + 1]);
        assert_int_equal(p11prof_bins_find(&bins, bins.edges_ns[i]), i);
        assert_int_equal(p11prof_bins_find(&bins, bins.edges_ns[i + 1] - 1), i);
        unsigned octave = p11prof_octave(bins.edges_ns[i]);
        if (of_buckets)
            assert_int_equal(bins.edges_ns[i] % p11prof_bucket_width_ns(octave), 0);
    }
}

static void bins_hold_everything_once(void **state)
{
    (void)state;
    const uint64_t ends[] = {0,      1,       7,          100,         101,
                             130000, 5000000, 3600000000, 86400000000, UINT64_C(1) << 62};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        for (size_t k = i; k < sizeof ends / sizeof ends[0]; k++)
            for (int of_buckets = 0; of_buckets < 2; of_buckets++)
                check_bins(ends[i], ends[k], of_buckets);
}

static void bins_are_as_many_as_can_be_read(void **state)
{
    (void)state;
    struct p11prof_bins bins;
    for (double ratio = 1.02; ratio < 1e10; ratio *= 1.7) {
        p11prof_bins_choose(&bins, 123456, (uint64_t)(123456 * ratio), false);
        if (bins.count < 15) {
            fail_msg("%zu bins for a ratio of %g", bins.count, ratio);
        }
    }
}

static void edges_are_round(void **state)
{
    (void)state;
    static const uint64_t decades[] = {1000,   1500,   2000,   3000,   5000,    7000,   10000,
                                       15000,  20000,  30000,  50000,  70000,   100000, 150000,
                                       200000, 300000, 500000, 700000, 1000000, 1500000};
    struct p11prof_bins bins;
    p11prof_bins_choose(&bins, 1000, 1400000, false);
    assert_int_equal(bins.count, 19);
    assert_memory_equal(bins.edges_ns, decades, sizeof decades);
    p11prof_bins_choose(&bins, 45, 50, true);
    assert_int_equal(bins.count, 6); /* 1 ns each */
}

/* Values within 1 %: rows show more than buckets can tell. */
static void no_bin_is_finer_than_what_is_known(void **state)
{
    (void)state;
    struct p11prof_bins bins;
    p11prof_bins_choose(&bins, 1000000, 1009000, false);
    assert_true(bins.count >= 15);
    p11prof_bins_choose(&bins, 1000000, 1009000, true);
    assert_in_range(bins.count, 1, 3);
}

static int compare(const void *a, const void *b)
{
    uint64_t first = *(const uint64_t *)a, second = *(const uint64_t *)b;
    return (first > second) - (first < second);
}

/* The fence worked out on logarithms, from sorted durations. */
static uint64_t outliers_by_definition(const uint64_t *sorted, size_t count)
{
    double p25 = log((double)sorted[(count * 25 + 99) / 100 - 1]);
    double p75 = log((double)sorted[(count * 75 + 99) / 100 - 1]);
    uint64_t outliers = 0;
    for (size_t i = 0; i < count; i++)
        outliers += (double)sorted[i] >= exp(p75 + 3 * (p75 - p25)) + 1;
    return outliers;
}

static void outliers_follow_the_definition(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct p11prof_outliers outliers, rough;
        group_teardown(NULL);
        draw_seed(seed);
        for (size_t i = 0; i < 997; i++)
            p11prof_tally_add_duration(&group,
                                       (uint64_t)draw_lognormal(i % 50 ? 100e3 : 10e6, 0.3));
        p11prof_outliers_find(&outliers, &group);
        qsort(group.durations, group.duration_count, sizeof(uint64_t), compare);
        assert_int_equal(outliers.count, outliers_by_definition(group.durations, 997));
        assert_true(outliers.count >= 15);
        assert_true(fabs(outliers.share - (double)outliers.count / 997) < 1e-12);
        forget_rows();
        p11prof_outliers_find(&rough, &group);
        assert_true(fabs((double)rough.beyond_ns / (double)outliers.beyond_ns - 1) < 0.05);
        assert_in_range(rough.count, outliers.count - 2, outliers.count + 2);
    }
}

static void equal_durations_have_no_outliers(void **state)
{
    (void)state;
    struct p11prof_outliers outliers;
    p11prof_outliers_find(&outliers, &group);
    assert_int_equal(outliers.count, 0);
    for (size_t i = 0; i < 100; i++)
        p11prof_tally_add_duration(&group, i < 90 ? 50 : 51);
    p11prof_outliers_find(&outliers, &group);
    assert_int_equal(outliers.count, 0); /* a tick of the clock is none */
    p11prof_tally_add_duration(&group, 5000);
    p11prof_outliers_find(&outliers, &group);
    assert_int_equal(outliers.count, 1);
}

/* What is printed; the caller frees it. */
static char *print(const struct p11prof_canvas *canvas, const struct p11prof_chart_style *style)
{
    char *text;
    size_t bytes;
    FILE *stream = open_memstream(&text, &bytes);
    p11prof_canvas_print(canvas, stream, style);
    fclose(stream);
    return text;
}

static char *draw(const struct p11prof_chart_style *style)
{
    struct p11prof_bins bins;
    struct p11prof_stats stats;
    struct p11prof_canvas canvas;
    uint64_t counts[P11PROF_BINS_MOST] = {0};
    p11prof_tally_stats(&group, &stats);
    p11prof_bins_choose(&bins, stats.min_ns, stats.max_ns, false);
    p11prof_bins_count(&bins, &group, counts);
    p11prof_histogram_draw(&canvas, &bins, counts, &stats, style);
    char *text = print(&canvas, style);
    p11prof_canvas_clear(&canvas);
    return text;
}

static void check_text(const char *expected, const struct p11prof_chart_style *style)
{
    char *text = draw(style);
    assert_string_equal(text, expected);
    free(text);
}

static void add(uint64_t duration_ns, size_t times)
{
    while (times-- > 0)
        p11prof_tally_add_duration(&group, duration_ns);
}

static void a_small_histogram(void **state)
{
    (void)state;
    add(100, 40);
    add(101, 25);
    add(102, 8);
    add(103, 1);
    add(105, 1);
    check_text("  from count                       so far\n"
               "100 ns    40 ████████████████████  53.3 % p50\n"
               "101 ns    25 ████████████▌         86.7 %\n"
               "102 ns     8 ████                  97.3 % p90–p95\n"
               "103 ns     1 ▌                     98.7 %\n"
               "104 ns     0                       98.7 %\n"
               "105 ns     1 ▌                    100.0 % p99–max\n",
               &(struct p11prof_chart_style){.width = 51});
    check_text("  from count            so far\n"
               "100 ns    40 #########  53.3 % p50\n"
               "101 ns    25 #####=     86.7 %\n"
               "102 ns     8 #=         97.3 % p90-p95\n"
               "103 ns     1 -          98.7 %\n"
               "104 ns     0            98.7 %\n"
               "105 ns     1 -         100.0 % p99-max\n",
               &(struct p11prof_chart_style){.width = 40, .ascii = true});
}

static void a_single_call(void **state)
{
    (void)state;
    add(1234567, 1);
    check_text("from count              so far\n"
               "1 ms     1 ########### 100.0 % p50-max\n",
               &(struct p11prof_chart_style){.width = 40, .ascii = true});
}

static void one_of_many_still_shows(void **state)
{
    (void)state;
    add(100, 100000);
    add(102, 1);
    check_text("  from  count           so far\n"
               "100 ns 100000 ########  <100 % p50-p99.9\n"
               "101 ns      0           <100 %\n"
               "102 ns      1 -        100.0 % max\n",
               &(struct p11prof_chart_style){.width = 40, .ascii = true});
}

static void lines_fit_the_width(void **state)
{
    (void)state;
    draw_seed(1);
    for (size_t i = 0; i < 20000; i++)
        add((uint64_t)draw_lognormal(1e6, 2), 1);
    for (size_t width = P11PROF_CHART_WIDTH_LEAST; width <= P11PROF_CHART_WIDTH_MOST; width++) {
        char *text = draw(&(struct p11prof_chart_style){.width = width, .ascii = width % 2}),
             *rest = text;
        size_t widest = 0;
        for (char *line; (line = strsep(&rest, "\n"));)
            widest = p11prof_text_width(line) > widest ? p11prof_text_width(line) : widest;
        assert_in_range(widest, width - P11PROF_CHART_WIDTH_LEAST / 4, width);
        free(text);
    }
}

static void colours_end_on_their_line(void **state)
{
    (void)state;
    add(100, 2);
    add(200, 1);
    char *text = draw(&(struct p11prof_chart_style){.width = 40, .colour = true}), *rest = text;
    assert_non_null(strstr(text, "\033[36m"));
    for (char *line; (line = strsep(&rest, "\n"));) {
        const char *last = strrchr(line, '\033');
        assert_true(!last || strncmp(last, "\033[0m", 4) == 0);
    }
    free(text);
}

static void text_is_broken_at_blanks(void **state)
{
    (void)state;
    const char *next;
    assert_int_equal(p11prof_wrap("short", 10, &next), 5);
    assert_string_equal(next, "");
    assert_int_equal(p11prof_wrap("one two three", 8, &next), 7);
    assert_string_equal(next, "three");
    assert_int_equal(p11prof_wrap("takes 12 ms", 9, &next), 5); /* a number keeps its unit */
    assert_string_equal(next, "12 ms");
    assert_int_equal(p11prof_wrap("äöüäöü rest", 4, &next), 8); /* whole characters */
    assert_string_equal(next, "öü rest");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bins_hold_everything_once),
        cmocka_unit_test(bins_are_as_many_as_can_be_read),
        cmocka_unit_test(edges_are_round),
        cmocka_unit_test(no_bin_is_finer_than_what_is_known),
        cmocka_unit_test_teardown(outliers_follow_the_definition, group_teardown),
        cmocka_unit_test_teardown(equal_durations_have_no_outliers, group_teardown),
        cmocka_unit_test_teardown(a_small_histogram, group_teardown),
        cmocka_unit_test_teardown(a_single_call, group_teardown),
        cmocka_unit_test_teardown(one_of_many_still_shows, group_teardown),
        cmocka_unit_test_teardown(lines_fit_the_width, group_teardown),
        cmocka_unit_test_teardown(colours_end_on_their_line, group_teardown),
        cmocka_unit_test(text_is_broken_at_blanks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
