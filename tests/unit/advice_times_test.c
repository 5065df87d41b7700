/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Advice about slow start-ups, and about slow calls after a rest. */
#include "pattern_fixture.h"

#include <string.h>

static const int64_t second_ns = 1000000000;

/* --- Start-ups --- */

static void start_up(int64_t process_id, int64_t search_ns)
{
    CALL(C_Initialize, .process_id = process_id);
    CALL(C_GetTokenInfo, .process_id = process_id, .slot_id = 3);
    CALL(C_GetTokenInfo, .process_id = process_id, .slot_id = 3);
    CALL(C_OpenSession, .process_id = process_id);
    CALL(C_FindObjectsInit, .process_id = process_id, .duration_ns = search_ns);
}

static void a_slow_start_is_found(void **state)
{
    (void)state;
    pattern_begin(&p11prof_detect_slow_startup);
    start_up(1, second_ns);
    start_up(2, second_ns / 10);
    for (int i = 0; i < 100; i++)
        pattern_sign(1 + i % 2);
    const struct p11prof_findings *found = pattern_end();
    assert_int_equal(found->count, 1);
    assert_string_equal(found->all[0].subject, "searches");
    assert_int_equal(found->all[0].count, 1);
    assert_int_equal(found->all[0].call_count, 5);
    assert_int_equal(found->all[0].cost_ns, second_ns + 4 * PATTERN_NS);
    assert_int_equal(found->all[0].saving_ns, PATTERN_NS);
}

static void a_quick_start_is_none(void **state)
{
    (void)state;
    pattern_begin(&p11prof_detect_slow_startup);
    start_up(1, second_ns - 5 * PATTERN_NS);
    pattern_sign(1);
    pattern_finds(0);
}

static void a_start_is_forgotten_in_a_long_run(void **state)
{
    (void)state;
    for (int64_t seconds = 2; seconds < 4; seconds++) {
        pattern_begin(&p11prof_detect_slow_startup);
        start_up(1, seconds * second_ns);
        pattern_sign(1);
        pattern_rest(100 * second_ns);
        pattern_finds(seconds == 2 ? 0 : 1);
    }
}

static void who_does_nothing_has_not_started(void **state)
{
    (void)state;
    pattern_begin(&p11prof_detect_slow_startup);
    start_up(1, 10 * second_ns);
    CALL(C_Finalize, .rv = CKR_OK);
    pattern_finds(0);
}

static void whose_start_is_not_seen_has_none(void **state)
{
    (void)state;
    pattern_begin(&p11prof_detect_slow_startup);
    CALL(C_FindObjectsInit, .duration_ns = 10 * second_ns);
    pattern_sign(1);
    pattern_finds(0);
}

static void many_short_processes_are_found(void **state)
{
    (void)state;
    pattern_begin(&p11prof_detect_slow_startup);
    for (int i = 1; i <= 20; i++) {
        start_up(i, second_ns / 10);
        pattern_sign(i);
    }
    const struct p11prof_findings *found = pattern_end();
    assert_int_equal(found->count, 1);
    assert_string_equal(found->all[0].subject, "many processes");
    assert_int_equal(found->all[0].saving_ns, 19 * (second_ns / 10 + 4 * PATTERN_NS));
}

static void processes_with_much_to_do_are_none(void **state)
{
    (void)state;
    pattern_begin(&p11prof_detect_slow_startup);
    for (int i = 1; i <= 20; i++) {
        start_up(i, second_ns / 10);
        for (int j = 0; j < 60; j++)
            pattern_sign(i);
    }
    pattern_finds(0);
}

/* --- Rests --- */

/* So many times a rest, a first call and others. */
static void bursts(int count, int64_t rest_ns, int64_t first_ns)
{
    CALL(C_Sign, .duration_ns = PATTERN_NS);
    for (int i = 0; i < count; i++) {
        pattern_rest(rest_ns);
        CALL(C_Sign, .duration_ns = first_ns);
        for (int j = 0; j < 5; j++)
            CALL(C_Sign, .duration_ns = PATTERN_NS);
    }
}

static void slow_calls_after_rests_are_found(void **state)
{
    (void)state;
    pattern_begin(&p11prof_detect_bursts_after_idle);
    bursts(5, second_ns, 50 * PATTERN_NS);
    const struct p11prof_findings *found = pattern_end();
    assert_int_equal(found->count, 1);
    assert_string_equal(found->all[0].subject, "C_Sign");
    assert_int_equal(found->all[0].count, 5);
    assert_int_equal(found->all[0].cost_ns, 5 * 50 * PATTERN_NS);
    assert_true(found->all[0].saving_ns > 5 * 48 * PATTERN_NS);
}

static void four_rests_are_none(void **state)
{
    (void)state;
    pattern_begin(&p11prof_detect_bursts_after_idle);
    bursts(4, second_ns, 50 * PATTERN_NS);
    pattern_finds(0);
}

static void short_rests_are_none(void **state)
{
    (void)state;
    pattern_begin(&p11prof_detect_bursts_after_idle);
    bursts(50, second_ns / 2, 50 * PATTERN_NS);
    pattern_finds(0);
}

static void a_cold_cache_is_none(void **state)
{
    (void)state;
    pattern_begin(&p11prof_detect_bursts_after_idle);
    bursts(50, second_ns, 4 * PATTERN_NS);
    pattern_finds(0);
    pattern_begin(&p11prof_detect_bursts_after_idle);
    for (int i = 0; i < 50; i++) {
        pattern_rest(second_ns);
        CALL(C_GetSessionInfo, .duration_ns = PATTERN_NS);
        for (int j = 0; j < 5; j++)
            CALL(C_GetSessionInfo, .duration_ns = PATTERN_NS / 1000);
    }
    pattern_finds(0);
}

static void a_few_slow_ones_are_none(void **state)
{
    (void)state;
    pattern_begin(&p11prof_detect_bursts_after_idle);
    bursts(4, second_ns, 500 * PATTERN_NS);
    bursts(10, second_ns, PATTERN_NS);
    pattern_finds(0);
}

static void calls_that_all_follow_a_rest_are_none(void **state)
{
    (void)state;
    pattern_begin(&p11prof_detect_bursts_after_idle);
    for (int i = 0; i < 50; i++) {
        pattern_rest(2 * second_ns);
        CALL(C_Sign, .duration_ns = 50 * PATTERN_NS);
    }
    pattern_finds(0);
}

static void a_rest_of_one_process_is_its_own(void **state)
{
    (void)state;
    pattern_begin(&p11prof_detect_bursts_after_idle);
    for (int i = 0; i < 20; i++) { /* each is its process's first */
        pattern_rest(second_ns);
        CALL(C_Sign, .process_id = 1 + i, .duration_ns = 50 * PATTERN_NS);
        CALL(C_Sign, .process_id = 1 + i);
        CALL(C_Sign, .process_id = 1 + i);
    }
    pattern_finds(0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pattern_setup, pattern_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_slow_start_is_found),
        TEST(a_quick_start_is_none),
        TEST(a_start_is_forgotten_in_a_long_run),
        TEST(who_does_nothing_has_not_started),
        TEST(whose_start_is_not_seen_has_none),
        TEST(many_short_processes_are_found),
        TEST(processes_with_much_to_do_are_none),
        TEST(slow_calls_after_rests_are_found),
        TEST(four_rests_are_none),
        TEST(short_rests_are_none),
        TEST(a_cold_cache_is_none),
        TEST(a_few_slow_ones_are_none),
        TEST(calls_that_all_follow_a_rest_are_none),
        TEST(a_rest_of_one_process_is_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
