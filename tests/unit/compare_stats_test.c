/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The distributions, intervals and corrections of comparisons against tables and hand-made numbers.
 */
#include "report/block_spread.h"
#include "report/comparison.h"
#include "report/paired.h"
#include "report/proportion.h"
#include "report/student.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void near(double found, double wanted, double error)
{
    if (!(fabs(found - wanted) <= error)) {
        fail_msg("%.12g is not %.12g", found, wanted);
    }
}

/* Abramowitz and Stegun, table 26.10; both tails. */
static void student_is_as_tabulated(void **state)
{
    static const struct {
        double freedom, tail, t;
    } table[] = {{1, 0.05, 12.706},   {1, 0.01, 63.657},    {1, 0.001, 636.619},
                 {2, 0.05, 4.303},    {2, 0.001, 31.599},   {3, 0.05, 3.182},
                 {4, 0.05, 2.776},    {5, 0.1, 2.015},      {5, 0.01, 4.032},
                 {9, 0.05, 2.262},    {9, 0.001, 4.781},    {10, 0.05, 2.228},
                 {29, 0.05, 2.045},   {30, 0.01, 2.750},    {60, 0.05, 2.000},
                 {120, 0.001, 3.373}, {1e6, 0.05, 1.95996}, {1e9, 0.05, 1.95996}};
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        near(p11prof_student_quantile(table[i].tail, table[i].freedom), table[i].t, 6e-4);
        near(p11prof_student_tail(table[i].t, table[i].freedom), table[i].tail,
             2e-3 * table[i].tail);
    }
    near(p11prof_normal_quantile(0.05), 1.959963984540, 1e-9);
    near(p11prof_normal_quantile(0.001), 3.290526731492, 1e-9);
    near(p11prof_normal_quantile(1e-9), 6.109410204869, 1e-8);
}

/* One degree of freedom is Cauchy's distribution, two have a closed form: both say the tail. */
static void student_is_as_closed_forms(void **state)
{
    static const double ts[] = {0, 1e-6, 0.1, 0.5, 1, 2, 5, 17, 300, 1e6};
    (void)state;
    for (size_t i = 0; i < sizeof ts / sizeof ts[0]; i++) {
        double t = ts[i], two = 1 - t / sqrt(2 + t * t);
        near(p11prof_student_tail(t, 1), 1 - 2 * atan(t) / acos(-1), 1e-13);
        near(p11prof_student_tail(t, 2), two, 1e-12);
        near(p11prof_student_tail(-t, 2), two, 1e-12);
        near(p11prof_student_tail(t, 1e12), erfc(t / sqrt(2)), 1e-12);
    }
}

static void student_goes_both_ways(void **state)
{
    static const double freedoms[] = {0.7, 1, 1.3, 4, 7.7, 30, 1000, 1e8};
    (void)state;
    for (size_t i = 0; i < sizeof freedoms / sizeof freedoms[0]; i++)
        for (double tail = 0.9; tail > 1e-9; tail /= 3)
            near(p11prof_student_tail(p11prof_student_quantile(tail, freedoms[i]), freedoms[i]),
                 tail, 1e-9 * tail);
    assert_true(isinf(p11prof_student_quantile(0.05, 0)));
    near(p11prof_student_tail(NAN, 5), 1, 0);
    near(p11prof_student_tail(INFINITY, 5), 0, 0);
}

/* Holm 1979 by hand: 0.05/4, 0.05/3, 0.05/2; the third is the first that stands. */
static void holm_is_as_by_hand(void **state)
{
    const double p_values[] = {0.04, 0.001, 0.03, 0.012};
    const double wanted[] = {0.025, 0.0125, 0.025, 0.05 / 3};
    double tails[4];
    (void)state;
    p11prof_holm_levels(p_values, 4, 0.05, tails);
    for (size_t i = 0; i < 4; i++)
        near(tails[i], wanted[i], 1e-15);
    p11prof_holm_levels(p_values, 0, 0.05, tails);
    p11prof_holm_levels(p_values, 1, 0.05, tails);
    near(tails[0], 0.05, 0);
}

/* Newcombe 1998 (Statistics in Medicine 17, 873-890), table II, method 10, examples (a) to (h). */
static void newcombe_is_as_published(void **state)
{
    static const struct {
        double a, m, b, n, low, high;
    } table[] = {{56, 70, 48, 80, 0.0524, 0.3339}, {9, 10, 3, 10, 0.1705, 0.8090},
                 {6, 7, 2, 7, 0.0582, 0.8062},     {5, 56, 0, 29, -0.0381, 0.1926},
                 {0, 10, 0, 20, -0.1611, 0.2775},  {0, 10, 0, 10, -0.2775, 0.2775},
                 {10, 10, 0, 20, 0.6791, 1.0000},  {10, 10, 0, 10, 0.6075, 1.0000}};
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct p11prof_proportion first = {table[i].b, table[i].n};
        struct p11prof_proportion second = {table[i].a, table[i].m};
        double low, high;
        p11prof_newcombe(&first, &second, p11prof_normal_quantile(0.05), &low, &high);
        near(low, table[i].low, 6e-5);
        near(high, table[i].high, 6e-5);
    }
}

enum { WINDOWS = 24 };

static struct p11prof_spread spread_of(const double *values, size_t count)
{
    struct p11prof_part_of_mean parts[WINDOWS];
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += values[i];
    for (size_t i = 0; i < count; i++)
        parts[i] = (struct p11prof_part_of_mean){
            1.0 / (double)count, values[i] / (double)count - sum / (double)count / (double)count};
    return p11prof_block_spread(parts, count);
}

/* Without correlation it is the textbook's s²/n with n - 1 degrees of freedom. */
static void windows_that_alternate_are_independent(void **state)
{
    double values[WINDOWS];
    (void)state;
    for (size_t i = 0; i < WINDOWS; i++)
        values[i] = i % 2 ? 9 : 11;
    struct p11prof_spread spread = spread_of(values, WINDOWS);
    near(spread.variance, 24.0 / 23 / 24, 1e-12);
    near(spread.freedom, 23, 1e-9);
    assert_int_equal(spread.block_count, WINDOWS);
}

/* Windows that go up and down slowly are few independent ones. */
static void slow_windows_are_few(void **state)
{
    double values[WINDOWS];
    (void)state;
    for (size_t i = 0; i < WINDOWS; i++)
        values[i] = 10 + sin((double)i * acos(-1) / 12);
    struct p11prof_spread spread = spread_of(values, WINDOWS);
    assert_true(spread.block_count <= 6);
    assert_true(spread.variance > 3 * 0.5 / 23);
    values[0] = 1;
    assert_true(isinf(spread_of(values, 1).variance));
    assert_true(isinf(spread_of(values, 0).variance));
}

/* Long windows weigh more, and the many short ones before them are no more freedom. */
static void long_windows_weigh_more(void **state)
{
    struct p11prof_part_of_mean parts[WINDOWS];
    double residual = 0;
    (void)state;
    for (size_t i = 0; i < WINDOWS; i++) {
        double weight = i < 20 ? 1.0 / 260 : 60.0 / 260;
        parts[i] = (struct p11prof_part_of_mean){weight, weight * (i % 2 ? 1 : -1)};
        residual += parts[i].residual;
    }
    near(residual, 0, 1e-12);
    struct p11prof_spread spread = p11prof_block_spread(parts, WINDOWS);
    assert_true(spread.freedom > 2 && spread.freedom < 4);
    assert_true(spread.variance > 0.1);
}

static void verdicts_follow_their_table(void **state)
{
    static const struct {
        double effect, low, high, threshold;
        enum p11prof_metric metric;
        enum p11prof_verdict verdict;
    } table[] = {
        {0.10, 0.06, 0.14, 0.05, P11PROF_METRIC_P50, P11PROF_VERDICT_REGRESSED},
        {0.10, 0.01, 0.19, 0.05, P11PROF_METRIC_P50, P11PROF_VERDICT_REGRESSED},
        {0.10, -0.01, 0.21, 0.05, P11PROF_METRIC_P50, P11PROF_VERDICT_UNCLEAR},
        {-0.10, -0.14, -0.06, 0.05, P11PROF_METRIC_P50, P11PROF_VERDICT_IMPROVED},
        {-0.10, -0.21, 0.01, 0.05, P11PROF_METRIC_P50, P11PROF_VERDICT_UNCLEAR},
        {0.03, 0.02, 0.04, 0.05, P11PROF_METRIC_P50, P11PROF_VERDICT_SAME},
        {0.00, -0.04, 0.04, 0.05, P11PROF_METRIC_P50, P11PROF_VERDICT_SAME},
        {0.00, -0.06, 0.04, 0.05, P11PROF_METRIC_P50, P11PROF_VERDICT_UNCLEAR},
        {0.03, 0.01, 0.06, 0.05, P11PROF_METRIC_P50, P11PROF_VERDICT_UNCLEAR},
        {0.05, 0.01, 0.05, 0.05, P11PROF_METRIC_P50, P11PROF_VERDICT_SAME},
        {0.001, 0.0005, 0.002, 0, P11PROF_METRIC_THROUGHPUT, P11PROF_VERDICT_REGRESSED},
        {0.002, 0.001, 0.003, 0, P11PROF_METRIC_ERRORS, P11PROF_VERDICT_REGRESSED},
        {0.002, -0.001, 0.005, 0, P11PROF_METRIC_ERRORS, P11PROF_VERDICT_SAME},
        {0.002, -0.02, 0.02, 0, P11PROF_METRIC_ERRORS, P11PROF_VERDICT_UNCLEAR},
        {0.002, 0.001, 0.003, 0.01, P11PROF_METRIC_ERRORS, P11PROF_VERDICT_SAME},
        {0.0, -INFINITY, INFINITY, 0.05, P11PROF_METRIC_P50, P11PROF_VERDICT_UNCLEAR},
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        const struct p11prof_metric_result result = {.known = true,
                                                     .effect = table[i].effect,
                                                     .corrected_low = table[i].low,
                                                     .corrected_high = table[i].high,
                                                     .threshold = table[i].threshold};
        enum p11prof_verdict verdict = p11prof_metric_verdict(&result, table[i].metric);
        if (verdict != table[i].verdict) {
            fail_msg("line %zu is %s", i, p11prof_verdict_name(verdict));
        }
    }
    struct p11prof_metric_result unknown = {.known = false};
    assert_int_equal(p11prof_metric_verdict(&unknown, P11PROF_METRIC_P50),
                     P11PROF_VERDICT_INSUFFICIENT);
    unknown = (struct p11prof_metric_result){.known = true, .lack = P11PROF_LACK_WINDOWS};
    assert_int_equal(p11prof_metric_verdict(&unknown, P11PROF_METRIC_P50),
                     P11PROF_VERDICT_INSUFFICIENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(student_is_as_tabulated),
        cmocka_unit_test(student_is_as_closed_forms),
        cmocka_unit_test(student_goes_both_ways),
        cmocka_unit_test(holm_is_as_by_hand),
        cmocka_unit_test(newcombe_is_as_published),
        cmocka_unit_test(windows_that_alternate_are_independent),
        cmocka_unit_test(slow_windows_are_few),
        cmocka_unit_test(long_windows_weigh_more),
        cmocka_unit_test(verdicts_follow_their_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
