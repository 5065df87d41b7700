/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Advice about questions, failures and attributes that come again, and about weak keys. */
#include "pattern_fixture.h"

#include <string.h>

/* --- Polling --- */

static void polls(int64_t process_id, int count, int operations)
{
    for (int i = 0; i < count; i++) {
        CALL(C_GetSessionInfo, .process_id = process_id);
        for (int j = 0; j < operations; j++)
            pattern_sign(process_id);
    }
}

static void a_question_before_each_operation_is_found(void **state)
{
    (void)state;
    pattern_begin(&p11prof_detect_polling);
    polls(1, 101, 1);
    polls(2, 201, 1);
    polls(3, 100, 1);
    const struct p11prof_findings *found = pattern_end();
    assert_int_equal(found->count, 1);
    assert_string_equal(found->all[0].subject, "C_GetSessionInfo");
    assert_int_equal(found->all[0].count, 100 + 200);
    assert_int_equal(found->all[0].cost_ns, 300 * PATTERN_NS);
    assert_true(found->all[0].saving_ns > 290 * PATTERN_NS);
}

static void a_question_a_second_saves_nothing(void **state)
{
    (void)state;
    pattern_begin(&p11prof_detect_polling);
    for (int i = 0; i < 200; i++) {
        CALL(C_GetTokenInfo, .slot_id = 1);
        pattern_rest(2000000000);
    }
    const struct p11prof_findings *found = pattern_end();
    assert_int_equal(found->count, 1);
    assert_int_equal(found->all[0].saving_ns, 0);
}

static void rare_questions_are_none(void **state)
{
    (void)state;
    pattern_begin(&p11prof_detect_polling);
    polls(1, 200, 11);
    pattern_finds(0);
}

static void a_question_about_each_slot_is_none(void **state)
{
    (void)state;
    pattern_begin(&p11prof_detect_polling);
    for (int i = 0; i < 500; i++) {
        CALL(C_GetTokenInfo, .slot_id = i);
        CALL(C_GetSessionInfo, .session = 1 + i);
    }
    pattern_finds(0);
}

static void waiting_for_a_token_is_none(void **state)
{
    (void)state;
    pattern_begin(&p11prof_detect_polling);
    for (int i = 0; i < 500; i++)
        CALL(C_WaitForSlotEvent, .kind = P11PROF_KIND_BLOCKING);
    pattern_finds(0);
    pattern_begin(&p11prof_detect_polling);
    for (int i = 0; i < 500; i++)
        CALL(C_WaitForSlotEvent, .detail = CKF_DONT_BLOCK, .rv = CKR_NO_EVENT);
    pattern_finds(1);
}

/* --- Failures --- */

static void sign_after_failures(int failures, CK_RV rv)
{
    for (int i = 0; i < failures; i++) {
        CALL(C_SignInit, .rv = CKR_OK);
        CALL(C_Sign, .rv = (int64_t)rv, .duration_ns = 5 * PATTERN_NS);
    }
    pattern_sign(1);
}

static void what_fails_and_is_tried_again_is_found(void **state)
{
    (void)state;
    pattern_begin(&p11prof_detect_retries);
    for (int i = 0; i < 10; i++)
        sign_after_failures(1, CKR_DEVICE_ERROR);
    const struct p11prof_findings *found = pattern_end();
    assert_int_equal(found->count, 1);
    assert_string_equal(found->all[0].subject, "C_Sign CKR_DEVICE_ERROR");
    assert_int_equal(found->all[0].count, 10);
    assert_int_equal(found->all[0].cost_ns, 10 * 6 * PATTERN_NS);
    assert_int_equal(found->all[0].last_call_id - found->all[0].first_call_id, 2);
}

static void each_try_counts(void **state)
{
    (void)state;
    pattern_begin(&p11prof_detect_retries);
    sign_after_failures(10, CKR_FUNCTION_FAILED);
    pattern_finds(1);
    pattern_begin(&p11prof_detect_retries);
    sign_after_failures(9, CKR_FUNCTION_FAILED);
    pattern_finds(0);
}

/* A newer p11prof recorded it. */
static void unknown_functions_may_be_retried(void **state)
{
    (void)state;
    pattern_begin(&p11prof_detect_retries);
    for (int i = 0; i < 20; i++)
        pattern_call((struct p11prof_event){.function = 4000000000u, .rv = CKR_DEVICE_ERROR});
    const struct p11prof_findings *found = pattern_end();
    assert_int_equal(found->count, 1);
    assert_string_equal(found->all[0].subject, "unknown CKR_DEVICE_ERROR");
}

static void one_that_hangs_is_found(void **state)
{
    (void)state;
    pattern_begin(&p11prof_detect_retries);
    CALL(C_Sign, .rv = CKR_DEVICE_ERROR, .duration_ns = 2000000000);
    pattern_sign(1);
    pattern_finds(1);
}

static void what_fails_and_is_given_up_is_none(void **state)
{
    (void)state;
    pattern_begin(&p11prof_detect_retries);
    for (int i = 0; i < 30; i++) {
        CALL(C_Sign, .rv = CKR_DEVICE_ERROR);
        for (int j = 0; j < 10; j++)
            CALL(C_GenerateRandom, .rv = CKR_OK);
    }
    for (int i = 0; i < 30; i++) /* each another slot */
        CALL(C_GetTokenInfo, .slot_id = i, .rv = CKR_TOKEN_NOT_PRESENT);
    for (int i = 0; i < 30; i++) /* each another key, or another length */
        CALL(C_Sign, .rv = CKR_DEVICE_ERROR, .key_id = 1 + i / 2, .in_bytes = 32 + i);
    CALL(C_Sign, .rv = CKR_OK, .key_id = 99);
    for (int i = 0; i < 30; i++) /* each another session and thread */
        CALL(C_Sign, .session = 1 + i, .thread_id = 1 + i, .rv = CKR_DEVICE_ERROR);
    pattern_finds(0);
}

static void answers_are_no_failures(void **state)
{
    (void)state;
    pattern_begin(&p11prof_detect_retries);
    for (int i = 0; i < 50; i++) {
        CALL(C_Verify, .rv = CKR_SIGNATURE_INVALID);
        CALL(C_GetMechanismInfo, .rv = CKR_MECHANISM_INVALID);
        CALL(C_Initialize, .rv = CKR_CRYPTOKI_ALREADY_INITIALIZED);
        CALL(C_Sign, .rv = P11PROF_EVENT_UNKNOWN);
    }
    pattern_finds(0);
}

static void lost_sessions_are_followed(void **state)
{
    (void)state;
    pattern_begin(&p11prof_detect_retries);
    for (int i = 0; i < 12; i++) {
        CALL(C_SignInit, .session = 1 + i, .rv = CKR_SESSION_HANDLE_INVALID);
        CALL(C_OpenSession, .session = 2 + i);
        CALL(C_SignInit, .session = 2 + i);
        CALL(C_Sign, .session = 2 + i);
    }
    const struct p11prof_findings *found = pattern_end();
    assert_int_equal(found->count, 1);
    assert_int_equal(found->all[0].call_count, 12 * 2);
}

/* --- Attributes --- */

static void read_object(int64_t key_id, CK_RV rv, int one_by_one)
{
    CALL(C_GetAttributeValue, .key_id = key_id, .item_count = 8, .rv = (int64_t)rv);
    for (int i = 0; i < one_by_one; i++)
        CALL(C_GetAttributeValue, .key_id = key_id, .item_count = 1);
}

static void attributes_one_by_one_after_a_refusal_are_found(void **state)
{
    (void)state;
    pattern_begin(&p11prof_detect_attribute_fallback);
    for (int i = 0; i < 20; i++)
        read_object(1 + i, CKR_ATTRIBUTE_TYPE_INVALID, 8);
    CALL(C_CloseSession, .rv = CKR_OK);
    const struct p11prof_findings *found = pattern_end();
    assert_int_equal(found->count, 1);
    assert_int_equal(found->all[0].count, 20);
    assert_int_equal(found->all[0].call_count, 20 * 9);
    assert_int_equal(found->all[0].saving_ns, 20 * 8 * PATTERN_NS);
}

static void few_refusals_are_none(void **state)
{
    (void)state;
    pattern_begin(&p11prof_detect_attribute_fallback);
    for (int i = 0; i < 19; i++)
        read_object(1 + i, CKR_ATTRIBUTE_TYPE_INVALID, 8);
    CALL(C_CloseSession, .rv = CKR_OK);
    pattern_finds(0);
}

static void refusals_that_are_taken_are_none(void **state)
{
    (void)state;
    pattern_begin(&p11prof_detect_attribute_fallback);
    for (int i = 0; i < 100; i++) {
        read_object(1 + i, CKR_ATTRIBUTE_TYPE_INVALID, 0);
        read_object(1 + i, CKR_OK, 8);
        CALL(C_GetAttributeValue, .key_id = 1 + i, .item_count = 1,
             .rv = CKR_ATTRIBUTE_TYPE_INVALID);
    }
    pattern_finds(0);
}

/* --- Weak keys --- */

static void uses(unsigned operation, CK_MECHANISM_TYPE mechanism, CK_KEY_TYPE type, int64_t bits)
{
    CALL(C_Sign, .operation = operation, .mechanism = (int64_t)mechanism, .key_type = (int64_t)type,
         .key_bits = bits);
}

static void weak_keys_are_found(void **state)
{
    (void)state;
    pattern_begin(&p11prof_detect_weak_keys);
    uses(P11PROF_OPERATION_SIGN, CKM_SHA256_RSA_PKCS, CKK_RSA, 1024);
    uses(P11PROF_OPERATION_SIGN, CKM_ECDSA, CKK_EC, 192);
    uses(P11PROF_OPERATION_SIGN, CKM_SHA1_RSA_PKCS, CKK_RSA, 2048);
    uses(P11PROF_OPERATION_ENCRYPT, CKM_DES3_CBC, CKK_DES3, P11PROF_EVENT_UNKNOWN);
    const struct p11prof_findings *found = pattern_end();
    assert_int_equal(found->count, 4);
    assert_string_equal(found->all[0].subject, "RSA 1024");
    assert_string_equal(found->all[1].subject, "EC 192");
    assert_string_equal(found->all[2].subject, "CKM_SHA1_RSA_PKCS");
    assert_string_equal(found->all[3].subject, "CKM_DES3_CBC");
    assert_int_equal(found->all[0].cost_ns, -1);
}

static void what_reads_old_data_is_none(void **state)
{
    (void)state;
    pattern_begin(&p11prof_detect_weak_keys);
    uses(P11PROF_OPERATION_VERIFY, CKM_SHA1_RSA_PKCS, CKK_RSA, 1024);
    uses(P11PROF_OPERATION_DECRYPT, CKM_DES3_CBC, CKK_DES3, P11PROF_EVENT_UNKNOWN);
    uses(P11PROF_OPERATION_SIGN, CKM_SHA_1_HMAC, CKK_GENERIC_SECRET, 160);
    uses(P11PROF_OPERATION_DIGEST, CKM_SHA_1, P11PROF_EVENT_UNKNOWN, P11PROF_EVENT_UNKNOWN);
    uses(P11PROF_OPERATION_SIGN, CKM_RSA_PKCS, CKK_RSA, 2048);
    uses(P11PROF_OPERATION_SIGN, CKM_RSA_PKCS, CKK_RSA, P11PROF_EVENT_UNKNOWN);
    uses(P11PROF_OPERATION_SIGN, CKM_ECDSA, CKK_EC, 224);
    CALL(C_Sign, .operation = P11PROF_OPERATION_SIGN, .mechanism = CKM_SHA1_RSA_PKCS,
         .rv = CKR_MECHANISM_INVALID);
    CALL(C_Sign, .operation = P11PROF_OPERATION_SIGN, .mechanism = CKM_SHA1_RSA_PKCS, .part = 6);
    pattern_finds(0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pattern_setup, pattern_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_question_before_each_operation_is_found),
        TEST(a_question_a_second_saves_nothing),
        TEST(rare_questions_are_none),
        TEST(a_question_about_each_slot_is_none),
        TEST(waiting_for_a_token_is_none),
        TEST(what_fails_and_is_tried_again_is_found),
        TEST(each_try_counts),
        TEST(one_that_hangs_is_found),
        TEST(unknown_functions_may_be_retried),
        TEST(what_fails_and_is_given_up_is_none),
        TEST(answers_are_no_failures),
        TEST(lost_sessions_are_followed),
        TEST(attributes_one_by_one_after_a_refusal_are_found),
        TEST(few_refusals_are_none),
        TEST(refusals_that_are_taken_are_none),
        TEST(weak_keys_are_found),
        TEST(what_reads_old_data_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
