/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Advice about logins, sessions and searches: who has the pattern, who nearly has it, who looks
 * alike and is healthy. */
#include "pattern_fixture.h"

#include <string.h>

/* --- Logins --- */

static void login_each(int64_t process_id, int times)
{
    for (int i = 0; i < times; i++) {
        CALL(C_Login, .process_id = process_id, .detail = CKU_USER);
        pattern_sign(process_id);
        CALL(C_Logout, .process_id = process_id);
    }
}

static void login_for_each_operation_is_found(void **state)
{
    (void)state;
    pattern_begin(&p11prof_detect_login_per_operation);
    login_each(1, 12);
    login_each(2, 11);
    login_each(3, 2);
    const struct p11prof_findings *found = pattern_end();
    assert_int_equal(found->count, 1);
    assert_int_equal(found->all[0].count, 11 + 10);
    assert_int_equal(found->all[0].call_count, 11 + 12 + 10 + 11);
    assert_int_equal(found->all[0].cost_ns, 44 * PATTERN_NS);
    assert_int_equal(found->all[0].caller, 1);
    assert_non_null(strstr(found->all[0].evidence, "21 logins"));
    assert_non_null(strstr(found->all[0].evidence, "2 processes"));
}

static void few_logins_are_none(void **state)
{
    (void)state;
    pattern_begin(&p11prof_detect_login_per_operation);
    login_each(1, 10);
    pattern_finds(0);
    pattern_begin(&p11prof_detect_login_per_operation);
    login_each(1, 11);
    pattern_finds(1);
}

static void logins_with_many_operations_each_are_none(void **state)
{
    (void)state;
    pattern_begin(&p11prof_detect_login_per_operation);
    for (int i = 0; i < 20; i++) {
        CALL(C_Login, .detail = CKU_USER);
        for (int j = 0; j < 12; j++)
            pattern_sign(1);
    }
    pattern_finds(0);
}

static void demanded_logins_are_none(void **state)
{
    (void)state;
    pattern_begin(&p11prof_detect_login_per_operation);
    for (int i = 0; i < 50; i++) {
        CALL(C_SignInit, .rv = CKR_OK);
        CALL(C_Login, .detail = CKU_CONTEXT_SPECIFIC);
        CALL(C_Sign, .operation = P11PROF_OPERATION_SIGN);
    }
    pattern_finds(0);
}

static void one_login_of_each_thread_is_none(void **state)
{
    (void)state;
    pattern_begin(&p11prof_detect_login_per_operation);
    for (int i = 0; i < 64; i++)
        CALL(C_Login, .thread_id = 100 + i, .detail = CKU_USER,
             .rv = i ? CKR_USER_ALREADY_LOGGED_IN : CKR_OK);
    pattern_finds(0);
}

static void needless_logins_are_told_apart(void **state)
{
    (void)state;
    pattern_begin(&p11prof_detect_login_per_operation);
    for (int i = 0; i < 30; i++) {
        CALL(C_Login, .detail = CKU_USER, .rv = i ? CKR_USER_ALREADY_LOGGED_IN : CKR_OK);
        pattern_sign(1);
    }
    const struct p11prof_findings *found = pattern_end();
    assert_int_equal(found->count, 1);
    assert_int_equal(found->all[0].count, 29);
    assert_string_equal(found->all[0].subject, "CKR_USER_ALREADY_LOGGED_IN");
}

static void logins_of_a_bench_are_none(void **state)
{
    (void)state;
    pattern_begin(&p11prof_detect_login_per_operation);
    for (int i = 0; i < 50; i++)
        CALL(C_Login, .detail = CKU_USER, .part = 6);
    pattern_finds(0);
}

/* --- PINs --- */

static void logins_fail(int times, CK_RV rv)
{
    for (int i = 0; i < times; i++)
        CALL(C_Login, .process_id = 1 + i, .detail = CKU_USER, .rv = (int64_t)rv, .slot_id = 5);
}

static void wrong_pins_in_a_row_are_found(void **state)
{
    (void)state;
    pattern_begin(&p11prof_detect_failed_logins);
    logins_fail(3, CKR_PIN_INCORRECT);
    const struct p11prof_findings *found = pattern_end();
    assert_int_equal(found->count, 1);
    assert_int_equal(found->all[0].count, 3);
    assert_int_equal(found->all[0].cost_ns, -1);
    assert_string_equal(found->all[0].subject, "slot 5");
}

static void mistyped_pins_are_none(void **state)
{
    (void)state;
    pattern_begin(&p11prof_detect_failed_logins);
    for (int i = 0; i < 5; i++) {
        logins_fail(2, CKR_PIN_INCORRECT);
        logins_fail(1, CKR_OK);
    }
    logins_fail(9, CKR_USER_ALREADY_LOGGED_IN);
    pattern_finds(0);
}

static void a_locked_token_is_found(void **state)
{
    (void)state;
    pattern_begin(&p11prof_detect_failed_logins);
    logins_fail(1, CKR_PIN_LOCKED);
    pattern_finds(1);
}

/* --- Sessions --- */

/* Opens from `first` on, with work in each. */
static void open_and_work(int64_t first, int count)
{
    for (int64_t i = first; i < first + count; i++) {
        CALL(C_OpenSession, .session = i);
        CALL(C_Sign, .session = i, .operation = P11PROF_OPERATION_SIGN);
    }
}

static void sessions_that_are_left_behind_are_found(void **state)
{
    (void)state;
    pattern_begin(&p11prof_detect_leaked_sessions);
    open_and_work(1, 60);
    const struct p11prof_findings *found = pattern_end();
    assert_int_equal(found->count, 1);
    assert_int_equal(found->all[0].count, 50);
    assert_int_equal(found->all[0].call_count, 50);
    assert_non_null(strstr(found->all[0].evidence, "50 of 60 sessions"));
    assert_non_null(strstr(found->all[0].evidence, "60 open at once"));
}

static void a_few_sessions_left_behind_are_none(void **state)
{
    (void)state;
    pattern_begin(&p11prof_detect_leaked_sessions);
    open_and_work(1, 19);
    pattern_finds(0);
    pattern_begin(&p11prof_detect_leaked_sessions);
    open_and_work(1, 20);
    pattern_finds(1);
}

static void closed_sessions_are_none(void **state)
{
    (void)state;
    pattern_begin(&p11prof_detect_leaked_sessions);
    for (int i = 0; i < 200; i++) {
        open_and_work(1 + i, 1);
        CALL(C_CloseSession, .session = 1 + i);
    }
    pattern_finds(0);
}

static void sessions_that_finalize_ends_were_left_all_the_same(void **state)
{
    (void)state;
    pattern_begin(&p11prof_detect_leaked_sessions);
    open_and_work(1, 60);
    CALL(C_Finalize, .session = P11PROF_EVENT_UNKNOWN);
    open_and_work(1, 5);
    pattern_finds(1);
}

static void a_pool_is_none(void **state)
{
    (void)state;
    pattern_begin(&p11prof_detect_leaked_sessions);
    for (int i = 0; i < 100; i++)
        CALL(C_OpenSession, .session = 1 + i);
    for (int i = 0; i < 500; i++)
        CALL(C_Sign, .session = 1 + i % 4, .operation = P11PROF_OPERATION_SIGN);
    pattern_finds(0);
}

static void a_pool_that_grows_when_all_are_busy_is_none(void **state)
{
    (void)state;
    pattern_begin(&p11prof_detect_leaked_sessions);
    for (int i = 0; i < 100; i++) {
        CALL(C_OpenSession, .session = 1 + i);
        for (int j = 0; j <= i; j++)
            CALL(C_Sign, .session = 1 + j, .operation = P11PROF_OPERATION_SIGN);
    }
    for (int i = 0; i < 500; i++)
        CALL(C_Sign, .session = 1, .operation = P11PROF_OPERATION_SIGN);
    pattern_finds(0);
}

static void a_session_of_each_process_is_none(void **state)
{
    (void)state;
    pattern_begin(&p11prof_detect_leaked_sessions);
    for (int i = 0; i < 100; i++) {
        CALL(C_OpenSession, .process_id = 1 + i);
        pattern_sign(1 + i);
    }
    pattern_finds(0);
}

static void refused_sessions_are_found(void **state)
{
    (void)state;
    pattern_begin(&p11prof_detect_leaked_sessions);
    for (int i = 0; i < 3; i++)
        CALL(C_OpenSession, .session = P11PROF_EVENT_UNKNOWN, .rv = CKR_SESSION_COUNT);
    const struct p11prof_findings *found = pattern_end();
    assert_int_equal(found->count, 1);
    assert_string_equal(found->all[0].subject, "CKR_SESSION_COUNT");
}

static void more_sessions_than_are_followed_do_no_harm(void **state)
{
    (void)state;
    pattern_begin(&p11prof_detect_leaked_sessions);
    open_and_work(1, 100000);
    pattern_finds(1);
}

/* --- Searches --- */

static void refused_searches_are_found(void **state)
{
    (void)state;
    pattern_begin(&p11prof_detect_unfinished_searches);
    CALL(C_FindObjectsInit, .rv = CKR_OK);
    for (int i = 0; i < 3; i++)
        CALL(C_FindObjectsInit, .rv = CKR_OPERATION_ACTIVE);
    const struct p11prof_findings *found = pattern_end();
    assert_int_equal(found->count, 1);
    assert_non_null(strstr(found->all[0].evidence, "3 answered CKR_OPERATION_ACTIVE"));
}

static void ended_searches_are_none(void **state)
{
    (void)state;
    pattern_begin(&p11prof_detect_unfinished_searches);
    for (int i = 0; i < 200; i++) {
        CALL(C_FindObjectsInit, .rv = CKR_OK);
        CALL(C_FindObjects, .item_count = 1);
        if (i % 2)
            CALL(C_FindObjectsFinal, .rv = CKR_OK);
        else
            CALL(C_CloseSession, .rv = CKR_OK);
    }
    pattern_finds(0);
}

static void a_session_of_two_threads_is_no_unfinished_search(void **state)
{
    (void)state;
    pattern_begin(&p11prof_detect_unfinished_searches);
    for (int i = 0; i < 50; i++) {
        CALL(C_FindObjectsInit, .thread_id = 1);
        CALL(C_FindObjectsInit, .thread_id = 2, .rv = CKR_OPERATION_ACTIVE);
        CALL(C_FindObjectsFinal, .thread_id = 1);
    }
    pattern_finds(0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pattern_setup, pattern_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(login_for_each_operation_is_found),
        TEST(few_logins_are_none),
        TEST(logins_with_many_operations_each_are_none),
        TEST(demanded_logins_are_none),
        TEST(one_login_of_each_thread_is_none),
        TEST(needless_logins_are_told_apart),
        TEST(logins_of_a_bench_are_none),
        TEST(wrong_pins_in_a_row_are_found),
        TEST(mistyped_pins_are_none),
        TEST(a_locked_token_is_found),
        TEST(sessions_that_are_left_behind_are_found),
        TEST(a_few_sessions_left_behind_are_none),
        TEST(closed_sessions_are_none),
        TEST(sessions_that_finalize_ends_were_left_all_the_same),
        TEST(a_pool_is_none),
        TEST(a_pool_that_grows_when_all_are_busy_is_none),
        TEST(a_session_of_each_process_is_none),
        TEST(refused_sessions_are_found),
        TEST(more_sessions_than_are_followed_do_no_harm),
        TEST(refused_searches_are_found),
        TEST(ended_searches_are_none),
        TEST(a_session_of_two_threads_is_no_unfinished_search),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
