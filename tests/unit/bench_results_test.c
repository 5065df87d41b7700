/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The results of a bench run, each figure worked out by hand. */
#include "results_fixture.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

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
    bench_check(0, "count", 1000);
    bench_check(0, "error_count", 20);
    bench_check(0, "wrong_count", 0);
    bench_check(0, "mean_ns", 510500);
    bench_check(0, "stddev_ns", 283046); /* sqrt(980 * 981 / 12) us */
    bench_check(0, "min_ns", 21000);
    bench_check(0, "max_ns", 1000000);
    bench_check_real(0, "ops_per_s", 980); /* not 1 / mean: 1959 */
    bench_check_real(0, "bytes_per_s", 31360);
    bench_check_real(0, "cooldown_change", 1);
    bench_check_text(0, "unsupported", "p99_ns p999_ns"); /* 980 / 100 is less than 10 */
}

static void rows_give_exact_results(void **state)
{
    (void)state;
    bench_load(1, "ecdsa-p256-sign", 32, 1, 1);
    fill(1);
    bench_write(true);
    assert_int_equal(bench_results()->row_count, 1);
    check_counts();
    bench_check(0, "p50_ns", 510000);   /* the 490th of 980 */
    bench_check(0, "p90_ns", 902000);   /* the 882nd */
    bench_check(0, "p95_ns", 951000);   /* the 931st */
    bench_check(0, "p99_ns", 991000);   /* the 971st: 970.2 rounded up */
    bench_check(0, "p999_ns", 1000000); /* the 980th */
    bench_check_text(0, "percentiles", "exact");
    bench_check_text(0, "test", "ecdsa-p256-sign");
    bench_check_text(0, "operation", "sign");
    bench_check_text(0, "mechanism", "CKM_ECDSA");
    bench_check_text(0, "key_type", "CKK_EC");
    bench_check(0, "key_bits", 256);
}

static void near(const char *column, double value)
{
    double found = (double)p11prof_table_integer(&bench_report.results.loads, 0, column, 0);
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
    bench_results();
    check_counts();
    bench_check_text(0, "percentiles", "histogram");
    near("p50_ns", 510000);
    near("p95_ns", 951000);
    near("p99_ns", 991000);
    bench_check(0, "p999_ns", 1000000); /* clipped to what occurred */
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
    bench_results();
    bench_check_text(0, "percentiles", "histogram");
    bench_check(0, "count", 100);
    bench_check(0, "p50_ns", 200);
    bench_check_real(0, "ops_per_s", 200);
    bench_check_unknown(0, "bytes_per_s");
    bench_check_unknown(0, "data_bytes");
    bench_check_unknown(0, "cooldown_change");
}

/* The slices as JSON, sums of the 490 successes in each: odd 21 to 999, even 22 to 1000. */
static void slices_are_windows(void **state)
{
    (void)state;
    static const double start_ns[] = {FIRST_NS, SECOND_NS}, sum_ns[] = {249900000, 250390000};
    bench_load(1, "ecdsa-p256-sign", 32, 1, 1);
    fill(1);
    bench_write(true);
    cJSON *windows = cJSON_Parse(p11prof_table_text(bench_results(), 0, "windows", ""));
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
    bench_results();
    bench_check(0, "count", 2);
    bench_check(0, "mean_ns", 150);
    bench_check_text(0, "histogram", "[[100,101,1],[200,201,1]]");
    bench_check_text(
        0, "windows",
        "[{\"start_ns\":1000000,\"duration_ns\":500000000,\"count\":2,\"error_count\":0,"
        "\"sum_ns\":300,\"histogram\":[[100,101,1],[200,201,1]],\"load_average\":null,"
        "\"steal_ns\":null}]");
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
    bench_results();
    bench_check(0, "count", 70);
    bench_check_real(0, "ops_per_s", 80);
}

static void nothing_done_is_unknown(void **state)
{
    (void)state;
    bench_load(1, "ecdsa-p256-sign", 32, 1, 1);
    bench_write(true);
    bench_results();
    bench_check(0, "count", 0);
    bench_check_unknown(0, "ops_per_s");
    bench_check_unknown(0, "bytes_per_s");
    bench_check_unknown(0, "mean_ns");
    bench_check_unknown(0, "p50_ns");
    bench_check_text(0, "windows", "[]");
    bench_check_text(0, "per_thread", "[]");
    bench_check_text(0, "histogram", "[]");
}

/* One test with two sizes is two rows, each with its own operations. */
static void sizes_are_rows(void **state)
{
    (void)state;
    for (unsigned load = 1; load <= 2; load++) {
        struct bench_place place = {load, P11PROF_PHASE_MEASURED, THREAD, load * FIRST_NS};
        bench_load(load, "aes-256-gcm-encrypt", load == 1 ? 16 : 4096, 1, 1);
        bench_slice(load, 1, load * FIRST_NS, 2 * SLICE_NS);
        for (unsigned i = 0; i < 10 * load; i++)
            bench_operation(&place, load * 1000, CKR_OK);
    }
    bench_write(true);
    assert_int_equal(bench_results()->row_count, 2);
    bench_check(0, "data_bytes", 16);
    bench_check(0, "mean_ns", 1000);
    bench_check_real(0, "bytes_per_s", 160);
    bench_check(1, "data_bytes", 4096);
    bench_check(1, "mean_ns", 2000);
    bench_check_real(1, "bytes_per_s", 81920);
    bench_check(1, "load", 2);
    bench_check_text(1, "test", "aes-256-gcm-encrypt");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rows_give_exact_results, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(histograms_take_over, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(groups_alone_are_enough, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(slices_are_windows, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(groups_of_a_load_are_merged, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(unfinished_slices_do_not_count_for_rates, bench_setup,
                                        bench_teardown),
        cmocka_unit_test_setup_teardown(nothing_done_is_unknown, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(sizes_are_rows, bench_setup, bench_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
