/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What calls in flight say, with few calls whose answers are worked out by hand. */
#include "draws.h"
#include "insight/concurrency_tables.h"
#include "p11prof/batch.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { SLICE_NS = 1000, LAG_NS = 1000000000 };

static struct p11prof_concurrency of;
static struct p11prof_concurrency_process *process;

static int setup(void **unused)
{
    (void)unused;
    of = (struct p11prof_concurrency){.run_duration_ns = SLICE_NS * P11PROF_TURN_SLICES};
    process = p11prof_concurrency_process_new(1, SLICE_NS, LAG_NS, of.flows);
    return 0;
}

static int teardown(void **unused)
{
    (void)unused;
    p11prof_concurrency_process_free(process);
    free(of.groups.all);
    return 0;
}

static void call(int64_t start_ns, int64_t end_ns, int64_t thread, int64_t session,
                 unsigned function)
{
    const struct p11prof_event event = {.process_id = 1,
                                        .thread_id = thread,
                                        .session = session,
                                        .start_ns = start_ns,
                                        .duration_ns = end_ns - start_ns,
                                        .function = function,
                                        .rv = CKR_OK,
                                        .mechanism = P11PROF_EVENT_UNKNOWN,
                                        .key_type = P11PROF_EVENT_UNKNOWN,
                                        .key_bits = P11PROF_EVENT_UNKNOWN};
    p11prof_concurrency_process_add(process, &event, p11prof_call_group_of(&of.groups, &event));
}

static void sign(int64_t start_ns, int64_t end_ns, int64_t thread)
{
    call(start_ns, end_ns, thread, thread, P11PROF_C_Sign);
}

static double level_ns(const struct p11prof_levels *levels, unsigned level)
{
    struct p11prof_level_block *sum = p11prof_levels_sum(levels, NULL, levels->block_count);
    double ns = sum->level_ns[level];
    free(sum);
    return ns;
}

static void judge(struct p11prof_concurrency_verdict *out)
{
    p11prof_concurrency_process_finish(process);
    p11prof_concurrency_judge(out, process, &of.groups);
}

static void near(double value, double expected)
{
    if (fabs(value - expected) > 1e-6 * fmax(1, fabs(expected)))
        fail_msg("%g is not %g", value, expected);
}

/*  0    50   100  150  200       300
 *  A=========
 *       B=========     C=========== */
static void test_levels(void **unused)
{
    (void)unused;
    call(50, 150, 2, 7, P11PROF_C_Sign); /* they come in another order than they ended */
    call(0, 100, 1, 7, P11PROF_C_Sign);
    call(200, 300, 1, 8, P11PROF_C_Sign);
    p11prof_concurrency_process_finish(process);
    near(level_ns(&process->levels, 0), 50);
    near(level_ns(&process->levels, 1), 200);
    near(level_ns(&process->levels, 2), 50);
    near(process->levels.in_flight_ns, 300);
    assert_int_equal(process->levels.most, 2);
    assert_int_equal(process->first_ns, 0);
    assert_int_equal(process->last_ns, 300);
    near(process->slices[0].in_flight_ns, 300);
    assert_int_equal(process->slices[0].most, 2);
    assert_int_equal(process->slices[0].call_count, 3);
    near(level_ns(&process->sessions.within, 2), 50);
    near(level_ns(&process->sessions.across, 1), 250); /* no two sessions at once */
    near(level_ns(&process->sessions.across, 2), 0);
    assert_int_equal(process->turns.overlap_count, 1);
    near(process->turns.alone_ns, 200);
}

/* A call that spans slices is in each for its part. */
static void test_slices(void **unused)
{
    (void)unused;
    sign(500, 2250, 1);
    sign(1900, 2000, 2);
    p11prof_concurrency_process_finish(process);
    near(process->slices[0].in_flight_ns, 500);
    near(process->slices[1].in_flight_ns, 1100);
    near(process->slices[2].in_flight_ns, 250);
    assert_int_equal(process->slices[0].most, 1);
    assert_int_equal(process->slices[1].most, 2);
    assert_int_equal(process->slices[2].call_count, 0);
}

/* What ends at the moment at which the next one begins does not overlap with it. */
static void test_back_to_back(void **unused)
{
    (void)unused;
    for (int i = 0; i < 10; i++)
        sign(100 * i, 100 * i + 100, 1 + i % 2);
    p11prof_concurrency_process_finish(process);
    assert_int_equal(process->levels.most, 1);
    near(level_ns(&process->levels, 1), 1000);
}

static void test_late(void **unused)
{
    (void)unused;
    process->sweep.lag_ns = 100;
    sign(0, 100, 1);
    sign(1000000000, 1000000100, 1);
    sign(2000000000, 2000000100, 1);
    sign(500000000, 2000000200, 2); /* longer than was promised */
    p11prof_concurrency_process_finish(process);
    assert_int_equal(process->sweep.late_count, 1);
    assert_int_equal(process->levels.most, 2);
    near(process->levels.in_flight_ns, 300 + 1000000200 - 100); /* from the last that was told on */
}

/* In each 50 ns: A alone from 0 to 10, B from 5 on, C alone from 30 to 40. Work is 3 x 10. One
 * after another B ends at 20: one in flight for 25, two for 5, so it is (30 - 25) / 5 = 1 time as
 * fast. Together B ends at 15: one in flight for 20, and it is (30 - 20) / 5 = 2 times as fast. */
static void repeat(int64_t end_of_b)
{
    for (int64_t at = 0; at < 50 * 400; at += 50) {
        sign(at, at + 10, 1);
        sign(at + 5, at + end_of_b, 2);
        sign(at + 30, at + 40, 1);
    }
}

static void test_in_turn(void **unused)
{
    struct p11prof_concurrency_verdict verdict;
    (void)unused;
    repeat(20);
    judge(&verdict);
    assert_int_equal(verdict.module.served, P11PROF_SERVED_IN_TURN);
    near(verdict.module.times.value, 1);
    near(verdict.module.times.high, 1);
    near(verdict.module.parallel.value, 1);
    near(verdict.module.service_ns, 10);
    near(verdict.module.mean_ns, 35. / 3);
    near(verdict.module.in_flight, 2);
    near(verdict.module.overlapped_ns, 5 * 400);
    assert_int_equal(verdict.function, P11PROF_C_Sign);
    near(verdict.function_share, 1);
    assert_false(verdict.taken);
    assert_false(verdict.by_sessions);
    assert_string_equal(p11prof_served_word(&verdict.module), "serialised");
}

/* Short calls of another function are not in the figures of the one that is named. */
static void test_durations(void **unused)
{
    struct p11prof_concurrency_verdict verdict;
    (void)unused;
    repeat(20);
    for (int64_t at = 0; at < 50 * 400; at += 50)
        call(at + 45, at + 46, 1, 1, P11PROF_C_SignInit);
    judge(&verdict);
    assert_int_equal(verdict.function, P11PROF_C_Sign);
    near(verdict.module.service_ns, 31. / 4);
    near(verdict.service_ns, 10);
    near(verdict.mean_ns, 35. / 3);
}

static void test_together(void **unused)
{
    struct p11prof_concurrency_verdict verdict;
    (void)unused;
    repeat(15);
    judge(&verdict);
    assert_int_equal(verdict.module.served, P11PROF_SERVED_ALL);
    near(verdict.module.times.value, 2);
    near(verdict.module.parallel.value, 2);
    assert_string_equal(p11prof_served_word(&verdict.module), "free");
}

/* Two kinds of calls that a lock keeps apart: neither of them ever overlaps with its own kind. */
static void test_kinds_in_turn(void **unused)
{
    struct p11prof_concurrency_verdict verdict;
    (void)unused;
    for (int64_t at = 0; at < 100 * 400; at += 100) {
        call(at, at + 10, 1, 1, P11PROF_C_Sign);
        call(at + 5, at + 40, 2, 2, P11PROF_C_Decrypt); /* takes 30 */
        call(at + 60, at + 90, 2, 2, P11PROF_C_Decrypt);
    }
    judge(&verdict);
    assert_int_equal(verdict.module.served, P11PROF_SERVED_IN_TURN);
    near(verdict.module.times.value, 1);
    assert_int_equal(verdict.function, P11PROF_C_Decrypt);
}

/* Calls that take nothing, but where the machine stalls: what they take by themselves is not known.
 */
static void test_wide_interval(void **unused)
{
    unsigned wide = 0;
    (void)unused;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct p11prof_concurrency_verdict verdict;
        int64_t at[6] = {0};
        teardown(NULL);
        setup(NULL);
        draw_seed(seed);
        for (int i = 0; i < 6 * 200; i++) {
            int64_t start_ns = at[i % 6] + (int64_t)(100 * draw_uniform());
            at[i % 6] = start_ns + (int64_t)draw_lognormal(20, 2.5);
            sign(start_ns, at[i % 6], 1 + i % 6);
        }
        judge(&verdict);
        wide += verdict.module.lack == P11PROF_LACK_SURE;
        if (verdict.module.known) {
            assert_true(verdict.module.times.low >= 0);
            assert_int_not_equal(verdict.module.lack, P11PROF_LACK_SURE);
        }
    }
    assert_true(wide >= 10);
}

static void test_one_thread(void **unused)
{
    struct p11prof_concurrency_verdict verdict;
    (void)unused;
    for (int64_t at = 0; at < 50 * 400; at += 50)
        sign(at, at + 45, 1);
    judge(&verdict);
    assert_int_equal(verdict.module.served, P11PROF_SERVED_UNKNOWN);
    assert_int_equal(verdict.module.lack, P11PROF_LACK_OVERLAP);
    assert_false(p11prof_concurrency_matters(&verdict));
}

static void test_too_few(void **unused)
{
    struct p11prof_concurrency_verdict verdict;
    (void)unused;
    for (int64_t at = 0; at < 10; at++) {
        sign(at * 100, at * 100 + 10, 1);
        sign(at * 100 + 5, at * 100 + 20, 2);
    }
    judge(&verdict);
    assert_int_equal(verdict.module.lack, P11PROF_LACK_CALLS);
    assert_string_equal(p11prof_served_word(&verdict.module), "insufficient");
}

/* Threads 1 and 2 in turn, 1000 ns each, with a gap. 59 slices of 1000 ns hold the calls. */
static void take_turns(int64_t gap_ns)
{
    process->turns.slice_ns = 10000;
    for (int i = 0; i < 200; i++)
        sign(i * (1000 + gap_ns), i * (1000 + gap_ns) + 1000, 1 + i % 2);
}

static void test_turns(void **unused)
{
    struct p11prof_concurrency_verdict verdict;
    (void)unused;
    take_turns(10);
    judge(&verdict);
    const struct p11prof_thread_turns *turns = &process->turns;
    assert_true(verdict.taken);
    assert_int_equal(turns->overlap_count, 0);
    assert_int_equal(turns->handover_count, 199);
    assert_int_equal(turns->quick_count, 199);
    near(turns->alone_ns, 200000);
    near(turns->waited_ns, 199000); /* nobody is known to have waited for the last one */
    double expected = p11prof_thread_turns_expected(turns); /* the other one is in for 50 % */
    assert_true(expected > 90 && expected < 100);
}

/* As many, but who begins has been away: nobody waited. */
static void test_turns_without_wait(void **unused)
{
    struct p11prof_concurrency_verdict verdict;
    (void)unused;
    take_turns(300); /* more than a quarter of a call */
    judge(&verdict);
    assert_int_equal(process->turns.quick_count, 0);
    near(process->turns.waited_ns, 0);
}

/* Threads that are let in together take no turns. */
static void test_no_turns(void **unused)
{
    struct p11prof_concurrency_verdict verdict;
    (void)unused;
    repeat(20);
    judge(&verdict);
    assert_int_equal(process->turns.overlap_count, 400);
    assert_false(verdict.taken);
}

/* Thread 2 has begun an operation, and is in no call from 20 to 80: it waits while thread 1 is. */
static void test_between_calls(void **unused)
{
    (void)unused;
    call(10, 20, 2, 2, P11PROF_C_SignInit);
    call(30, 70, 1, 1, P11PROF_C_GenerateRandom);
    call(80, 90, 2, 2, P11PROF_C_Sign);
    call(2000, 2040, 1, 1, P11PROF_C_GenerateRandom);
    p11prof_concurrency_process_finish(process);
    near(process->turns.alone_ns, 100);
    near(process->turns.waited_ns, 40);
}

/* Two calls of thread 2 overlap by 1 ns: nobody waits when its operation is over. */
static void test_between_calls_that_overlap(void **unused)
{
    (void)unused;
    call(10, 20, 2, 2, P11PROF_C_SignInit);
    call(19, 25, 2, 2, P11PROF_C_SignUpdate);
    call(30, 40, 2, 2, P11PROF_C_Sign);
    call(2000, 2040, 1, 1, P11PROF_C_GenerateRandom);
    p11prof_concurrency_process_finish(process);
    assert_int_equal(process->turns.between_count, 0);
    near(process->turns.waited_ns, 5); /* from the end of its first call to that of its second */
}

static void test_shared_sessions(void **unused)
{
    (void)unused;
    call(0, 10, 9, 5, P11PROF_C_OpenSession); /* who only opens it does not share it */
    call(20, 30, 1, 5, P11PROF_C_Sign);
    call(40, 50, 1, 5, P11PROF_C_CloseSession);
    call(60, 70, 9, 5, P11PROF_C_OpenSession); /* the same handle again */
    call(80, 90, 2, 5, P11PROF_C_Sign);
    call(100, 110, 2, 6, P11PROF_C_Sign);
    call(105, 120, 3, 6, P11PROF_C_Sign);
    p11prof_concurrency_process_finish(process);
    assert_int_equal(process->sessions.shared_count, 1);
    assert_int_equal(process->sessions.shared[0].session, 6);
    assert_int_equal(process->sessions.shared[0].thread_count, 2);
    assert_int_equal(process->sessions.shared[0].call_count, 2);
}

/* 10,000 sessions, opened and closed in an order of their own: each has one thread. */
static void test_many_sessions(void **unused)
{
    (void)unused;
    for (int64_t i = 0; i < 10000; i++) {
        call(100 * i, 100 * i + 10, 1, i, P11PROF_C_Sign);
        if (i >= 100)
            call(100 * i + 20, 100 * i + 30, 1, (i - 100) ^ 1, P11PROF_C_CloseSession);
    }
    p11prof_concurrency_process_finish(process);
    assert_int_equal(process->sessions.shared_count, 0);
    assert_int_equal(process->sessions.open_count, 0);
}

/* Calls of a session in turn, as in test_in_turn; those of two sessions together. */
static void test_lock_of_a_session(void **unused)
{
    struct p11prof_concurrency_verdict verdict;
    (void)unused;
    for (int64_t at = 0; at < 100 * 400; at += 100) {
        call(at, at + 10, 1, 1, P11PROF_C_Sign);
        call(at + 5, at + 20, 2, 1, P11PROF_C_Sign);
        call(at + 50, at + 60, 1, 1, P11PROF_C_Sign);
        call(at + 55, at + 65, 3, 2, P11PROF_C_Sign);
        call(at + 80, at + 90, 4, 2, P11PROF_C_Sign);
    }
    judge(&verdict);
    assert_true(verdict.by_sessions);
    assert_int_equal(verdict.within.served, P11PROF_SERVED_IN_TURN);
    near(verdict.within.times.value, 1);
    assert_int_equal(verdict.across.served, P11PROF_SERVED_ALL);
    near(verdict.across.times.value, 2);
}

static void test_flow(void **unused)
{
    unsigned function;
    (void)unused;
    sign(0, 100, 1);
    sign(50, 150, 2);
    sign(200, 300, 1);
    p11prof_concurrency_process_finish(process);
    near(p11prof_concurrency_deviation(&of, 0.001, &function), 0);
    assert_int_equal(function, 0);
    of.lost_counts[P11PROF_C_Sign] = 1; /* 3 of 4 calls are in what was in flight */
    near(p11prof_concurrency_deviation(&of, 0.001, &function), -0.25);
    assert_int_equal(function, P11PROF_C_Sign);
}

/* The clock went back: the thread seems to be in two calls at once. */
static void test_flow_of_a_clock_that_was_set(void **unused)
{
    unsigned function;
    (void)unused;
    sign(0, 100, 1);
    sign(50, 150, 1);
    p11prof_concurrency_process_finish(process);
    near(p11prof_concurrency_deviation(&of, 0.001, &function), -0.25); /* 150 of 200 */
}

static void test_more_groups_than_there_are(void **state)
{
    (void)state;
    struct p11prof_event event = {.function = P11PROF_C_Sign};
    uint32_t last = 0;
    for (int64_t i = 0; i < 3 * P11PROF_CALL_GROUPS_MOST; i++) {
        event.mechanism = i;
        last = p11prof_call_group_of(&of.groups, &event);
    }
    assert_int_equal(of.groups.count, P11PROF_CALL_GROUPS_MOST);
    assert_int_equal(last, P11PROF_CALL_GROUPS_MOST - 1);
    assert_int_equal(of.groups.all[last].function, P11PROF_NO_FUNCTION);
    event.mechanism = 7;
    assert_int_equal(p11prof_call_group_of(&of.groups, &event), 7);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_levels),
        TEST(test_slices),
        TEST(test_back_to_back),
        TEST(test_late),
        TEST(test_in_turn),
        TEST(test_durations),
        TEST(test_together),
        TEST(test_kinds_in_turn),
        TEST(test_wide_interval),
        TEST(test_one_thread),
        TEST(test_too_few),
        TEST(test_turns),
        TEST(test_turns_without_wait),
        TEST(test_no_turns),
        TEST(test_between_calls),
        TEST(test_between_calls_that_overlap),
        TEST(test_shared_sessions),
        TEST(test_many_sessions),
        TEST(test_lock_of_a_session),
        TEST(test_flow),
        TEST(test_more_groups_than_there_are),
        TEST(test_flow_of_a_clock_that_was_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
