/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What happened between two snapshots, by hand. */
#include "top/figures.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { SECOND_NS = 1000000000, MS_NS = 1000000 };

static struct top_bucket early[] = {{1 * MS_NS, 10}, {4 * MS_NS, 2}};
static struct top_bucket late[] = {{1 * MS_NS, 10}, {2 * MS_NS, 90}, {4 * MS_NS, 12}};

/* A group of C_Sign; two snapshots that are two seconds apart. */
static struct top_group groups[2];
static struct top_run runs[2];
static struct top_snapshot before, now;
static struct top_figures figures;

static int set_up(void **state)
{
    (void)state;
    runs[0] = runs[1] = (struct top_run){1, 0, true};
    groups[0] = (struct top_group){.group_id = 7,
                                   .run_id = 1,
                                   .function = P11PROF_C_Sign,
                                   .is_call = true,
                                   .count = 12,
                                   .total_ns = 18 * MS_NS,
                                   .buckets = early,
                                   .bucket_count = 2};
    groups[1] = groups[0];
    groups[1].count = 113;
    groups[1].error_count = 1;
    groups[1].total_ns = 248 * MS_NS;
    groups[1].buckets = late;
    groups[1].bucket_count = 3;
    before = (struct top_snapshot){.wall_ns = SECOND_NS,
                                   .monotonic_ns = SECOND_NS,
                                   .runs = &runs[0],
                                   .run_count = 1,
                                   .groups = &groups[0],
                                   .group_count = 1};
    now = (struct top_snapshot){.wall_ns = INT64_C(3) * SECOND_NS,
                                .monotonic_ns = INT64_C(3) * SECOND_NS,
                                .runs = &runs[1],
                                .run_count = 1,
                                .groups = &groups[1],
                                .group_count = 1};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    top_figures_clear(&figures);
    return 0;
}

static double real(const char *column)
{
    return p11prof_table_get(&figures.functions, 0, column)->real;
}

static int64_t integer(const char *column)
{
    return p11prof_table_integer(&figures.functions, 0, column, -1);
}

static void only_what_is_new_counts(void **state)
{
    (void)state;
    top_figures_make(&figures, &before, &now, NULL);
    assert_int_equal(figures.functions.row_count, 1);
    assert_true(real("calls_per_s") == 50.5);
    assert_true(real("errors_per_s") == 0.5);
    assert_true(real("busy") == 0.115);
    assert_int_equal(integer("count"), 113);
    /* 90 of 2 ms and 10 of 4 ms are new. */
    assert_in_range(integer("p50_ns"), 2 * MS_NS, 2 * MS_NS + 2 * MS_NS / 128);
    assert_in_range(integer("p99_ns"), 4 * MS_NS, 4 * MS_NS + 4 * MS_NS / 128);
    assert_true(p11prof_table_get(&figures.functions, 0, "p99_ns")->doubtful);
}

static bool nearly(double value, double expected)
{
    return value > expected - 1e-9 && value < expected + 1e-9;
}

/* One call of 3.2 s: while it lasts, in the two seconds that it ends in, and if its record is late.
 */
static void a_long_call_is_busy_while_it_lasts(void **state)
{
    (void)state;
    struct top_call young = {1, P11PROF_C_Sign, INT64_C(1) * SECOND_NS};
    struct top_call old = {1, P11PROF_C_Sign, INT64_C(3) * SECOND_NS};
    groups[1] = groups[0];
    before.calls = &young, before.call_count = 1;
    now.calls = &old, now.call_count = 1;
    top_figures_make(&figures, &before, &now, NULL);
    assert_true(nearly(real("busy"), 1));
    top_figures_clear(&figures);
    before.calls = &old, now.call_count = 0;
    groups[1].count++;
    groups[1].total_ns += INT64_C(3200) * MS_NS;
    top_figures_make(&figures, &before, &now, NULL);
    assert_true(nearly(real("busy"), 0.1));
    top_figures_clear(&figures);
    before.call_count = 0;
    top_figures_make(&figures, &before, &now, NULL);
    assert_true(nearly(real("busy"), 1));
}

static void nothing_new_has_no_percentiles(void **state)
{
    (void)state;
    groups[1] = groups[0];
    top_figures_make(&figures, &before, &now, NULL);
    assert_true(real("calls_per_s") == 0);
    assert_int_equal(integer("p50_ns"), -1);
}

static void a_run_that_was_not_looked_at_before_is_not_new(void **state)
{
    (void)state;
    before.run_count = before.group_count = 0;
    top_figures_make(&figures, &before, &now, NULL);
    assert_true(real("calls_per_s") == 0);
    assert_int_equal(integer("count"), 113);
}

static void a_run_that_began_since_is_new(void **state)
{
    (void)state;
    before.run_count = before.group_count = 0;
    runs[1].start_wall_ns = INT64_C(2) * SECOND_NS;
    top_figures_make(&figures, &before, &now, NULL);
    assert_true(real("calls_per_s") == 56.5);
}

static void a_database_that_was_replaced_counts_nothing_negative(void **state)
{
    (void)state;
    groups[0].count = 1000;
    groups[0].total_ns = UINT64_MAX;
    top_figures_make(&figures, &before, &now, NULL);
    assert_true(real("calls_per_s") == 0 && real("busy") == 0);
}

static void calls_in_flight_belong_to_their_process(void **state)
{
    struct top_call calls[] = {{10, P11PROF_C_Sign, 5 * MS_NS}, {10, P11PROF_C_Login, 9 * MS_NS}};
    struct top_process processes[] = {
        {.run_id = 1, .pid = 10, .program = "server", .call_count = 30, .first_wall_ns = 5},
        {.run_id = -1, .pid = 11, .program = "batch", .keeps_calls = true}};
    struct top_process old = processes[0];
    (void)state;
    old.call_count = 10;
    before.processes = &old, before.process_count = 1;
    now.calls = calls, now.call_count = 2;
    now.processes = processes, now.process_count = 2;
    top_figures_make(&figures, &before, &now, NULL);
    const struct p11prof_table *table = &figures.processes;
    assert_int_equal(table->row_count, 2);
    assert_true(p11prof_table_get(table, 0, "calls_per_s")->real == 10);
    assert_int_equal(p11prof_table_integer(table, 0, "in_flight_count", -1), 2);
    assert_string_equal(p11prof_table_text(table, 0, "oldest_function", ""), "C_Login");
    assert_int_equal(p11prof_table_get(table, 1, "calls_per_s")->kind, P11PROF_CELL_NULL);
    assert_int_equal(figures.all.in_flight_count, 2);
    assert_int_equal(figures.all.oldest_ns, 9 * MS_NS);
    assert_int_equal(figures.all.keeping_count, 1);
}

static void a_filter_keeps_what_has_its_letters(void **state)
{
    (void)state;
    top_figures_make(&figures, &before, &now, "SIG");
    assert_int_equal(figures.functions.row_count, 1);
    top_figures_clear(&figures);
    top_figures_make(&figures, &before, &now, "verify");
    assert_int_equal(figures.functions.row_count, 0);
    assert_true(figures.all.calls_per_s == 50.5);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(only_what_is_new_counts),
        TEST(a_long_call_is_busy_while_it_lasts),
        TEST(nothing_new_has_no_percentiles),
        TEST(a_run_that_was_not_looked_at_before_is_not_new),
        TEST(a_run_that_began_since_is_new),
        TEST(a_database_that_was_replaced_counts_nothing_negative),
        TEST(calls_in_flight_belong_to_their_process),
        TEST(a_filter_keeps_what_has_its_letters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
