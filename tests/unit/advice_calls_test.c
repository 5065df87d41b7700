/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Sessions, questions, threads and public work: patterns are found in applications that have them,
 * and not in those that have not. */
#include "advice_fixture.h"

#include <string.h>

/* --- sessions --- */

static void work_in_session(int64_t session, int operations)
{
    advice_at.session = session;
    advice_open();
    for (int i = 0; i < operations; i++)
        advice_sign(5);
    advice_close();
}

static void a_session_for_each_operation_is_found(void **state)
{
    (void)state;
    advice_begin(&p11prof_detect_session_per_operation);
    advice_open(); /* stays, for the login */
    for (int i = 0; i < 40; i++)
        work_in_session(2, 1);
    advice_end();
    advice_check_count(1);
    const struct p11prof_finding *finding = advice_finding(NULL);
    advice_check_sane(finding);
    assert_int_equal(finding->count, 40);
    assert_int_equal(finding->cost_ns, 80 * ADVICE_CALL_NS);
    assert_int_equal(finding->saving_ns, 2 * (40 - 2) * ADVICE_CALL_NS);
    assert_int_equal(finding->last_call_id - finding->first_call_id, 3);
    advice_clear();
}

static void a_session_for_each_search_is_found_apart(void **state)
{
    (void)state;
    advice_begin(&p11prof_detect_session_per_operation);
    for (int i = 0; i < 40; i++) {
        advice_at.session = 2;
        advice_open();
        advice_search(P11PROF_TEMPLATE_LABEL, 1, 5, 1);
        advice_close();
    }
    advice_end();
    advice_check_count(1);
    assert_int_equal(advice_finding("searches alone")->count, 40);
    advice_clear();
}

static void sessions_that_are_kept_are_not(void **state)
{
    (void)state;
    advice_begin(&p11prof_detect_session_per_operation);
    for (int64_t session = 1; session <= 40; session++)
        work_in_session(session, 3); /* each thread its own */
    for (int64_t process = 2; process <= 40; process++) {
        advice_at.process_id = process; /* commands with a session each */
        work_in_session(1, 1);
    }
    advice_end();
    advice_check_count(0);
    advice_clear();
}

/* Some short ones beside a pool that does nearly all. */
static void few_short_sessions_are_not(void **state)
{
    (void)state;
    advice_begin(&p11prof_detect_session_per_operation);
    work_in_session(1, 100);
    for (int i = 0; i < 20; i++)
        work_in_session(2, 1);
    advice_end();
    advice_check_count(0);
    advice_clear();
}

/* A handle means another session after C_Finalize, and a session that failed to open is none. */
static void sessions_end_with_the_module(void **state)
{
    (void)state;
    advice_begin(&p11prof_detect_session_per_operation);
    for (int i = 0; i < 40; i++) {
        advice_open();
        advice_sign(5);
        advice_plain(P11PROF_C_Finalize);
        struct p11prof_event open = advice_call(P11PROF_C_OpenSession);
        open.rv = CKR_SESSION_COUNT;
        advice_give(open);
        advice_close();
    }
    advice_end();
    advice_check_count(0);
    advice_clear();
}

/* --- questions --- */

static void ask_length(int64_t key_id)
{
    struct p11prof_event query = advice_call(P11PROF_C_Sign);
    query.kind = P11PROF_KIND_SIZE_QUERY;
    query.mechanism = CKM_ECDSA;
    query.key_id = key_id;
    advice_give(query);
    advice_sign(key_id);
}

static void lengths_that_were_told_are_found(void **state)
{
    (void)state;
    advice_begin(&p11prof_detect_double_queries);
    for (int i = 0; i < 40; i++)
        ask_length(i % 2);
    advice_end();
    advice_check_count(1);
    const struct p11prof_finding *finding = advice_finding("lengths of outputs");
    advice_check_sane(finding);
    assert_int_equal(finding->count, 38);
    assert_int_equal(finding->saving_ns, 38 * ADVICE_CALL_NS);
    advice_clear();
}

static void first_lengths_are_not(void **state)
{
    (void)state;
    advice_begin(&p11prof_detect_double_queries);
    for (int64_t key = 1; key <= 40; key++)
        ask_length(key);
    advice_end();
    advice_check_count(0);
    advice_clear();
}

static void questions_about_attributes_are_found(void **state)
{
    (void)state;
    advice_begin(&p11prof_detect_double_queries);
    for (int64_t key = 1; key <= 10; key++) {
        for (int64_t type = 0; type < 5; type++) {
            advice_read(P11PROF_KIND_SIZE_QUERY, key, type, 1);
            advice_read(P11PROF_KIND_CALL, key, type, 1);
        }
        advice_plain(P11PROF_C_GetSessionInfo);
        advice_read(P11PROF_KIND_CALL, key, 0, 1);
        advice_read(P11PROF_KIND_CALL, key, 1, 1);
    }
    advice_end();
    advice_check_count(3);
    assert_int_equal(advice_finding("lengths of attributes")->count, 50);
    assert_int_equal(advice_finding("attributes again")->count, 20);
    const struct p11prof_finding *finding = advice_finding("attributes one by one");
    advice_check_sane(finding);
    assert_int_equal(finding->count, 50);
    assert_int_equal(finding->saving_ns, (50 - 10) * ADVICE_CALL_NS);
    advice_clear();
}

static void attributes_read_well_are_not(void **state)
{
    (void)state;
    advice_begin(&p11prof_detect_double_queries);
    for (int64_t key = 1; key <= 40; key++) {
        advice_read(P11PROF_KIND_CALL, key, CKA_CLASS, 6);
        for (int64_t type = 1; type <= 3; type++)
            advice_read(P11PROF_KIND_CALL, key, type, 1);
        advice_plain(P11PROF_C_SetAttributeValue); /* what was read may be another now */
        advice_read(P11PROF_KIND_CALL, key, 1, 1);
        advice_read(P11PROF_KIND_SIZE_QUERY, key, CKA_VALUE,
                    1); /* only to know whether it has one */
    }
    advice_end();
    advice_check_count(0);
    advice_clear();
}

/* --- threads --- */

/* Two threads call in turns, each while the other's call goes on for `overlap_ns` more. */
static void call_at_once(int64_t overlap_ns, int64_t excess_ns, CK_RV rv, int64_t sessions)
{
    int64_t start_ns = 0;
    for (int i = 0; i < 40; i++) {
        struct p11prof_event alone = advice_call(P11PROF_C_Sign);
        alone.session = 9;
        advice_give(alone);
    }
    for (int i = 0; i < 60; i++) {
        struct p11prof_event event = advice_call(P11PROF_C_Sign);
        event.thread_id = 1 + i % 2;
        event.session = 1 + i % sessions;
        event.start_ns = start_ns;
        event.duration_ns = ADVICE_CALL_NS + (i > 0 ? excess_ns : 0);
        event.flags = i > 0 && sessions == 1 ? P11PROF_ROW_OVERLAP : 0;
        event.rv = i == 7 ? rv : CKR_OK;
        advice_give(event);
        start_ns = event.start_ns + event.duration_ns - overlap_ns;
    }
}

static void threads_with_one_session_are_found(void **state)
{
    (void)state;
    advice_begin(&p11prof_detect_serialised_threads);
    call_at_once(50000, 30000, CKR_OK, 1);
    advice_end();
    advice_check_count(1);
    const struct p11prof_finding *finding = advice_finding(NULL);
    advice_check_sane(finding);
    assert_int_equal(finding->count, 59);
    assert_in_range(finding->saving_ns, 59 * 29000, 59 * 30000);
    advice_clear();
}

/* What overlaps and takes no longer is not waiting. */
static void a_session_without_a_queue_saves_nothing(void **state)
{
    (void)state;
    advice_begin(&p11prof_detect_serialised_threads);
    call_at_once(50000, 0, CKR_OK, 1);
    advice_end();
    assert_int_equal(advice_finding(NULL)->saving_ns, 0);
    advice_clear();
}

static void operations_in_each_others_way_are_told(void **state)
{
    (void)state;
    advice_begin(&p11prof_detect_serialised_threads);
    call_at_once(50000, 30000, CKR_OPERATION_ACTIVE, 1);
    advice_end();
    assert_non_null(strstr(advice_finding(NULL)->evidence, "1 of them returned"));
    assert_int_equal(advice_finding(NULL)->saving_ns, -1);
    advice_clear();
}

static void threads_with_their_own_sessions_are_not(void **state)
{
    (void)state;
    advice_begin(&p11prof_detect_serialised_threads);
    call_at_once(50000, 30000, CKR_OK, 2);
    advice_end();
    advice_check_count(0);
    advice_clear();
}

/* --- public work --- */

static void digest(unsigned middle)
{
    advice_plain(P11PROF_C_DigestInit);
    struct p11prof_event part = advice_call(middle);
    part.in_bytes = 4000;
    advice_give(part);
    struct p11prof_event end = advice_call(P11PROF_C_DigestFinal);
    end.operation = P11PROF_OPERATION_DIGEST;
    end.operation_call_count = 3;
    end.operation_duration_ns = 3 * advice_at.duration_ns;
    advice_give(end);
}

static void use(unsigned function, unsigned operation, int64_t key_type)
{
    struct p11prof_event event = advice_call(function);
    event.operation = operation;
    event.key_type = key_type;
    event.key_bits = 2048;
    event.out_bytes = 16;
    advice_give(event);
}

static void public_work_is_found(void **state)
{
    (void)state;
    advice_begin(&p11prof_detect_offloaded_public_work);
    for (int i = 0; i < 40; i++) {
        digest(P11PROF_C_DigestUpdate);
        use(P11PROF_C_Verify, P11PROF_OPERATION_VERIFY, CKK_RSA);
        use(P11PROF_C_Encrypt, P11PROF_OPERATION_ENCRYPT, CKK_RSA);
        use(P11PROF_C_GenerateRandom, P11PROF_OPERATION_GENERATE_RANDOM, P11PROF_EVENT_UNKNOWN);
    }
    advice_end();
    advice_check_count(4);
    const struct p11prof_finding *finding = advice_finding("digests");
    advice_check_sane(finding);
    assert_int_equal(finding->call_count, 120);
    assert_int_equal(finding->saving_ns, 40 * (3 * ADVICE_CALL_NS - 1000 - 10000));
    assert_int_equal(advice_finding("verifications")->saving_ns, 40 * (ADVICE_CALL_NS - 40000));
    assert_int_equal(advice_finding("random numbers")->count, 40 - 16);
    advice_finding("encryption with public keys");
    advice_clear();
}

static void secret_work_and_seeds_are_not(void **state)
{
    (void)state;
    advice_begin(&p11prof_detect_offloaded_public_work);
    for (int i = 0; i < 40; i++) {
        digest(P11PROF_C_DigestKey);
        use(P11PROF_C_Verify, P11PROF_OPERATION_VERIFY, CKK_GENERIC_SECRET);
        use(P11PROF_C_Encrypt, P11PROF_OPERATION_ENCRYPT, CKK_AES);
        use(P11PROF_C_Decrypt, P11PROF_OPERATION_DECRYPT, CKK_RSA);
        if (i < 16)
            use(P11PROF_C_GenerateRandom, P11PROF_OPERATION_GENERATE_RANDOM, 0);
    }
    advice_end();
    advice_check_count(0);
    advice_clear();
}

/* A token in software digests as fast as the process would. */
static void fast_tokens_are_not(void **state)
{
    (void)state;
    advice_begin(&p11prof_detect_offloaded_public_work);
    advice_at.duration_ns = 5000;
    for (int i = 0; i < 40; i++)
        digest(P11PROF_C_DigestUpdate);
    advice_end();
    advice_check_count(0);
    advice_clear();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_for_each_operation_is_found),
        cmocka_unit_test(a_session_for_each_search_is_found_apart),
        cmocka_unit_test(sessions_that_are_kept_are_not),
        cmocka_unit_test(few_short_sessions_are_not),
        cmocka_unit_test(sessions_end_with_the_module),
        cmocka_unit_test(lengths_that_were_told_are_found),
        cmocka_unit_test(first_lengths_are_not),
        cmocka_unit_test(questions_about_attributes_are_found),
        cmocka_unit_test(attributes_read_well_are_not),
        cmocka_unit_test(threads_with_one_session_are_found),
        cmocka_unit_test(a_session_without_a_queue_saves_nothing),
        cmocka_unit_test(operations_in_each_others_way_are_told),
        cmocka_unit_test(threads_with_their_own_sessions_are_not),
        cmocka_unit_test(public_work_is_found),
        cmocka_unit_test(secret_work_and_seeds_are_not),
        cmocka_unit_test(fast_tokens_are_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
