/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The results of a bench run, each figure worked out by hand. */
#include "results_fixture.h"

#include "report/run_report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

static struct p11prof_run_report report;

static const struct p11prof_table *results(void)
{
    struct p11prof_report_options options = {.sort = NULL};
    struct p11prof_error error = {0};
    if (p11prof_run_report_load(&report, p11prof_store_sqlite(fixture_store), 1, &options,
                                &error)) {
        fail_msg("%s", error.text);
    }
    return &report.results.loads;
}

static int teardown(void **state)
{
    p11prof_run_report_clear(&report);
    return bench_teardown(state);
}

static void check(size_t row, const char *column, int64_t value)
{
    const struct p11prof_cell *cell = p11prof_table_get(&report.results.loads, row, column);
    if (cell->kind != P11PROF_CELL_INTEGER || cell->integer != value) {
        fail_msg("%s is %lld, not %lld", column, (long long)cell->integer, (long long)value);
    }
}

static void check_real(const struct p11prof_table *table, size_t row, const char *column,
                       double value)
{
    const struct p11prof_cell *cell = p11prof_table_get(table, row, column);
    if (cell->kind != P11PROF_CELL_REAL || fabs(cell->real - value) > 1e-9 * (1 + fabs(value))) {
        fail_msg("%s is %.9f, not %.9f", column, cell->real, value);
    }
}

static void check_text(size_t row, const char *column, const char *value)
{
    assert_string_equal(p11prof_table_text(&report.results.loads, row, column, "(unknown)"), value);
}

static void check_unknown(size_t row, const char *column)
{
    assert_int_equal(p11prof_table_get(&report.results.loads, row, column)->kind,
                     P11PROF_CELL_NULL);
}

enum { SLICE_NS = 500000000, FIRST_NS = 1000000, SECOND_NS = 700000000, THREAD = 77 };

/* 1000 operations that take 1 to 1000 us, odd ones in the first slice, even ones in the second; the
 * first 20 fail. Before them 50 of 9 ms; after them 4 of 1021 us. */
static void fill(uint32_t load)
{
    struct bench_place place = {load, P11PROF_PHASE_WARMUP, THREAD, 1};
    for (unsigned i = 0; i < 50; i++)
        bench_operation(&place, 9000000, CKR_OK);
    place.phase = P11PROF_PHASE_MEASURED;
    for (unsigned i = 1; i <= 1000; i++) {
        place.start_ns = i % 2 ? FIRST_NS : SECOND_NS;
        bench_operation(&place, i * 1000, i <= 20 ? CKR_DEVICE_ERROR : CKR_OK);
    }
    place.phase = P11PROF_PHASE_COOLDOWN;
    for (unsigned i = 0; i < 4; i++)
        bench_operation(&place, 1021000, CKR_OK);
    bench_slice(load, 1, FIRST_NS, SLICE_NS);
    bench_slice(load, 2, SECOND_NS, SLICE_NS);
}

/* What rows and histograms have in common: 980 successes of 21 to 1000 us in a second. */
static void check_counts(void)
{
    check(0, "count", 1000);
    check(0, "error_count", 20);
    check(0, "wrong_count", 0);
    check(0, "mean_ns", 510500);
    check(0, "stddev_ns", 283046); /* sqrt(980 * 981 / 12) us */
    check(0, "min_ns", 21000);
    check(0, "max_ns", 1000000);
    check_real(&report.results.loads, 0, "ops_per_s", 980); /* not 1 / mean: 1959 */
    check_real(&report.results.loads, 0, "bytes_per_s", 31360);
    check_real(&report.results.loads, 0, "cooldown_change", 1);
    check_text(0, "unsupported", "p99_ns p999_ns"); /* 980 / 100 is less than 10 */
}

static void rows_give_exact_results(void **state)
{
    (void)state;
    bench_load(1, "ecdsa-p256-sign", 32, 1, 1);
    fill(1);
    bench_write(true);
    assert_int_equal(results()->row_count, 1);
    check_counts();
    check(0, "p50_ns", 510000);   /* the 490th of 980 */
    check(0, "p90_ns", 902000);   /* the 882nd */
    check(0, "p95_ns", 951000);   /* the 931st */
    check(0, "p99_ns", 991000);   /* the 971st: 970.2 rounded up */
    check(0, "p999_ns", 1000000); /* the 980th */
    check_text(0, "percentiles", "exact");
    check_text(0, "test", "ecdsa-p256-sign");
    check_text(0, "operation", "sign");
    check_text(0, "mechanism", "CKM_ECDSA");
    check_text(0, "key_type", "CKK_EC");
    check(0, "key_bits", 256);
}

static void near(const char *column, double value)
{
    double found = (double)p11prof_table_integer(&report.results.loads, 0, column, 0);
    if (fabs(found / value - 1) > 0.005) {
        fail_msg("%s is %.0f, not about %.0f", column, found, value);
    }
}

static void histograms_take_over(void **state)
{
    (void)state;
    bench_load(1, "ecdsa-p256-sign", 32, 1, 1);
    fill(1);
    bench_write(false);
    results();
    check_counts();
    check_text(0, "percentiles", "histogram");
    near("p50_ns", 510000);
    near("p95_ns", 951000);
    near("p99_ns", 991000);
    check(0, "p999_ns", 1000000); /* clipped to what occurred */
}

/* A bench that measures by itself: operations without calls. */
static void groups_alone_are_enough(void **state)
{
    (void)state;
    struct fixture_group group;
    struct p11prof_error error = {0};
    fixture_group_init(&group, P11PROF_OPERATION_SIGN, FIRST_NS);
    group.group.operation = true;
    group.group.part = p11prof_part(1, P11PROF_PHASE_MEASURED);
    group.group.window_ns = 0;
    for (unsigned i = 0; i < 100; i++)
        fixture_group_add(&group, 200);
    assert_int_equal(p11prof_store_group_add(fixture_store, 1, &group.group, &error), P11PROF_OK);
    bench_load(1, "ecdsa-p256-sign", -1, 1, 1);
    bench_slice(1, 1, FIRST_NS, SLICE_NS);
    results();
    check_text(0, "percentiles", "histogram");
    check(0, "count", 100);
    check(0, "p50_ns", 200);
    check_real(&report.results.loads, 0, "ops_per_s", 200);
    check_unknown(0, "bytes_per_s");
    check_unknown(0, "data_bytes");
    check_unknown(0, "cooldown_change");
}

/* The slices as JSON, sums of the 490 successes in each: odd 21 to 999, even 22 to 1000. */
static void slices_are_windows(void **state)
{
    (void)state;
    static const double start_ns[] = {FIRST_NS, SECOND_NS}, sum_ns[] = {249900000, 250390000};
    bench_load(1, "ecdsa-p256-sign", 32, 1, 1);
    fill(1);
    bench_write(true);
    cJSON *windows = cJSON_Parse(p11prof_table_text(results(), 0, "windows", ""));
    assert_int_equal(cJSON_GetArraySize(windows), 2);
    for (int i = 0; i < 2; i++) {
        cJSON *window = cJSON_GetArrayItem(windows, i), *bucket;
        double count = 0;
        assert_true(cJSON_GetObjectItem(window, "start_ns")->valuedouble == start_ns[i]);
        assert_true(cJSON_GetObjectItem(window, "duration_ns")->valuedouble == SLICE_NS);
        assert_int_equal(cJSON_GetObjectItem(window, "count")->valueint, 500);
        assert_int_equal(cJSON_GetObjectItem(window, "error_count")->valueint, 10);
        assert_true(cJSON_GetObjectItem(window, "sum_ns")->valuedouble == sum_ns[i]);
        cJSON_ArrayForEach(bucket, cJSON_GetObjectItem(window, "histogram")) count +=
            cJSON_GetArrayItem(bucket, 2)->valuedouble;
        assert_true(count == 490);
    }
    cJSON_Delete(windows);
}

/* Several groups (keys that were not known at once) are one result, one window. */
static void groups_of_a_load_are_merged(void **state)
{
    (void)state;
    struct fixture_group group;
    struct p11prof_error error = {0};
    for (unsigned i = 0; i < 2; i++) {
        fixture_group_init(&group, P11PROF_OPERATION_SIGN, FIRST_NS);
        group.group.operation = true;
        group.group.key_bits = i ? 256 : P11PROF_UNKNOWN;
        group.group.part = p11prof_part(1, P11PROF_PHASE_MEASURED);
        group.group.window_ns = 0;
        fixture_group_add(&group, 100 + 100 * i);
        p11prof_store_group_add(fixture_store, 1, &group.group, &error);
    }
    bench_load(1, "ecdsa-p256-sign", -1, 1, 1);
    bench_slice(1, 1, FIRST_NS, SLICE_NS);
    results();
    check(0, "count", 2);
    check(0, "mean_ns", 150);
    check_text(0, "histogram", "[[100,101,1],[200,201,1]]");
    check_text(0, "windows",
               "[{\"start_ns\":1000000,\"duration_ns\":500000000,\"count\":2,\"error_count\":0,"
               "\"sum_ns\":300,\"histogram\":[[100,101,1],[200,201,1]]}]");
}

/* What stands in a slice that did not end (the bench was killed) has no time to be divided by. */
static void unfinished_slices_do_not_count_for_rates(void **state)
{
    (void)state;
    bench_load(1, "ecdsa-p256-sign", -1, 1, 1);
    bench_slice(1, 1, FIRST_NS, SLICE_NS);
    struct bench_place place = {1, P11PROF_PHASE_MEASURED, THREAD, FIRST_NS};
    for (unsigned i = 0; i < 40; i++)
        bench_operation(&place, 1000, CKR_OK);
    place.start_ns = SECOND_NS;
    for (unsigned i = 0; i < 30; i++)
        bench_operation(&place, 1000, CKR_OK);
    bench_write(true);
    results();
    check(0, "count", 70);
    check_real(&report.results.loads, 0, "ops_per_s", 80);
}

static void nothing_done_is_unknown(void **state)
{
    (void)state;
    bench_load(1, "ecdsa-p256-sign", 32, 1, 1);
    bench_write(true);
    results();
    check(0, "count", 0);
    check_unknown(0, "ops_per_s");
    check_unknown(0, "bytes_per_s");
    check_unknown(0, "mean_ns");
    check_unknown(0, "p50_ns");
    check_text(0, "windows", "[]");
    check_text(0, "per_thread", "[]");
    check_text(0, "histogram", "[]");
}

/* The database cannot tell failures of a decryption; the threads of the bench can. */
static void wrong_results_are_errors(void **state)
{
    (void)state;
    struct bench_place place = {1, P11PROF_PHASE_MEASURED, THREAD, FIRST_NS};
    for (unsigned load = 1; load <= 2; load++) {
        place.load = load;
        bench_load(load, load == 1 ? "aes-256-gcm-decrypt" : "ecdsa-p256-sign", 10, 2, 1);
        bench_slice(load, 1, FIRST_NS, 2 * SLICE_NS);
        for (unsigned i = 0; i < 100; i++)
            bench_operation(&place, 1000, load == 2 && i < 6 ? CKR_DEVICE_ERROR : CKR_OK);
        bench_thread(&(struct p11prof_thread_row){load, 1, 1, 1, 50, 4, 1, 1000000000, -1, -1});
        bench_thread(&(struct p11prof_thread_row){load, 1, 2, 2, 50, 3, 1, 1000000000, -1, -1});
    }
    bench_write(true);
    results();
    check(0, "count", 100);
    check(0, "wrong_count", 2);
    check(0, "error_count", 7); /* the threads saw 5 fail, the database none */
    check_real(&report.results.loads, 0, "ops_per_s", 93);
    check_real(&report.results.loads, 0, "bytes_per_s", 930);
    check(1, "error_count", 8); /* the threads saw 5 fail, the database 6 */
    check_real(&report.results.loads, 1, "ops_per_s", 92);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rows_give_exact_results, bench_setup, teardown),
        cmocka_unit_test_setup_teardown(histograms_take_over, bench_setup, teardown),
        cmocka_unit_test_setup_teardown(groups_alone_are_enough, bench_setup, teardown),
        cmocka_unit_test_setup_teardown(slices_are_windows, bench_setup, teardown),
        cmocka_unit_test_setup_teardown(groups_of_a_load_are_merged, bench_setup, teardown),
        cmocka_unit_test_setup_teardown(unfinished_slices_do_not_count_for_rates, bench_setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(nothing_done_is_unknown, bench_setup, teardown),
        cmocka_unit_test_setup_teardown(wrong_results_are_errors, bench_setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
