/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Comparisons of simulated sides whose truth is known: how often they cry wolf, and how often they
 * see a wolf. Seeded: the shares are always the same. */
#include "samples_fixture.h"
#include "under_valgrind.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* Most simulations have this in common. */
static const struct simulation usual = {
    .runs = 1, .windows = 30, .operations = 60, .latency_ns = 500000, .operation_spread = 0.2};

/* Valgrind looks at the memory of a few; shares need many. */
static size_t of_times(size_t times)
{
    return under_valgrind() ? 2 : times;
}

static void claim(bool holds, const char *name, double found)
{
    if (!holds && !under_valgrind()) {
        fail_msg("%s: a share of %.3f", name, found);
    }
}

struct shares {
    double regressed, improved, same, unclear, insufficient;
};

/* Shares of verdicts of one metric in so many comparisons. */
static struct shares verdicts(const struct simulation *base, const struct simulation *current,
                              enum p11prof_metric metric, double threshold, size_t times)
{
    size_t counts[P11PROF_VERDICTS] = {0};
    times = of_times(times);
    for (size_t i = 0; i < times; i++) {
        struct p11prof_samples sides[2] = {{.rows = NULL}, {.rows = NULL}};
        struct p11prof_comparison comparison;
        struct p11prof_thresholds thresholds;
        p11prof_thresholds_init(&thresholds);
        thresholds.threshold[metric] = threshold;
        simulate(&sides[0], "test", base);
        simulate(&sides[1], "test", current);
        p11prof_comparison_make(&comparison, &sides[0], &sides[1], false, &thresholds);
        assert_int_equal(comparison.matched_count, 1);
        struct p11prof_metric_result result = comparison.rows[0].metrics[metric];
        result.corrected_low = result.low; /* of this metric alone */
        result.corrected_high = result.high;
        counts[p11prof_metric_verdict(&result, metric)]++;
        p11prof_comparison_clear(&comparison);
        p11prof_samples_clear(&sides[0]);
        p11prof_samples_clear(&sides[1]);
    }
    double n = (double)times;
    return (struct shares){
        (double)counts[P11PROF_VERDICT_REGRESSED] / n, (double)counts[P11PROF_VERDICT_IMPROVED] / n,
        (double)counts[P11PROF_VERDICT_SAME] / n, (double)counts[P11PROF_VERDICT_UNCLEAR] / n,
        (double)counts[P11PROF_VERDICT_INSUFFICIENT] / n};
}

/* At a threshold of 0, sides that are alike differ in one of twenty comparisons, not in more. */
static void alarms(const char *name, const struct simulation *simulation,
                   enum p11prof_metric metric, double most)
{
    simulation_seed(7);
    struct shares shares = verdicts(simulation, simulation, metric, 0, 400);
    double found = shares.regressed + shares.improved;
    print_message("%s, %s: %.1f %% false alarms, %.1f %% insufficient\n", name,
                  p11prof_metric_name(metric), 100 * found, 100 * shares.insufficient);
    claim(found <= most, name, found);
}

static void alike_sides_are_seldom_different(void **state)
{
    struct simulation simulation = usual;
    (void)state;
    alarms("independent", &simulation, P11PROF_METRIC_THROUGHPUT, 0.075);
    alarms("independent", &simulation, P11PROF_METRIC_P50, 0.075);
    simulation.window_spread = 0.1;
    alarms("windows differ", &simulation, P11PROF_METRIC_THROUGHPUT, 0.075);
    alarms("windows differ", &simulation, P11PROF_METRIC_P50, 0.075);
    simulation.windows = 10;
    alarms("ten windows", &simulation, P11PROF_METRIC_THROUGHPUT, 0.075);
    alarms("ten windows", &simulation, P11PROF_METRIC_P50, 0.075);
}

static void correlated_windows_are_seldom_different(void **state)
{
    struct simulation simulation = usual;
    (void)state;
    simulation.window_spread = 0.1;
    simulation.correlation = 0.5;
    alarms("correlated 0.5", &simulation, P11PROF_METRIC_THROUGHPUT, 0.08);
    alarms("correlated 0.5", &simulation, P11PROF_METRIC_P50, 0.09);
    simulation.correlation = 0.8;
    alarms("correlated 0.8", &simulation, P11PROF_METRIC_THROUGHPUT, 0.11);
    alarms("correlated 0.8", &simulation, P11PROF_METRIC_P50, 0.13);
    simulation.trend = 0.3;
    alarms("correlated 0.8, trend", &simulation, P11PROF_METRIC_THROUGHPUT, 0.11);
}

static void heavy_tails_are_seldom_different(void **state)
{
    struct simulation simulation = usual;
    (void)state;
    simulation.slow_share = 0.01;
    simulation.slow_times = 100;
    simulation.operation_spread = 0.7;
    alarms("heavy tail", &simulation, P11PROF_METRIC_THROUGHPUT, 0.075);
    alarms("heavy tail", &simulation, P11PROF_METRIC_P50, 0.075);
    alarms("heavy tail", &simulation, P11PROF_METRIC_P95, 0.075);
    simulation.stall_share = 0.1;
    alarms("stalls", &simulation, P11PROF_METRIC_THROUGHPUT, 0.075);
    simulation.slow_share = 0.5;
    simulation.slow_times = 2;
    simulation.operation_spread = 0.05;
    alarms("two modes of equal size", &simulation, P11PROF_METRIC_P50, 0.07);
}

static void unlike_runs_are_seldom_different(void **state)
{
    struct simulation simulation = usual;
    (void)state;
    simulation.runs = 4;
    simulation.windows = 12;
    simulation.operations = 20;
    simulation.run_spread = 0.1;
    alarms("four runs", &simulation, P11PROF_METRIC_THROUGHPUT, 0.075);
    alarms("four runs", &simulation, P11PROF_METRIC_P50, 0.075);
}

/* A baseline of several runs tells how much one current run may differ. */
static void one_run_is_judged_by_the_baseline(void **state)
{
    struct simulation base = usual, current;
    (void)state;
    base.windows = 12;
    base.operations = 20;
    base.run_spread = 0.1;
    current = base;
    base.runs = 6;
    simulation_seed(9);
    struct shares shares = verdicts(&base, &current, P11PROF_METRIC_THROUGHPUT, 0, 400);
    print_message("six runs against one: %.1f %% false alarms\n",
                  100 * (shares.regressed + shares.improved));
    claim(shares.regressed + shares.improved < 0.08, "six runs",
          shares.regressed + shares.improved);
}

/* Failures that come in groups are no news; where nothing fails, nothing is said. */
static void alike_failures_are_seldom_different(void **state)
{
    struct simulation simulation = usual;
    (void)state;
    simulation.error_share = 0.02;
    alarms("failures", &simulation, P11PROF_METRIC_ERRORS, 0.075);
    simulation.error_share = 0.0003;
    alarms("rare failures", &simulation, P11PROF_METRIC_ERRORS, 0.05);
    simulation.error_share = 0;
    simulation.error_window_share = 0.1;
    alarms("failures of whole windows", &simulation, P11PROF_METRIC_ERRORS, 0.075);
    simulation.error_window_share = 0;
    struct shares shares = verdicts(&simulation, &simulation, P11PROF_METRIC_ERRORS, 0, 20);
    assert_true(shares.same == 1);
}

static void sees(const char *name, const struct simulation *base, double times,
                 enum p11prof_metric metric, double least)
{
    struct simulation current = *base;
    current.latency_ns *= times;
    simulation_seed(11);
    struct shares shares = verdicts(base, &current, metric, 0.05, 200);
    double found = times > 1 ? shares.regressed : shares.improved;
    print_message("%s, %s x %.2f: seen %.1f %%, same %.1f %%, unclear %.1f %%\n", name,
                  p11prof_metric_name(metric), times, 100 * found, 100 * shares.same,
                  100 * shares.unclear);
    claim(found >= least, name, found);
}

static void ten_percent_are_seen(void **state)
{
    struct simulation simulation = usual;
    (void)state;
    simulation.window_spread = 0.04;
    sees("slower", &simulation, 1.10, P11PROF_METRIC_THROUGHPUT, 0.95);
    sees("slower", &simulation, 1.10, P11PROF_METRIC_P50, 0.95);
    sees("faster", &simulation, 1 / 1.10, P11PROF_METRIC_THROUGHPUT, 0.95);
    simulation.correlation = 0.5;
    sees("slower, correlated", &simulation, 1.10, P11PROF_METRIC_THROUGHPUT, 0.8);
    sees("slower, correlated", &simulation, 1.10, P11PROF_METRIC_P50, 0.8);
}

/* A change within the threshold is the same, once it is known well enough. */
static void two_percent_are_the_same(void **state)
{
    struct simulation simulation = usual, current;
    (void)state;
    simulation.window_spread = 0.01;
    current = simulation;
    current.latency_ns *= 1.02;
    simulation_seed(13);
    struct shares shares = verdicts(&simulation, &current, P11PROF_METRIC_THROUGHPUT, 0.05, 200);
    claim(shares.same > 0.9, "same", shares.same);
    assert_true(shares.regressed + shares.improved == 0);
}

static void more_failures_are_seen(void **state)
{
    struct simulation simulation = usual, current = usual;
    (void)state;
    current.error_share = 0.01;
    simulation_seed(15);
    struct shares shares = verdicts(&simulation, &current, P11PROF_METRIC_ERRORS, 0, 200);
    claim(shares.regressed > 0.9, "more failures", shares.regressed);
    shares = verdicts(&current, &simulation, P11PROF_METRIC_ERRORS, 0, 200);
    claim(shares.improved > 0.9, "fewer failures", shares.improved);
}

/* Of many rows that are alike, Holm's correction lets one in twenty comparisons have an alarm. */
static void many_rows_have_few_alarms(void **state)
{
    struct simulation simulation = usual;
    size_t alarmed = 0, times = of_times(100);
    (void)state;
    simulation.windows = 15;
    simulation.operations = 20;
    simulation.window_spread = 0.1;
    simulation_seed(17);
    for (size_t i = 0; i < times; i++) {
        struct p11prof_samples sides[2] = {{.rows = NULL}, {.rows = NULL}};
        struct p11prof_comparison comparison;
        struct p11prof_thresholds thresholds = {.threshold = {0}};
        for (char test[] = "a"; test[0] < 'a' + 14; test[0]++) {
            simulate(&sides[0], test, &simulation);
            simulate(&sides[1], test, &simulation);
        }
        p11prof_comparison_make(&comparison, &sides[0], &sides[1], false, &thresholds);
        assert_int_equal(comparison.tested_count, 14);
        alarmed += comparison.verdict_count[P11PROF_VERDICT_REGRESSED] +
                       comparison.verdict_count[P11PROF_VERDICT_IMPROVED] >
                   0;
        p11prof_comparison_clear(&comparison);
        p11prof_samples_clear(&sides[0]);
        p11prof_samples_clear(&sides[1]);
    }
    print_message("14 rows: %zu of %zu comparisons have an alarm\n", alarmed, times);
    assert_true(alarmed <= 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alike_sides_are_seldom_different),
        cmocka_unit_test(correlated_windows_are_seldom_different),
        cmocka_unit_test(heavy_tails_are_seldom_different),
        cmocka_unit_test(unlike_runs_are_seldom_different),
        cmocka_unit_test(one_run_is_judged_by_the_baseline),
        cmocka_unit_test(alike_failures_are_seldom_different),
        cmocka_unit_test(ten_percent_are_seen),
        cmocka_unit_test(two_percent_are_the_same),
        cmocka_unit_test(more_failures_are_seen),
        cmocka_unit_test(many_rows_have_few_alarms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
