/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Signals, cancellation, jumps, exceptions and threads that just end: each call that returned is
 * recorded, no thread waits for one that is gone, and what is the application's stays as it was. */
#include "host.h"

#include <stdio.h>
#include <string.h>

static const char *const drains[] = {"thread", "exit", "external"};

/* --- storms --- */

/* Handlers share their thread with the calls that they interrupt: counted, not told apart. */
static void test_storms(void **state)
{
    static const struct host_case cases[] = {
        {.scenario = "storm", .threads = 4, .calls = 40009, .varies = true},
        {.scenario = "storm-at-start", .threads = 1, .calls = 1009, .varies = true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t drain = 0; drain < 3; drain++) {
            struct fault fault;
            host_set_up(&fault, &cases[i]);
            host_run(&fault, &cases[i], drains[drain]);
            host_counted(&fault);
            fault_tear_down(&fault);
        }
}

/* --- cancellation --- */

/* ASan takes the stack of a thread that was cancelled for one that is still in use. */
static void skip_under_asan(void)
{
#ifdef __SANITIZE_ADDRESS__
    skip();
#endif
}

/* A thread that is cancelled at any instruction leaves a lock of TSan's held, and one that ends by
 * SYS_exit has not ended for it: both wait for ever, without us, too. */
static void skip_under_tsan(void)
{
#ifdef __SANITIZE_THREAD__
    skip();
#endif
}

static void test_cancel_wait(void **state)
{
    static const struct host_case host = {
        .scenario = "cancel-wait", .threads = 2, .calls = 503, .callbacks = true};
    (void)state;
    skip_under_asan();
    skip_under_tsan();
    for (size_t drain = 0; drain < 3; drain++) {
        struct fault fault;
        host_set_up(&fault, &host);
        host_run(&fault, &host, drains[drain]);
        host_counted(&fault);
        assert_int_equal(driven_ask(&fault.driven, "SELECT count(*) FROM calls WHERE function = "
                                                   "'C_WaitForSlotEvent'"),
                         0);
        assert_int_equal(driven_ask(&fault.driven, "SELECT count(*) FROM in_flight"), 0);
        fault_tear_down(&fault);
    }
}

/* What was cancelled between the return and the count is one row more. */
static void test_cancel_anywhere(void **state)
{
    static const struct host_case host = {
        .scenario = "cancel-anywhere", .threads = 1, .calls = 25, .varies = true};
    (void)state;
    skip_under_asan();
    skip_under_tsan();
    for (size_t drain = 0; drain < 3; drain++) {
        struct fault fault;
        host_set_up(&fault, &host);
        host_run(&fault, &host, drains[drain]);
        driven_collect(&fault.driven);
        driven_assert_exact(&fault.driven, true);
        assert_int_equal(driven_ask(&fault.driven, "SELECT sum(lost_count) FROM runs"), 0);
        fault_tear_down(&fault);
    }
}

static void test_cancel_first(void **state)
{
    static const struct host_case host = {.scenario = "cancel-first", .threads = 1, .calls = 503};
    (void)state;
    skip_under_asan();
    for (size_t drain = 0; drain < 3; drain++)
        host_test(&host, drains[drain]);
}

/* --- ways out --- */

/* Calls that were left are no rows, and later ones are not taken for calls inside them. */
static void test_leave(void **state)
{
    static const struct host_case host = {
        .scenario = "leave", .threads = 3, .calls = 53, .callbacks = true};
    (void)state;
    for (size_t drain = 0; drain < 3; drain++) {
        struct fault fault;
        host_set_up(&fault, &host);
        host_run(&fault, &host, drains[drain]);
        host_counted(&fault);
        assert_int_equal(
            driven_ask(&fault.driven, "SELECT count(*) FROM calls WHERE function = 'C_SeedRandom'"),
            0);
        driven_assert_exact(&fault.driven, false);
        assert_int_equal(driven_ask(&fault.driven, "SELECT count(*) FROM in_flight"), 0);
        assert_int_equal(driven_ask(&fault.driven, "SELECT count(*) FROM call WHERE flags & 1"), 0);
        fault_tear_down(&fault);
    }
}

/* A call that is left while it drains leaves no drain behind that nobody is in any more. */
static void test_jump_out(void **state)
{
    static const struct host_case host = {
        .scenario = "jump-out", .threads = 1, .calls = 100003, .varies = true, .limit = "1MB"};
    (void)state;
    skip_under_asan();
    for (size_t drain = 1; drain < 3; drain++) {
        struct fault fault;
        host_set_up(&fault, &host);
        host_run(&fault, &host, drains[drain]);
        driven_collect(&fault.driven);
        long long jumps = (long long)fault.driven.counts->slots[1].returned_count;
        long long returned = (long long)fault.driven.counts->slots[0].returned_count;
        long long lost = driven_ask(&fault.driven, "SELECT coalesce(sum(count), 0) FROM losses "
                                                   "WHERE function = 'C_GenerateRandom'");
        long long rows = driven_ask(&fault.driven, "SELECT count(*) FROM calls WHERE function = "
                                                   "'C_GenerateRandom'");
        printf("  %lld calls returned, %lld left: %lld rows, %lld lost\n", returned, jumps, rows,
               lost);
        assert_in_range(rows + lost, returned, returned + jumps);
#ifndef __SANITIZE_THREAD__ /* so slow that more appends are left than there are rings */
        assert_true(strcmp(drains[drain], "exit") != 0 || lost < returned / 2);
#endif
        fault_tear_down(&fault);
    }
}

/* Calls that Notify makes are known as calls inside calls, all of them and no others. */
static void test_nested(void **state)
{
    static const struct host_case host = {
        .scenario = "nested", .threads = 3, .calls = 2003, .callbacks = true};
    (void)state;
    for (size_t drain = 0; drain < 3; drain++) {
        struct fault fault;
        host_set_up(&fault, &host);
        host_run(&fault, &host, drains[drain]);
        host_exact(&fault);
        assert_int_equal(driven_ask(&fault.driven, "SELECT count(*) FROM call WHERE flags & 1"),
                         driven_returned(&fault.driven));
        assert_int_equal(
            driven_ask(&fault.driven, "SELECT count(*) FROM calls WHERE function = 'C_SeedRandom'"),
            driven_returned(&fault.driven));
        fault_tear_down(&fault);
    }
}

static void test_threads_end(void **state)
{
    static const struct host_case ending = {.scenario = "threads-end", .threads = 2, .calls = 101};
    static const struct host_case leaving = {.scenario = "main-leaves", .threads = 3, .calls = 503};
    (void)state;
    skip_under_tsan();
    for (size_t drain = 0; drain < 3; drain++) {
        host_test(&ending, drains[drain]);
        host_test(&leaving, drains[drain]);
    }
}

/* What that thread was about is rows, or collected later. */
static void test_exit_beside(void **state)
{
    static const struct host_case host = {.scenario = "exit-beside", .threads = 1, .calls = 503};
    (void)state;
    for (size_t drain = 0; drain < 3; drain++)
        host_test(&host, drains[drain]);
}

/* --- what is the application's own --- */

static void test_looks(void **state)
{
    static const struct host_case host = {.scenario = "looks", .threads = 2, .calls = 5003};
    (void)state;
    for (size_t drain = 0; drain < 3; drain++)
        host_test(&host, drains[drain]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_storms),          cmocka_unit_test(test_cancel_wait),
        cmocka_unit_test(test_cancel_anywhere), cmocka_unit_test(test_cancel_first),
        cmocka_unit_test(test_jump_out),        cmocka_unit_test(test_leave),
        cmocka_unit_test(test_threads_end),     cmocka_unit_test(test_nested),
        cmocka_unit_test(test_looks),           cmocka_unit_test(test_exit_beside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
