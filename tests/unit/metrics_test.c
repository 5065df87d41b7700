/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Metrics: bounds of histograms, labels that mean harm, series that are there once. */
#include "results_fixture.h"

#include "report/metrics.h"
#include "report/metrics_parts.h"

#include <stdlib.h>
#include <string.h>

enum { SLICE_NS = 1000000000 };

static char text[256 * 1024];

static void histogram(const char *buckets, double sum_ns)
{
    FILE *stream = fmemopen(text, sizeof text, "w");
    metrics_histogram_write(stream, "h", "a=\"b\"", buckets, sum_ns);
    fclose(stream);
}

static void metrics(const char *runs, bool hsm_gauges)
{
    int64_t run_ids[4];
    size_t count = 0;
    struct p11prof_error error = {0};
    for (; *runs; runs++)
        run_ids[count++] = *runs - '0';
    FILE *stream = fmemopen(text, sizeof text, "w");
    if (p11prof_metrics_write(stream, p11prof_store_sqlite(fixture_store), run_ids, count,
                              hsm_gauges, &error)) {
        fail_msg("%s", error.text);
    }
    fclose(stream);
}

/* How many lines start with `start`. */
static size_t lines(const char *start)
{
    size_t count = 0;
    for (const char *at = text; at && *at; at = strchr(at, '\n'), at = at ? at + 1 : NULL)
        count += strncmp(at, start, strlen(start)) == 0;
    return count;
}

static void has(const char *part)
{
    if (!strstr(text, part)) {
        fail_msg("there is no '%s' in:\n%s", part, text);
    }
}

static void load(uint32_t number, const char *test, unsigned count, uint64_t duration_ns)
{
    struct bench_place place = {number, P11PROF_PHASE_MEASURED, 7, number};
    bench_load(number, test, 32, 1, 1);
    bench_slice(number, 1, number, SLICE_NS);
    for (unsigned i = 0; i < count; i++)
        bench_operation(&place, duration_ns, CKR_OK);
}

static void a_straddling_bucket_goes_above(void **state)
{
    (void)state;
    histogram("[[1000,1024,1],[1024,1032,2],[1500,1600,4],[1530,1537,8]]", 5e9);
    has("h_bucket{a=\"b\",le=\"1.024e-06\"} 1\n");
    has("h_bucket{a=\"b\",le=\"1.536e-06\"} 11\n"); /* 1536 is its longest duration */
    has("h_bucket{a=\"b\",le=\"2.048e-06\"} 15\n");
    has("h_bucket{a=\"b\",le=\"+Inf\"} 15\nh_sum{a=\"b\"} 5\nh_count{a=\"b\"} 15\n");
}

static void bounds_are_fixed(void **state)
{
    (void)state;
    histogram("", 0);
    assert_int_equal(lines("h_bucket{"), 55);
    has("le=\"1.024e-06\"} 0\n");
    has("le=\"68.719476736\"} 0\n");
    has("le=\"103.079215104\"} 0\n");
    histogram("[[103079215104,103079215105,3]]", 3 * 103.079215104e9);
    has("le=\"103.079215104\"} 3\n"); /* a bucket of 1 ns is its bound */
    histogram("[[103079215104,103347650560,3]]", 3 * 103.1e9);
    has("le=\"103.079215104\"} 0\n");
    has("le=\"+Inf\"} 3\n");
}

static void harm_is_escaped(void **state)
{
    (void)state;
    load(1, "a\\b\"c\nd\xFF", 3, 1500);
    bench_write(true);
    metrics("1", true);
    has("{test=\"a\\\\b\\\"c\\\\x0Ad\\\\xFF\",token=");
}

static void the_last_of_equals_counts(void **state)
{
    (void)state;
    load(1, "twice", 3, 1500);
    load(2, "twice", 5, 3000);
    load(3, "once", 7, 3000);
    bench_write(true);
    metrics("1", true);
    assert_int_equal(lines("p11prof_bench_operations_total{test=\"twice\""), 1);
    has("p11prof_bench_operations_total{test=\"twice\",token=\"\",operation=\"sign\",mechanism="
        "\"CKM_ECDSA\",key_type=\"CKK_EC\",key_bits=\"256\",data_bytes=\"32\",threads=\"1\","
        "processes=\"1\",weight=\"\",suite=\"\",step=\"\",rate=\"\",arrivals=\"\",think_time_ns="
        "\"\"} 5\n");
    assert_int_equal(lines("p11prof_bench_latency_seconds_count{"), 2);
    metrics("11", true); /* the same run twice */
    assert_int_equal(lines("p11prof_bench_operations_total{"), 2);
}

/* A part of a mix and the same test alone, in two runs, are two series. */
static void a_mix_has_series_of_its_own(void **state)
{
    (void)state;
    load(1, "ecdsa-p256-sign", 5, 1500);
    bench_mix_load(2, "ecdsa-p256-sign", 1, 0.25, 1);
    bench_slice(2, 1, 2, 1000000000);
    bench_write(true);
    metrics("1", true);
    assert_int_equal(lines("p11prof_bench_operations_total{test=\"ecdsa-p256-sign\""), 2);
    has("processes=\"1\",weight=\"\",suite=\"\",step=\"\",rate=\"\",arrivals=\"\",think_time_ns="
        "\"\"} 5\n");
    has("processes=\"1\",weight=\"0.25\",suite=\"\",step=\"\",rate=\"\",arrivals=\"\",think_time_"
        "ns=\"\"} 0\n");
}

static void gauges_of_dashboards(void **state)
{
    (void)state;
    load(1, "ecdsa-p256-sign", 1000, 2000000);
    bench_write(true);
    metrics("1", true);
    has("hsm_ops_per_sec{test=\"ecdsa-p256-sign\",token=\"\",operation=\"ecdsa-p256-sign\",");
    has("processes=\"1\",weight=\"\",suite=\"\",step=\"\",rate=\"\",arrivals=\"\",think_time_ns="
        "\"\"} 1000\n");
    has("hsm_latency_p99_ms{test=\"ecdsa-p256-sign\",token=\"\",operation=\"ecdsa-p256-sign\",");
    has("processes=\"1\",weight=\"\",suite=\"\",step=\"\",rate=\"\",arrivals=\"\",think_time_ns="
        "\"\"} 2\n");
    has("p11prof_bench_latency_seconds_sum{test=\"ecdsa-p256-sign\",");
    has("processes=\"1\",weight=\"\",suite=\"\",step=\"\",rate=\"\",arrivals=\"\",think_time_ns="
        "\"\"} 2\n");
    metrics("1", false);
    assert_int_equal(lines("hsm_"), 0);
    assert_int_equal(lines("# TYPE hsm_"), 0);
    assert_int_equal(lines("p11prof_bench_operations_per_second{"), 1);
}

static void groups_without_rows_are_enough(void **state)
{
    (void)state;
    load(1, "rows-are-gone", 9, 1500);
    bench_write(false);
    metrics("1", true);
    has("p11prof_bench_latency_seconds_count{test=\"rows-are-gone\"");
    has("le=\"1.024e-06\"} 0\n");
    has("le=\"1.536e-06\"} 9\n");
}

int main(void)
{
#define WITH_BENCH(test) cmocka_unit_test_setup_teardown(test, bench_setup, bench_teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_straddling_bucket_goes_above),
        cmocka_unit_test(bounds_are_fixed),
        WITH_BENCH(harm_is_escaped),
        WITH_BENCH(the_last_of_equals_counts),
        WITH_BENCH(a_mix_has_series_of_its_own),
        WITH_BENCH(gauges_of_dashboards),
        WITH_BENCH(groups_without_rows_are_enough),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
