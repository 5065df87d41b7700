/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Statistics of pairs, against all signs and all Walsh averages written out, against published
 * examples and tables, and as verdicts. */
#include "report/paired.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { WRITTEN_OUT_MOST = 14 };

static void check_near(double found, double value)
{
    if (!(fabs(found - value) <= 1e-9 * (1 + fabs(value)))) {
        fail_msg("%.12g is not %.12g", found, value);
    }
}

/* The same numbers everywhere; -1 to 1. */
static double random_next(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (double)(*state >> 11) / 0x1p52 - 1;
}

/* --- all written out --- */

static int ascending(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return a < b ? -1 : a > b;
}

static size_t walsh(const double *x, size_t n, double *out)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = i; j < n; j++)
            out[count++] = (x[i] + x[j]) / 2;
    qsort(out, count, sizeof *out, ascending);
    return count;
}

/* The sum of the ranks of the positive ones, without ties and zeros. */
static unsigned rank_sum(const double *x, size_t n)
{
    unsigned sum = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; x[i] > 0 && j < n; j++)
            sum += fabs(x[j]) <= fabs(x[i]);
    return sum;
}

/* How many of all 2^n choices of signs give a sum of ranks of at most w. */
static unsigned at_most(size_t n, unsigned w)
{
    unsigned found = 0;
    for (unsigned signs = 0; signs < 1U << n; signs++) {
        unsigned sum = 0;
        for (unsigned rank = 1; rank <= n; rank++)
            sum += signs >> (rank - 1) & 1 ? rank : 0;
        found += sum <= w;
    }
    return found;
}

static void check_written_out(const double *x, size_t n)
{
    double averages[WRITTEN_OUT_MOST * (WRITTEN_OUT_MOST + 1) / 2];
    size_t total = walsh(x, n, averages);
    double all = (double)(1U << n);
    unsigned sum = rank_sum(x, n), other = (unsigned)total - sum;
    double p = 2 * at_most(n, sum < other ? sum : other) / all;
    check_near(p11prof_signed_rank_p(x, n), p < 1 ? p : 1);
    check_near(p11prof_hodges_lehmann(x, n), (averages[(total - 1) / 2] + averages[total / 2]) / 2);
    static const double alphas[] = {0.3, 0.05, 0.01};
    for (size_t a = 0; a < 3; a++) {
        unsigned left_out = 0; /* on each side */
        while (2 * at_most(n, left_out) / all < alphas[a])
            left_out++;
        struct p11prof_interval found = p11prof_signed_rank_interval(x, n, alphas[a]);
        if (left_out == 0) {
            assert_true(isinf(found.low) && isinf(found.high));
            continue;
        }
        check_near(found.low, averages[left_out - 1]);
        check_near(found.high, averages[total - left_out]);
    }
}

static void equals_what_is_written_out(void **state)
{
    (void)state;
    uint64_t seed = 1;
    for (size_t n = 1; n <= WRITTEN_OUT_MOST; n++)
        for (unsigned round = 0; round < 4; round++) {
            double x[WRITTEN_OUT_MOST];
            for (size_t i = 0; i < n; i++)
                x[i] = random_next(&seed) + 0.2 * round;
            check_written_out(x, n);
        }
}

/* --- published --- */

/* Hamilton's depression scale before and after; Hollander and Wolfe (1973), page 29, and the
 * example of R's wilcox.test(): V = 40, p-value = 0.01953 one-sided. */
static void the_example_of_hollander_and_wolfe(void **state)
{
    (void)state;
    static const double before[] = {1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30};
    static const double after[] = {0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29};
    double x[9];
    for (size_t i = 0; i < 9; i++)
        x[i] = before[i] - after[i];
    check_near(p11prof_signed_rank_p(x, 9), 2 * 10 / 512.0);
    check_near(p11prof_hodges_lehmann(x, 9), 0.46);
    struct p11prof_interval interval = p11prof_signed_rank_interval(x, 9, 0.05);
    check_near(interval.low, 0.01);
    check_near(interval.high, 0.786);
}

/* The largest sum that is significant at 5 % on two sides, of the usual tables. */
static void the_tables_of_critical_sums(void **state)
{
    (void)state;
    static const struct {
        size_t n;
        uint64_t critical;
    } tables[] = {{6, 0},   {7, 2},   {8, 3},   {9, 5},    {10, 8},   {12, 13},
                  {15, 25}, {20, 52}, {25, 89}, {30, 137}, {40, 264}, {50, 434}};
    for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++) {
        for (unsigned beyond = 0; beyond < 2; beyond++) {
            double x[50];
            uint64_t left = tables[t].critical + beyond; /* the sum of the negative ones */
            for (size_t rank = tables[t].n; rank > 0; rank--) {
                x[rank - 1] = left >= rank ? -(double)rank : (double)rank;
                left -= left >= rank ? rank : 0;
            }
            double p = p11prof_signed_rank_p(x, tables[t].n);
            struct p11prof_interval interval = p11prof_signed_rank_interval(x, tables[t].n, 0.05);
            assert_int_equal(p <= 0.05, beyond == 0);
            assert_int_equal(interval.low > 0, beyond == 0);
        }
    }
}

/* Holm (1979): of four tests at 5 % these two are rejected, the third not, nor what is behind. */
static void holm_steps_down(void **state)
{
    (void)state;
    static const double p_values[] = {0.03, 0.005, 0.04, 0.01};
    double levels[4];
    p11prof_holm_levels(p_values, 4, 0.05, levels);
    check_near(levels[1], 0.05 / 4);
    check_near(levels[3], 0.05 / 3);
    check_near(levels[0], 0.05 / 2);
    check_near(levels[2], 0.05 / 2);
    static const double all[] = {0.02, 0.02, 0.04};
    p11prof_holm_levels(all, 3, 0.05, levels);
    assert_true(levels[0] < all[0] && levels[1] < all[1] && levels[2] < all[2]);
    static const double ties[] = {0.01, 0.01, 0.04};
    p11prof_holm_levels(ties, 3, 0.05, levels);
    assert_true(levels[0] >= ties[0] && levels[1] >= ties[1] && levels[2] >= ties[2]);
}

/* --- what data may be --- */

static void ties_and_zeros_count_half(void **state)
{
    (void)state;
    static const double zeros[20];
    check_near(p11prof_signed_rank_p(zeros, 20), 1);
    check_near(p11prof_hodges_lehmann(zeros, 20), 0);
    struct p11prof_interval interval = p11prof_signed_rank_interval(zeros, 20, 0.05);
    check_near(interval.low, 0);
    check_near(interval.high, 0);
    /* A zero says less than a positive one: the p-value grows. */
    double x[10] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, p = p11prof_signed_rank_p(x, 10);
    check_near(p, 2 / 1024.0);
    x[0] = 0;
    assert_true(p11prof_signed_rank_p(x, 10) > p);
    /* Both signs of the same size: no side is favoured. */
    static const double even[] = {-1, 1, -1, 1, -2, 2};
    check_near(p11prof_signed_rank_p(even, 6), 1);
    check_near(p11prof_hodges_lehmann(even, 6), 0);
    check_near(p11prof_signed_rank_p(NULL, 0), 1);
    check_near(p11prof_hodges_lehmann(NULL, 0), 0);
    interval = p11prof_signed_rank_interval(NULL, 0, 0.05);
    assert_true(isinf(interval.low) && isinf(interval.high));
}

/* Where the exact distribution gives way to the normal one, answers go on. */
static void large_numbers_go_on_from_small_ones(void **state)
{
    (void)state;
    enum { MOST = P11PROF_SIGNED_RANK_EXACT_MOST };
    double x[2 * MOST];
    uint64_t seed = 7;
    for (size_t i = 0; i < 2 * MOST; i++)
        x[i] = random_next(&seed) + 0.15;
    double exact = p11prof_signed_rank_p(x, MOST), normal = p11prof_signed_rank_p(x, MOST + 1);
    assert_true(exact > 0.0005 && exact < 0.5 && fabs(normal / exact - 1) < 0.25);
    struct p11prof_interval one = p11prof_signed_rank_interval(x, MOST, 0.05),
                            next = p11prof_signed_rank_interval(x, MOST + 1, 0.05);
    assert_true(fabs(one.low - next.low) < 0.02 && fabs(one.high - next.high) < 0.02);
}

/* 10 000 differences have 50 million Walsh averages. Uniform ones have 1/sqrt(3) as deviation, so
 * that the interval has about 2 * 1.96 * 0.577 / 100. */
static void thousands_take_no_time(void **state)
{
    (void)state;
    enum { COUNT = 10000 };
    double *x = malloc(COUNT * sizeof *x);
    uint64_t seed = 3;
    assert_non_null(x);
    for (size_t i = 0; i < COUNT; i++)
        x[i] = random_next(&seed) + 0.5;
    struct p11prof_interval interval = p11prof_signed_rank_interval(x, COUNT, 0.05);
    assert_true(fabs(p11prof_hodges_lehmann(x, COUNT) - 0.5) < 0.02);
    assert_true(interval.low < 0.5 && interval.high > 0.5);
    assert_true(fabs(interval.high - interval.low - 0.0226) < 0.003);
    assert_true(p11prof_signed_rank_p(x, COUNT) < 1e-9);
    free(x);
}

/* Of 1000 comparisons of nothing with itself, one in twenty is wrong. */
static void the_error_is_what_is_promised(void **state)
{
    (void)state;
    uint64_t seed = 11;
    unsigned wrong = 0;
    for (unsigned round = 0; round < 1000; round++) {
        double x[60];
        for (size_t i = 0; i < 60; i++)
            x[i] = random_next(&seed);
        struct p11prof_interval interval = p11prof_signed_rank_interval(x, 60, 0.05);
        wrong += interval.low > 0 || interval.high < 0;
        assert_int_equal(interval.low > 0 || interval.high < 0,
                         p11prof_signed_rank_p(x, 60) < 0.05);
    }
    assert_in_range(wrong, 30, 70);
}

/* --- verdicts --- */

/* So many pairs; the current side takes `factor` times as long, with a noise on each pair. */
static void pairs_make(struct p11prof_pair *pairs, size_t count, double factor, double noise)
{
    uint64_t seed = 5;
    for (size_t i = 0; i < count; i++) {
        double more = 1 + noise * random_next(&seed);
        pairs[i] = (struct p11prof_pair){100, 100000000, 50, (uint64_t)(50000000 * factor * more)};
    }
}

static enum p11prof_paired_verdict verdict_of(size_t count, double factor, double noise,
                                              double threshold)
{
    struct p11prof_pair pairs[200];
    struct p11prof_paired_test test = {.pairs = pairs, .pair_count = count};
    pairs_make(pairs, count, factor, noise);
    p11prof_paired_compare(&test, 1, threshold);
    return test.verdict;
}

static void verdicts_follow_effect_and_interval(void **state)
{
    (void)state;
    static const struct {
        size_t count;
        double factor, noise, threshold;
        enum p11prof_paired_verdict verdict;
    } cases[] = {
        {60, 1.10, 0.02, 0.05, P11PROF_PAIRED_REGRESSED},
        {60, 0.90, 0.02, 0.05, P11PROF_PAIRED_IMPROVED},
        {60, 1.00, 0.02, 0.05, P11PROF_PAIRED_SAME},
        {60, 1.03, 0.02, 0.05, P11PROF_PAIRED_SAME},
        {60, 1.03, 0.02, 0.01, P11PROF_PAIRED_REGRESSED},
        {60, 1.08, 0.20, 0.05, P11PROF_PAIRED_UNCLEAR},
        {15, 1.20, 0.90, 0.05, P11PROF_PAIRED_UNCLEAR},
        {60, 1.00, 0.02, 0, P11PROF_PAIRED_UNCLEAR},
        {60, 1.01, 0.02, 0, P11PROF_PAIRED_REGRESSED},
        {60, 1, 0, 0, P11PROF_PAIRED_SAME},
        {200, 1.10, 0.02, 0.05, P11PROF_PAIRED_REGRESSED},
        {10, 1.10, 0.02, 0.05, P11PROF_PAIRED_REGRESSED},
        {9, 1.10, 0.02, 0.05, P11PROF_PAIRED_INSUFFICIENT},
        {0, 1.10, 0.02, 0.05, P11PROF_PAIRED_INSUFFICIENT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        enum p11prof_paired_verdict found =
            verdict_of(cases[i].count, cases[i].factor, cases[i].noise, cases[i].threshold);
        if (found != cases[i].verdict)
            fail_msg("case %zu: %s, not %s", i, p11prof_paired_verdicts[found],
                     p11prof_paired_verdicts[cases[i].verdict]);
    }
}

static void the_effect_is_the_time_of_an_operation(void **state)
{
    (void)state;
    struct p11prof_pair pairs[20];
    struct p11prof_paired_test test = {.pairs = pairs, .pair_count = 20};
    pairs_make(pairs, 20, 1.25, 0);
    p11prof_paired_compare(&test, 1, 0.05);
    check_near(test.effect, 0.25);
    check_near(test.base_per_s, 1000);
    check_near(test.current_per_s, 800);
    check_near(test.range.low, 0.25);
    check_near(test.range.high, 0.25);
}

/* A slice in which nothing succeeded says nothing of how long a success takes. */
static void pairs_without_a_success_are_passed_over(void **state)
{
    (void)state;
    struct p11prof_pair pairs[12];
    struct p11prof_paired_test test = {.pairs = pairs, .pair_count = 12};
    pairs_make(pairs, 12, 1.25, 0);
    pairs[3].current_count = 0;
    pairs[7] = (struct p11prof_pair){0};
    p11prof_paired_compare(&test, 1, 0.05);
    assert_int_equal(test.used_count, 10);
    assert_int_equal(test.verdict, P11PROF_PAIRED_REGRESSED);
    check_near(test.effect, 0.25);
    pairs[8].base_ns = 0;
    p11prof_paired_compare(&test, 1, 0.05);
    assert_int_equal(test.verdict, P11PROF_PAIRED_INSUFFICIENT);
}

static void thirty_operations_are_the_least(void **state)
{
    (void)state;
    struct p11prof_pair pairs[29];
    struct p11prof_paired_test test = {.pairs = pairs, .pair_count = 29};
    for (size_t i = 0; i < 29; i++)
        pairs[i] = (struct p11prof_pair){5, 1000, 1, 400};
    p11prof_paired_compare(&test, 1, 0.05);
    assert_int_equal(test.verdict, P11PROF_PAIRED_INSUFFICIENT);
    pairs[0].current_count = 2;
    pairs[0].current_ns = 800;
    p11prof_paired_compare(&test, 1, 0.05);
    assert_int_equal(test.verdict, P11PROF_PAIRED_REGRESSED);
}

/* A p-value of 0.012 is enough for one test, not for one of ten that are alike. */
static void many_tests_are_held_to_more(void **state)
{
    (void)state;
    enum { TESTS = 10, PAIRS = 12 };
    struct p11prof_pair pairs[PAIRS];
    struct p11prof_paired_test tests[TESTS];
    for (size_t i = 0; i < PAIRS; i++) /* the third smallest of the differences and the sixth
                                          are negative: a sum of ranks of 9 */
        pairs[i] = (struct p11prof_pair){
            100, 100000, 100, 100000 + (uint64_t)(i == 2 || i == 5 ? -1 : 1) * 1000 * (i + 1)};
    for (size_t i = 0; i < TESTS; i++)
        tests[i] = (struct p11prof_paired_test){.pairs = pairs, .pair_count = PAIRS};
    p11prof_paired_compare(tests, 1, 0);
    assert_int_equal(tests[0].verdict, P11PROF_PAIRED_REGRESSED);
    assert_true(tests[0].p_value < 0.05 && tests[0].p_value > 0.005);
    p11prof_paired_compare(tests, TESTS, 0);
    for (size_t i = 0; i < TESTS; i++)
        assert_int_equal(tests[i].verdict, P11PROF_PAIRED_UNCLEAR);
    /* One without enough pairs is no test. */
    tests[1].pair_count = 9;
    p11prof_paired_compare(tests, 2, 0);
    assert_int_equal(tests[0].verdict, P11PROF_PAIRED_REGRESSED);
    assert_int_equal(tests[1].verdict, P11PROF_PAIRED_INSUFFICIENT);
}

static void the_mean_is_geometric(void **state)
{
    (void)state;
    struct p11prof_pair slow[20], fast[20];
    struct p11prof_paired_test tests[3] = {{.pairs = slow, .pair_count = 20},
                                           {.pairs = fast, .pair_count = 20},
                                           {.pairs = slow, .pair_count = 5}};
    double effect;
    pairs_make(slow, 20, 2, 0);
    pairs_make(fast, 20, 0.5, 0);
    p11prof_paired_compare(tests, 3, 0.05);
    assert_true(p11prof_paired_mean(tests, 3, &effect));
    check_near(effect, 0);
    assert_false(p11prof_paired_mean(&tests[2], 1, &effect));
    assert_false(p11prof_paired_mean(NULL, 0, &effect));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_what_is_written_out),
        cmocka_unit_test(the_example_of_hollander_and_wolfe),
        cmocka_unit_test(the_tables_of_critical_sums),
        cmocka_unit_test(holm_steps_down),
        cmocka_unit_test(ties_and_zeros_count_half),
        cmocka_unit_test(large_numbers_go_on_from_small_ones),
        cmocka_unit_test(thousands_take_no_time),
        cmocka_unit_test(the_error_is_what_is_promised),
        cmocka_unit_test(verdicts_follow_effect_and_interval),
        cmocka_unit_test(the_effect_is_the_time_of_an_operation),
        cmocka_unit_test(pairs_without_a_success_are_passed_over),
        cmocka_unit_test(thirty_operations_are_the_least),
        cmocka_unit_test(many_tests_are_held_to_more),
        cmocka_unit_test(the_mean_is_geometric),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
