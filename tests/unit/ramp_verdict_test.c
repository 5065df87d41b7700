/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The steps of a ramp, which of them is the best, where it looks closer, and the search for the
 * highest rate that keeps an objective. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "bench/ramp.h"
#include "bench/slo_search.h"
#include "report/ramp.h"

#include <math.h>
#include <string.h>

enum { STEPS = 12 };

static const double counts[STEPS] = {1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64};

/* --- series --- */

static void series_is(const char *text, const double *values, unsigned count)
{
    struct bench_ramp ramp = {.wanted = true};
    struct p11prof_error error;
    if (ramp_read(&ramp, text, &error) != P11PROF_OK) {
        fail_msg("%s", error.text);
    }
    assert_int_equal(ramp.count, count);
    for (unsigned i = 0; i < count; i++)
        if (fabs(ramp.values[i] - values[i]) > 1e-9) {
            fail_msg("%s: %f is not %f", text, ramp.values[i], values[i]);
        }
}

static void test_series(void **state)
{
    (void)state;
    series_is("threads=1..64", counts, STEPS);
    series_is("threads=5..20", (double[]){5, 6, 8, 12, 16, 20}, 6);
    series_is("threads=3..4", (double[]){3, 4}, 2);
    series_is("threads=1..256",
              (double[]){1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256}, 16);
    series_is("processes=8,2,4,2", (double[]){2, 4, 8}, 3);
    series_is("rate=100..5000",
              (double[]){100, 140, 200, 290, 410, 590, 840, 1200, 1700, 2500, 3500, 5000}, 12);
    series_is(
        "rate=100/s..105/s",
        (double[]){100, 100.4, 100.9, 101.3, 101.8, 102.2, 102.7, 103.2, 103.6, 104.1, 104.5, 105},
        12);
    series_is("rate=0.5,2.5/s,6/m", (double[]){0.1, 0.5, 2.5}, 3);
    series_is("rate=1k/s,120/min", (double[]){2, 1000}, 2);
}

static const char too_many[] =
    "threads=1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,"
    "32,33";

static void test_bad_series(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "threads",
                                      "threads=",
                                      "threads=0..4",
                                      "threads=4..1",
                                      "threads=4..4",
                                      "threads=1..257",
                                      "threads=1.5..3",
                                      "threads=-1..3",
                                      "threads=1...3",
                                      "threads=1..",
                                      "threads=..3",
                                      "rate=0..10",
                                      "rate=nan..inf",
                                      "rate=1..1e9",
                                      "fibres=1..4",
                                      "threads=1,,2",
                                      "processes=1..65",
                                      "threads=1 ..2",
                                      too_many};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct bench_ramp ramp = {.wanted = true};
        struct p11prof_error error;
        if (ramp_read(&ramp, bad[i], &error) != P11PROF_BAD_INPUT) {
            fail_msg("'%s' is a ramp", bad[i]);
        }
        assert_non_null(strstr(error.text, "--ramp wants"));
    }
}

static void test_round(void **state)
{
    (void)state;
    assert_true(ramp_round(1234, 2) == 1200);
    assert_true(ramp_round(0.01234, 3) == 0.0123);
    assert_true(ramp_round(99.96, 3) == 100);
    assert_true(ramp_round(0, 3) == 0);
}

/* --- verdicts --- */

/* What a token does that serves so many at a time, 10 ms each; what waits takes longer. */
static void queue_make(struct p11prof_ramp_step *steps, const double *values, size_t count,
                       double servers)
{
    for (size_t i = 0; i < count; i++) {
        double busy = fmin(values[i], servers);
        steps[i] = (struct p11prof_ramp_step){.value = values[i],
                                              .ops_per_s = busy * 100,
                                              .variance = 1e-6,
                                              .freedom = 9,
                                              .mean_ns = 1e7 * values[i] / busy,
                                              .p99_ns = 1.1e7 * values[i] / busy,
                                              .count = (uint64_t)(busy * 300)};
    }
}

static struct p11prof_ramp_verdict judged(const struct p11prof_ramp_step *steps, size_t count)
{
    struct p11prof_ramp_verdict verdict;
    p11prof_ramp_judge(&verdict, P11PROF_RAMP_THREADS, steps, count, 0);
    return verdict;
}

static void test_saturates(void **state)
{
    (void)state;
    struct p11prof_ramp_step steps[STEPS];
    queue_make(steps, counts, STEPS, 12);
    struct p11prof_ramp_verdict verdict = judged(steps, STEPS);
    assert_int_equal(verdict.finding, P11PROF_RAMP_SATURATES);
    assert_int_equal(verdict.best, 6);
    assert_int_equal(verdict.falls, P11PROF_RAMP_NONE);
}

static void test_flat_and_grows(void **state)
{
    (void)state;
    struct p11prof_ramp_step steps[STEPS];
    queue_make(steps, counts, STEPS, 1);
    struct p11prof_ramp_verdict verdict = judged(steps, STEPS);
    assert_int_equal(verdict.finding, P11PROF_RAMP_FLAT);
    assert_int_equal(verdict.best, 0);
    queue_make(steps, counts, STEPS, 100);
    verdict = judged(steps, STEPS);
    assert_int_equal(verdict.finding, P11PROF_RAMP_GROWS);
    assert_int_equal(verdict.best, STEPS - 1);
    verdict = judged(steps, 1);
    assert_int_equal(verdict.finding, P11PROF_RAMP_SINGLE);
    assert_int_equal(verdict.best, 0);
}

/* Gunther's universal scalability law: its most is at 20 threads. */
static void test_falls(void **state)
{
    (void)state;
    struct p11prof_ramp_step steps[STEPS];
    queue_make(steps, counts, STEPS, 64);
    for (size_t i = 0; i < STEPS; i++) {
        double n = counts[i];
        steps[i].ops_per_s = 100 * n / (1 + 0.05 * (n - 1) + 0.002375 * n * (n - 1));
    }
    struct p11prof_ramp_verdict verdict = judged(steps, STEPS);
    assert_int_equal(verdict.finding, P11PROF_RAMP_FALLS);
    assert_true(counts[verdict.best] >= 12 && counts[verdict.best] <= 20);
    assert_true(counts[verdict.falls] >= 20 && counts[verdict.falls] <= 32);
}

/* Steps that differ by chance: by up to 4 %, with intervals that say so. */
static void test_noise(void **state)
{
    (void)state;
    struct p11prof_ramp_step steps[STEPS];
    for (uint32_t seed = 1; seed <= 200; seed++) {
        uint32_t random = seed;
        queue_make(steps, counts, STEPS, 8);
        for (size_t i = 0; i < STEPS; i++) {
            random = random * 1664525 + 1013904223;
            steps[i].ops_per_s *= 1 + 0.04 * ((random >> 8) / 8388608.0 - 1);
            steps[i].variance = 5e-4;
        }
        struct p11prof_ramp_verdict verdict = judged(steps, STEPS);
        assert_int_equal(verdict.best, 5);
        assert_int_equal(verdict.finding, P11PROF_RAMP_SATURATES);
    }
}

/* An interval that is as wide as can be does not make one thread as good as 64. */
static void test_wide_intervals(void **state)
{
    (void)state;
    struct p11prof_ramp_step steps[STEPS];
    queue_make(steps, counts, STEPS, 8);
    for (size_t i = 0; i < STEPS; i++) {
        steps[i].variance = 1;
        steps[i].freedom = 3;
    }
    assert_int_equal(judged(steps, STEPS).best, 5);
    for (size_t i = 0; i < STEPS; i++)
        steps[i].variance = INFINITY;
    assert_int_equal(judged(steps, STEPS).best, 5);
}

static void test_errors(void **state)
{
    (void)state;
    struct p11prof_ramp_step steps[STEPS];
    queue_make(steps, counts, STEPS, 8);
    steps[5].error_count = 1;
    assert_int_equal(judged(steps, STEPS).best, 6);
    for (size_t i = 0; i < STEPS; i++)
        steps[i].error_count = steps[i].count;
    struct p11prof_ramp_verdict verdict = judged(steps, STEPS);
    assert_int_equal(verdict.finding, P11PROF_RAMP_UNKNOWN);
    assert_int_equal(verdict.best, P11PROF_RAMP_NONE);
    verdict = judged(steps, 0);
    assert_int_equal(verdict.finding, P11PROF_RAMP_UNKNOWN);
}

/* --- rates --- */

/* One server of 1 ms: M/M/1, 1000/s at most. */
static void rates_make(struct p11prof_ramp_step *steps, const double *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        double done = fmin(values[i], 1000), wait_ns = 1e6 / fmax(1 - values[i] / 1000, 0.01);
        steps[i] = (struct p11prof_ramp_step){.value = values[i],
                                              .ops_per_s = done,
                                              .scheduled = true,
                                              .held = done >= 0.99 * values[i],
                                              .mean_ns = wait_ns,
                                              .p99_ns = 4.605 * wait_ns,
                                              .objective_ns = 4.605 * wait_ns,
                                              .count = (uint64_t)(done * 3),
                                              .missed_count = (uint64_t)((values[i] - done) * 3)};
    }
}

static void test_rates(void **state)
{
    (void)state;
    static const double values[] = {100, 200, 300, 400, 500, 600, 700, 800, 900, 990, 1100, 1300};
    struct p11prof_ramp_step steps[STEPS];
    struct p11prof_ramp_verdict verdict;
    rates_make(steps, values, STEPS);
    p11prof_ramp_judge(&verdict, P11PROF_RAMP_RATE, steps, STEPS, 0);
    assert_int_equal(verdict.finding, P11PROF_RAMP_SATURATES);
    assert_int_equal(verdict.held, 9);
    assert_int_equal(verdict.beyond, 10);
    assert_true(values[verdict.best] == 500); /* half of the most, as theory says */
    p11prof_ramp_judge(&verdict, P11PROF_RAMP_RATE, steps, 9, 0);
    assert_int_equal(verdict.finding, P11PROF_RAMP_GROWS);
    p11prof_ramp_judge(&verdict, P11PROF_RAMP_RATE, &steps[10], 2, 0);
    assert_int_equal(verdict.finding, P11PROF_RAMP_UNKNOWN);
    assert_int_equal(verdict.beyond, 0);
    steps[3].held = false;
    p11prof_ramp_judge(&verdict, P11PROF_RAMP_RATE, steps, STEPS, 0);
    assert_int_equal(verdict.held, 2);
}

/* p99 of 20 ms is kept up to 770/s. */
static void test_objective(void **state)
{
    (void)state;
    static const double values[] = {0, 100, 500, 700, 760, 780, 900, 1100};
    struct p11prof_ramp_step steps[8];
    struct p11prof_ramp_verdict verdict;
    rates_make(steps, values, 8);
    steps[0] = (struct p11prof_ramp_step){.ops_per_s = 1000, .count = 3000, .objective_ns = 1e6};
    p11prof_ramp_judge(&verdict, P11PROF_RAMP_RATE, steps, 8, 2e7);
    assert_int_equal(verdict.met, 4);
    assert_int_equal(verdict.missed, 5);
    p11prof_ramp_judge(&verdict, P11PROF_RAMP_RATE, steps, 8, 1e6);
    assert_int_equal(verdict.met, P11PROF_RAMP_NONE);
    assert_int_equal(verdict.missed, 1);
}

/* 200/s by threads of 10 ms: one is too few, with three they are held, more wait for each other. */
static void test_threads_of_a_rate(void **state)
{
    (void)state;
    static const double values[] = {1, 2, 3, 4, 8}, done[] = {90, 192, 200, 200, 200};
    static const double p99_ms[] = {350, 30, 12, 12, 60};
    struct p11prof_ramp_step steps[5];
    struct p11prof_ramp_verdict verdict;
    for (size_t i = 0; i < 5; i++)
        steps[i] = (struct p11prof_ramp_step){.value = values[i],
                                              .ops_per_s = done[i],
                                              .variance = INFINITY,
                                              .scheduled = true,
                                              .held = done[i] >= 198,
                                              .p99_ns = p99_ms[i] * 1e6,
                                              .objective_ns = p99_ms[i] * 1e6,
                                              .count = (uint64_t)done[i]};
    p11prof_ramp_judge(&verdict, P11PROF_RAMP_THREADS, steps, 5, 5e7);
    assert_int_equal(verdict.best, 2);
    assert_int_equal(verdict.met_from, 2);
    assert_int_equal(verdict.met, 3);
    assert_int_equal(verdict.missed, 4);
    p11prof_ramp_judge(&verdict, P11PROF_RAMP_THREADS, steps, 5, 1e6);
    assert_int_equal(verdict.met, P11PROF_RAMP_NONE);
    assert_int_equal(verdict.missed, 0);
}

/* --- while it goes on --- */

static struct p11prof_ramp ramp_of(struct p11prof_ramp_step *steps, size_t count,
                                   enum p11prof_ramp_of of)
{
    struct p11prof_ramp ramp = {.of = of, .steps = steps, .count = count};
    p11prof_ramp_judge(&ramp.verdict, of, steps, count, 0);
    return ramp;
}

static void test_ends_early(void **state)
{
    (void)state;
    struct p11prof_ramp_step steps[STEPS];
    queue_make(steps, counts, STEPS, 4);
    struct p11prof_ramp ramp;
    size_t count = 1;
    do
        ramp = ramp_of(steps, count++, P11PROF_RAMP_THREADS);
    while (!ramp_is_over(&ramp) && count <= STEPS);
    assert_int_equal(ramp.count, 6); /* 4 threads are the best; 6, then 8 with twice the time */
    queue_make(steps, counts, STEPS, 64);
    ramp = ramp_of(steps, STEPS, P11PROF_RAMP_THREADS);
    assert_false(ramp_is_over(&ramp));
    for (size_t i = 2; i < 4; i++)
        steps[i].error_count = 1;
    ramp = ramp_of(steps, 4, P11PROF_RAMP_THREADS);
    assert_true(ramp_is_over(&ramp));
}

static void test_refines(void **state)
{
    (void)state;
    struct p11prof_ramp_step steps[STEPS];
    queue_make(steps, counts, STEPS, 10);
    struct p11prof_ramp ramp = ramp_of(steps, STEPS, P11PROF_RAMP_THREADS);
    assert_true(ramp_refine(&ramp) == 10); /* 8 are too few, 12 enough */
    queue_make(steps, counts, STEPS, 3);
    ramp = ramp_of(steps, STEPS, P11PROF_RAMP_THREADS);
    assert_true(ramp_refine(&ramp) == 0);
    queue_make(steps, counts, STEPS, 1);
    ramp = ramp_of(steps, STEPS, P11PROF_RAMP_THREADS);
    assert_true(ramp_refine(&ramp) == 0);
    rates_make(steps, (double[]){500, 800, 1200}, 3);
    ramp = ramp_of(steps, 3, P11PROF_RAMP_RATE);
    assert_true(ramp_refine(&ramp) == 1000);
    rates_make(steps, (double[]){500, 990, 1020}, 3);
    ramp = ramp_of(steps, 3, P11PROF_RAMP_RATE);
    assert_true(ramp_refine(&ramp) == 0);
}

/* --- the search --- */

/* Whether a queue with that p99 without load, that serves `most` in a second, keeps the limit. */
static bool keeps(double rate, double most, double limit, double noise)
{
    return rate < most && (1 + noise) * 1e-3 * 4.605 / (1 - rate / most) <= limit;
}

static double searched(double most, double guess, double limit, double noise, uint32_t seed)
{
    struct slo_search search = {.most = guess};
    double rate;
    unsigned probes = 0;
    while ((rate = slo_search_next(&search)) > 0) {
        seed = seed * 1664525 + 1013904223;
        double share = (seed >> 8) / 8388608.0 - 1;
        assert_true(rate > search.met && (search.above == 0 || rate < search.above));
        slo_search_take(&search, rate, keeps(rate, most, limit, noise * share));
        assert_in_range(++probes, 1, 24);
    }
    if (search.met > 0 && search.above > 0)
        assert_true(search.above <= search.met * 1.04);
    return search.met;
}

static void test_search(void **state)
{
    (void)state;
    static const double limits[] = {0.0051, 0.006, 0.01, 0.02, 0.1, 1};
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++)
        for (double guess = 700; guess < 1500; guess += 100) {
            double truth = 1000 * (1 - 0.004605 / limits[i]);
            double met = searched(1000, guess, limits[i], 0, 1);
            if (met > truth || met < truth / 1.04) {
                /* It looks for no more than a third above what it was told. */
                assert_true(met >= 1.35 * guess && met <= truth);
            }
        }
    assert_true(searched(1000, 900, 0.001, 0, 1) == 0);
    assert_true(searched(1e6, 1000, 1, 0, 1) >= 1350);
}

static void test_search_in_noise(void **state)
{
    (void)state;
    double truth = 1000 * (1 - 0.004605 / 0.02);
    double low = 1000 * (1 - 1.1 * 0.004605 / 0.02), high = 1000 * (1 - 0.9 * 0.004605 / 0.02);
    for (uint32_t seed = 1; seed <= 500; seed++) {
        double met = searched(1000, 1000, 0.02, 0.1, seed);
        if (met < low / 1.04 || met > high) {
            fail_msg("seed %u: %f is not near %f", seed, met, truth);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_series),         cmocka_unit_test(test_bad_series),
        cmocka_unit_test(test_round),          cmocka_unit_test(test_saturates),
        cmocka_unit_test(test_flat_and_grows), cmocka_unit_test(test_falls),
        cmocka_unit_test(test_noise),          cmocka_unit_test(test_wide_intervals),
        cmocka_unit_test(test_errors),         cmocka_unit_test(test_rates),
        cmocka_unit_test(test_objective),      cmocka_unit_test(test_threads_of_a_rate),
        cmocka_unit_test(test_ends_early),     cmocka_unit_test(test_refines),
        cmocka_unit_test(test_search),         cmocka_unit_test(test_search_in_noise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
