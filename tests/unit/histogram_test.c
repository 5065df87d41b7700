/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Histograms and timelines of a bench in a database: with its rows, and without them. */
#include "results_fixture.h"

#include "report/histogram.h"
#include "report/timeline_load.h"

#include <math.h>
#include <string.h>

#define MS UINT64_C(1000000)

enum { EACH = 100, SLICES = 3, OPERATIONS = SLICES * EACH + 3 };

static struct p11prof_histogram histogram;
static struct p11prof_run_timelines timelines;
static struct p11prof_error error;

/* Three slices at 0, 40 and 60 ms, of operations of 101 to 200 us. Besides: one of 50 ms in the
 * first slice, which ends in the second, one of 30 ms in the second, and one that fails late. A
 * warm-up has 10 more. */
static void fill(bool with_rows)
{
    static const uint64_t starts_ns[SLICES] = {0, 40 * MS, 60 * MS};
    struct bench_place place = {.load = 1, .phase = P11PROF_PHASE_WARMUP, .thread_id = 7};
    bench_load(1, "ecdsa-p256-sign", 32, 1, 1);
    for (size_t i = 0; i < 10; i++)
        bench_operation(&place, 90 * MS, CKR_OK);
    place.phase = P11PROF_PHASE_MEASURED;
    for (unsigned slice = 0; slice < SLICES; slice++) {
        place.start_ns = starts_ns[slice];
        bench_slice(1, slice + 1, place.start_ns, 20 * MS);
        for (size_t i = 1; i <= EACH; i++)
            bench_operation(&place, 100000 + i * 1000, CKR_OK);
        if (slice < 2)
            bench_operation(&place, slice == 0 ? 50 * MS : 30 * MS, CKR_OK);
    }
    bench_operation(&place, 80 * MS, CKR_DEVICE_ERROR);
    bench_write(with_rows);
    sqlite3_exec(p11prof_store_sqlite(fixture_store), "UPDATE run SET duration_ns = 140000000",
                 NULL, NULL, NULL);
}

static enum p11prof_status load_histogram(const struct p11prof_histogram_options *options)
{
    static const int64_t run_id = 1;
    static const struct p11prof_run_set runs = {&run_id, 1};
    p11prof_histogram_clear(&histogram);
    return p11prof_histogram_load(&histogram, p11prof_store_sqlite(fixture_store), &runs, 1,
                                  options, &error);
}

static enum p11prof_status load_timelines(const struct p11prof_timeline_options *options)
{
    p11prof_run_timelines_clear(&timelines);
    return p11prof_run_timelines_load(&timelines, p11prof_store_sqlite(fixture_store), 1, options,
                                      &error);
}

static int teardown(void **state)
{
    p11prof_histogram_clear(&histogram);
    p11prof_run_timelines_clear(&timelines);
    return bench_teardown(state);
}

static void check_worst(size_t index, uint64_t duration_ns, uint64_t iteration)
{
    const struct p11prof_worst *worst = &histogram.groups[0].worst[index];
    assert_int_equal(worst->duration_ns, duration_ns);
    assert_int_equal(worst->iteration, iteration);
    assert_int_equal(worst->thread_id, 7);
    assert_int_equal(worst->start_wall_ns - worst->start_ns,
                     fixture_integer(fixture_store, "SELECT start_wall_ns FROM run"));
}

static void the_worst_are_named(void **state)
{
    (void)state;
    fill(true);
    assert_int_equal(load_histogram(&(struct p11prof_histogram_options){.top = 6}), P11PROF_OK);
    assert_int_equal(histogram.group_count, 1);
    const struct p11prof_histogram_group *group = &histogram.groups[0];
    assert_int_equal(group->tally->count, OPERATIONS);
    assert_int_equal(group->tally->error_count, 1);
    assert_int_equal(group->stats.count, OPERATIONS - 1);
    assert_true(group->worst_known);
    assert_int_equal(group->outliers.count, 2);
    assert_int_equal(group->worst_count, 2);
    check_worst(0, 50 * MS, 2 * EACH + 1); /* it ended when two slices had */
    assert_int_equal(group->worst[0].start_ns, 0);
    check_worst(1, 30 * MS, OPERATIONS - 1); /* only the failed one ended later */
    assert_string_equal(p11prof_table_text(&histogram.names, 0, "test", ""), "ecdsa-p256-sign");
}

static void bins_have_each_operation(void **state)
{
    (void)state;
    fill(true);
    uint64_t count = 0;
    assert_int_equal(load_histogram(&(struct p11prof_histogram_options){.top = 6}), P11PROF_OK);
    for (size_t i = 0; i < histogram.bins.count; i++)
        count += histogram.groups[0].counts[i];
    assert_int_equal(count, OPERATIONS - 1);
    assert_int_equal(histogram.groups[0].modes.count, 1);
}

static void without_rows_the_worst_are_unknown(void **state)
{
    (void)state;
    fill(false);
    assert_int_equal(load_histogram(&(struct p11prof_histogram_options){.top = 6}), P11PROF_OK);
    const struct p11prof_histogram_group *group = &histogram.groups[0];
    assert_int_equal(group->stats.count, OPERATIONS - 1);
    assert_false(group->worst_known);
    assert_int_equal(group->worst_count, 0);
    assert_int_equal(group->outliers.count, 2); /* counted all the same */
}

static void groups_beyond_the_top_are_summed_up(void **state)
{
    (void)state;
    struct p11prof_histogram_options options = {.top = 1};
    fill(true);
    bench_load(2, "other", -1, 1, 1);
    assert_int_equal(p11prof_selection_add(&options.selection, P11PROF_BY_FUNCTION, "C_Sign"),
                     true);
    assert_null(p11prof_grouping_read(&options.by, "test,thread", &(const char *){NULL}));
    assert_int_equal(load_histogram(&options), P11PROF_OK);
    assert_int_equal(histogram.group_count, 1);
    assert_int_equal(histogram.rest_count, 0);
    assert_null(p11prof_grouping_read(&options.by, "rv", &(const char *){NULL}));
    assert_int_equal(load_histogram(&options), P11PROF_OK);
    assert_int_equal(histogram.rest_count, 1);
    assert_int_equal(histogram.rest_calls, 1);
    assert_int_equal(histogram.rest_ns, 40 * MS); /* the call that failed */
}

static void nothing_is_an_error(void **state)
{
    (void)state;
    struct p11prof_histogram_options options = {.top = 1};
    struct p11prof_timeline_options of_time = {.room = 10};
    fill(true);
    p11prof_selection_add(&options.selection, P11PROF_BY_THREAD, "8");
    p11prof_selection_add(&of_time.selection, P11PROF_BY_THREAD, "8");
    assert_int_equal(load_histogram(&options), P11PROF_BAD_INPUT);
    assert_non_null(strstr(error.text, "the thread '8'"));
    assert_int_equal(load_timelines(&of_time), P11PROF_BAD_INPUT);
    of_time.by_iteration = true;
    assert_int_equal(load_timelines(&of_time), P11PROF_BAD_INPUT);
}

static void check_step(const struct p11prof_timeline *timeline, size_t step, uint64_t count,
                       uint64_t max_ns)
{
    assert_int_equal(timeline->steps[step].count, count);
    assert_true(fabs((double)timeline->steps[step].sums.max_ns / (double)max_ns - 1) < 0.005);
}

/* Calls are half as long as their operations. */
static void calls_over_time(void **state)
{
    (void)state;
    fill(true);
    assert_int_equal(
        load_timelines(&(struct p11prof_timeline_options){.room = 100, .step = 20 * MS}),
        P11PROF_OK);
    assert_false(timelines.of_windows);
    assert_int_equal(timelines.timelines[0].step_ns, 20 * MS);
    check_step(&timelines.timelines[0], 0, EACH, 100000);
    check_step(&timelines.timelines[0], 1, 1, 25 * MS); /* the second half of the one of 50 ms */
}

static void windows_over_time(void **state)
{
    (void)state;
    struct p11prof_timeline_options options = {.room = 100, .step = MS};
    fill(false);
    assert_int_equal(load_timelines(&options), P11PROF_OK);
    assert_true(timelines.of_windows);
    assert_int_equal(timelines.timelines[0].step_ns, 20 * MS); /* a slice */
    uint64_t count = 0, errors = 0;
    for (size_t i = 0; i < timelines.timelines[0].count; i++) {
        count += timelines.timelines[0].steps[i].count;
        errors += timelines.timelines[0].steps[i].error_count;
    }
    assert_int_equal(count, OPERATIONS + 10);
    assert_int_equal(errors, 1);
    p11prof_selection_add(&options.selection, P11PROF_BY_THREAD, "7");
    assert_int_equal(load_timelines(&options), P11PROF_BAD_INPUT);
}

static void operations_in_the_order_of_their_ends(void **state)
{
    (void)state;
    fill(true);
    assert_int_equal(load_timelines(&(struct p11prof_timeline_options){
                         .room = 100, .step = EACH, .by_iteration = true}),
                     P11PROF_OK);
    const struct p11prof_timeline *timeline = &timelines.timelines[0];
    assert_int_equal(timelines.count, 1);
    assert_int_equal(timeline->count, 4);
    check_step(timeline, 0, EACH, 200000);
    check_step(timeline, 1, EACH, 200000);
    check_step(timeline, 2, EACH, 50 * MS);
    check_step(timeline, 3, 3, 30 * MS);
    assert_int_equal(timeline->steps[3].error_count, 1);
}

static void steps_are_bounded(void **state)
{
    (void)state;
    fill(true);
    assert_int_equal(load_timelines(&(struct p11prof_timeline_options){.room = 10, .step = 1000}),
                     P11PROF_BAD_INPUT);
    assert_non_null(strstr(error.text, "there is room for 10"));
    assert_int_equal(load_timelines(&(struct p11prof_timeline_options){.room = 10}), P11PROF_OK);
    assert_in_range(timelines.timelines[0].count, 1, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_worst_are_named, bench_setup, teardown),
        cmocka_unit_test_setup_teardown(bins_have_each_operation, bench_setup, teardown),
        cmocka_unit_test_setup_teardown(without_rows_the_worst_are_unknown, bench_setup, teardown),
        cmocka_unit_test_setup_teardown(groups_beyond_the_top_are_summed_up, bench_setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_is_an_error, bench_setup, teardown),
        cmocka_unit_test_setup_teardown(calls_over_time, bench_setup, teardown),
        cmocka_unit_test_setup_teardown(windows_over_time, bench_setup, teardown),
        cmocka_unit_test_setup_teardown(operations_in_the_order_of_their_ends, bench_setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(steps_are_bounded, bench_setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
