/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Quantiles, sums and histograms against the definition, worked out the slow way. */
#include "report/buckets.h"
#include "report/stats.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MOST = 200 };

static uint64_t seed = 1;
static uint64_t next_random(void)
{
    seed = seed * UINT64_C(6364136223846793005) + 1;
    return seed >> 33;
}

static int compare(const void *a, const void *b)
{
    uint64_t first = *(const uint64_t *)a, second = *(const uint64_t *)b;
    return (first > second) - (first < second);
}

/* The smallest value that p or more of all are not larger than, in parts per million. */
static uint64_t by_definition(const uint64_t *sorted, uint64_t count, uint64_t millionths)
{
    for (uint64_t i = 0; i < count; i++)
        if ((i + 1) * P11PROF_MILLION >= count * millionths)
            return sorted[i];
    return sorted[count - 1];
}

static void check_quantiles(const uint64_t *values, size_t count)
{
    uint64_t sorted[MOST], shuffled[MOST];
    struct p11prof_stats stats;
    memcpy(sorted, values, count * sizeof *values);
    memcpy(shuffled, values, count * sizeof *values);
    qsort(sorted, count, sizeof *sorted, compare);
    p11prof_stats_exact(&stats, shuffled, count);
    assert_int_equal(stats.count, count);
    assert_int_equal(stats.min_ns, sorted[0]);
    assert_int_equal(stats.max_ns, sorted[count - 1]);
    for (size_t i = 0; i < P11PROF_QUANTILES; i++)
        assert_int_equal(stats.quantile_ns[i],
                         by_definition(sorted, count, p11prof_quantile_millionths[i]));
}

/* Every count, with many and with few different values, sorted both ways. */
static void quantiles_follow_the_definition(void **state)
{
    (void)state;
    uint64_t values[MOST];
    for (size_t count = 1; count <= MOST; count++) {
        for (uint64_t range = 1; range < UINT64_C(1) << 40; range *= 37) {
            for (size_t i = 0; i < count; i++)
                values[i] = next_random() % range;
            check_quantiles(values, count);
        }
        for (size_t i = 0; i < count; i++)
            values[i] = i;
        check_quantiles(values, count);
        for (size_t i = 0; i < count; i++)
            values[i] = count - i;
        check_quantiles(values, count);
    }
}

/* quantile(x, c(.5, .9, .95, .99, .999), type = 1) of R. */
static void quantiles_are_those_of_r(void **state)
{
    (void)state;
    static const struct {
        size_t count;
        uint64_t values[12], quantiles[P11PROF_QUANTILES];
    } examples[] = {
        {1, {7}, {7, 7, 7, 7, 7}},
        {2, {4, 2}, {2, 4, 4, 4, 4}},
        {10, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, {5, 9, 10, 10, 10}},
        {11, {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5}, {4, 6, 9, 9, 9}},
        {4, {10, 10, 20, 20}, {10, 20, 20, 20, 20}},
    };
    for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++) {
        struct p11prof_stats stats;
        uint64_t values[12];
        memcpy(values, examples[i].values, sizeof values);
        p11prof_stats_exact(&stats, values, examples[i].count);
        assert_memory_equal(stats.quantile_ns, examples[i].quantiles, sizeof stats.quantile_ns);
    }
}

/* 0.999 * 1000 is no exact binary fraction: a rank from doubles would be one too high. */
static void ranks_are_exact(void **state)
{
    (void)state;
    assert_int_equal(p11prof_quantile_rank(0, 500000), 0);
    assert_int_equal(p11prof_quantile_rank(5, 0), 1);
    assert_int_equal(p11prof_quantile_rank(1000, 999000), 999);
    assert_int_equal(p11prof_quantile_rank(100, 990000), 99);
    assert_int_equal(p11prof_quantile_rank(101, 990000), 100);
    assert_int_equal(p11prof_quantile_rank(20, 950000), 19);
    assert_int_equal(p11prof_quantile_rank(UINT64_MAX, P11PROF_MILLION), UINT64_MAX);
}

static void ten_beyond_support_a_percentile(void **state)
{
    (void)state;
    assert_false(p11prof_quantile_supported(19, 500000));
    assert_true(p11prof_quantile_supported(20, 500000));
    assert_false(p11prof_quantile_supported(999, 990000));
    assert_true(p11prof_quantile_supported(1000, 990000));
    assert_false(p11prof_quantile_supported(9999, 999000));
    assert_true(p11prof_quantile_supported(10000, 999000));
}

static void moments_are_right(void **state)
{
    (void)state;
    struct p11prof_stats stats;
    uint64_t values[] = {2, 4, 4, 4, 5, 5, 7, 9};
    p11prof_stats_exact(&stats, values, 8);
    assert_int_equal(stats.mean_ns, 5);
    assert_true(stats.stddev_known);
    assert_int_equal(stats.stddev_ns, 2); /* sqrt(32 / 7) = 2.14 */
    p11prof_stats_exact(&stats, values, 1);
    assert_false(stats.stddev_known);
    p11prof_stats_exact(&stats, values, 0);
    assert_int_equal(stats.count, 0);
    volatile long double wide = (long double)(UINT64_C(1) << 62);
    if (wide + 1 == wide)
        return; /* valgrind has 53 bits where the processor has 64 */
    uint64_t large[] = {UINT64_C(1) << 62, (UINT64_C(1) << 62) + 2000};
    p11prof_stats_exact(&stats, large, 2);
    assert_int_equal(stats.mean_ns, (UINT64_C(1) << 62) + 1000);
    assert_in_range(stats.stddev_ns, 1413, 1415);
}

/* Each duration lies in the bucket that it is counted in; buckets come in order. */
static void buckets_hold_what_was_added(void **state)
{
    (void)state;
    struct p11prof_buckets buckets = {.count = 0};
    struct p11prof_bucket bucket = {0};
    uint64_t added = 0, found = 0, last_high = 0;
    for (unsigned shift = 0; shift < 63; shift++, added += 3) {
        p11prof_buckets_add(&buckets, UINT64_C(1) << shift, 1);
        p11prof_buckets_add(&buckets, (UINT64_C(1) << shift) | (UINT64_C(1) << shift) >> 1, 2);
    }
    while (p11prof_buckets_next(&buckets, &bucket)) {
        assert_true(bucket.low_ns >= last_high);
        last_high = bucket.high_ns;
        found += bucket.count;
    }
    assert_int_equal(found, added);
    assert_int_equal(buckets.count, added);
    p11prof_buckets_clear(&buckets);
}

static void histograms_are_near(void **state)
{
    (void)state;
    struct p11prof_stats exact, near;
    for (size_t count = 1; count <= MOST; count++) {
        uint64_t values[MOST];
        struct p11prof_buckets buckets = {.count = 0};
        struct p11prof_sums sums = {.count = 0};
        for (size_t i = 0; i < count; i++) {
            values[i] = next_random() % (UINT64_C(1) << (5 + count % 25));
            p11prof_buckets_add(&buckets, values[i], 1);
            p11prof_sums_add(&sums, &(struct p11prof_sums){1, values[i], values[i], values[i],
                                                           pow((double)values[i], 2)});
        }
        p11prof_stats_exact(&exact, values, count);
        p11prof_stats_of_buckets(&near, &sums, &buckets);
        p11prof_buckets_clear(&buckets);
        assert_int_equal(near.mean_ns, exact.mean_ns);
        assert_int_equal(near.min_ns, exact.min_ns);
        assert_int_equal(near.max_ns, exact.max_ns);
        assert_in_range(near.stddev_ns + 1, exact.stddev_ns, exact.stddev_ns + 2);
        for (size_t i = 0; i < P11PROF_QUANTILES; i++) {
            double error = fabs((double)near.quantile_ns[i] - (double)exact.quantile_ns[i]);
            assert_true(error <= 1 || error <= 0.005 * (double)exact.quantile_ns[i]);
            assert_int_equal(near.supported[i], exact.supported[i]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantiles_follow_the_definition),
        cmocka_unit_test(quantiles_are_those_of_r),
        cmocka_unit_test(ranks_are_exact),
        cmocka_unit_test(ten_beyond_support_a_percentile),
        cmocka_unit_test(moments_are_right),
        cmocka_unit_test(buckets_hold_what_was_added),
        cmocka_unit_test(histograms_are_near),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
