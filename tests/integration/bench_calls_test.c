/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What iterations of the load tool call: their own operation, and nothing that does harm. */
#include "bench_job.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct bench_token token;
static CK_SESSION_HANDLE session;

static void key_make(struct p11prof_bench_key *key, const char *id)
{
    struct p11prof_error error = {0};
    if (p11prof_bench_key_make(key, bench_test_of(id), token.real, session, "p11prof-calls", false,
                               NULL, &error) != CKR_OK)
        fail_msg("%s", error.text);
}

/* The calls of iterations go through the faulty list, which counts them. */
static void job_open(struct p11prof_bench_job *job, const struct p11prof_bench_key *key,
                     const char *id)
{
    struct p11prof_error error = {0};
    bench_fault = (struct bench_fault){0};
    if (bench_job_open(job, &token, bench_test_of(id), key, bench_token_faulty(&token), token.real,
                       &error) != CKR_OK)
        fail_msg("%s", error.text);
}

/* --- what iterations call --- */

static unsigned long calls_expected(const struct p11prof_bench_test *test)
{
    if (test->iteration_calls > 0)
        return test->iteration_calls;
    if (strstr(test->id, "multipart"))
        return 6; /* Init, four Updates, Final */
    switch (test->operation) {
    case P11PROF_OPERATION_FIND:
        return 4; /* Init, one found, no more, Final */
    case P11PROF_OPERATION_SIGN:
    case P11PROF_OPERATION_VERIFY:
    case P11PROF_OPERATION_ENCRYPT:
    case P11PROF_OPERATION_DECRYPT:
    case P11PROF_OPERATION_DIGEST:
        return 2;
    default:
        return 1;
    }
}

/* Only the operation's own calls, whatever the iteration needs beside them. */
static void test_calls(void **state)
{
    static const char *const ids[] = {"rsa-2048-sign",
                                      "rsa-2048-verify",
                                      "rsa-2048-encrypt",
                                      "rsa-2048-decrypt",
                                      "aes-cmac",
                                      "aes-256-gcm-encrypt",
                                      "aes-256-gcm-decrypt",
                                      "sha-256",
                                      "sha-256-multipart",
                                      "random-32",
                                      "ec-p256-keygen",
                                      "aes-256-keygen",
                                      "ecdh-p256-derive",
                                      "aes-256-kw-wrap",
                                      "aes-256-kw-unwrap",
                                      "session-open-close",
                                      "find-by-label-100",
                                      "get-attributes",
                                      "login-logout",
                                      "set-attribute",
                                      "object-create-destroy",
                                      "object-copy",
                                      "seed-random",
                                      "rsa-2048-sign-multipart",
                                      "rsa-2048-verify-multipart",
                                      "hmac-sha256-multipart",
                                      "aes-256-cbc-encrypt-multipart",
                                      "aes-256-gcm-decrypt-multipart",
                                      "des3-cbc-encrypt",
                                      "des3-keygen",
                                      "ed448-keygen",
                                      "aes-128-kwp-wrap"};
    (void)state;
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        struct p11prof_bench_key key;
        struct p11prof_bench_job job;
        key_make(&key, ids[i]);
        job_open(&job, &key, ids[i]);
        assert_int_equal(bench_job_iterate(&job), CKR_OK);
        if (bench_fault.calls != calls_expected(job.test))
            fail_msg("%s: %lu calls", ids[i], bench_fault.calls);
        assert_true(bench_job_right(&job));
        assert_int_equal(bench_fault.calls, calls_expected(job.test));
        bench_job_clean_up(&job);
        if (job.test->iteration_calls > 0) /* what is one more is taken for another iteration */
            assert_int_equal(bench_fault.calls, calls_expected(job.test));
        bench_job_close(&job);
        assert_int_equal(p11prof_bench_key_destroy(&key, token.real, session), CKR_OK);
    }
}

/* With one key and one plaintext, two ciphertexts are the same only if their nonces are. */
static void test_nonces(void **state)
{
    struct p11prof_bench_key key;
    struct p11prof_bench_job jobs[2];
    CK_BYTE seen[4][16];
    (void)state;
    key_make(&key, "aes-256-gcm-encrypt");
    for (unsigned i = 0; i < 4; i++) {
        struct p11prof_bench_job *job = &jobs[i / 2];
        if (i % 2 == 0)
            job_open(job, &key, "aes-256-gcm-encrypt");
        assert_int_equal(bench_job_iterate(job), CKR_OK);
        memcpy(seen[i], job->out, sizeof seen[i]);
        for (unsigned j = 0; j < i; j++)
            assert_memory_not_equal(seen[i], seen[j], sizeof seen[i]);
    }
    bench_job_close(&jobs[0]);
    bench_job_close(&jobs[1]);
    p11prof_bench_key_destroy(&key, token.real, session);
}

/* --- logins --- */

/* A PIN is tried once: more would lock the token. */
static void test_wrong_pin(void **state)
{
    struct p11prof_bench_key key;
    struct p11prof_bench_job job;
    (void)state;
    key_make(&key, "login-logout");
    job_open(&job, &key, "login-logout");
    job.pin = (const CK_BYTE *)"wrong";
    job.pin_bytes = 5;
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(bench_job_iterate(&job), CKR_PIN_INCORRECT);
        assert_string_equal(job.failed_call, "C_Login");
        bench_job_clean_up(&job);
    }
    assert_int_equal(bench_fault.calls, 1);
    bench_job_close(&job);
    bench_token_login(&token, session); /* since nobody else did */
}

static CK_STATE state_of(CK_SESSION_HANDLE of_session)
{
    CK_SESSION_INFO info;
    assert_int_equal(token.real->C_GetSessionInfo(of_session, &info), CKR_OK);
    return info.state;
}

/* Who was logged in before is logged in after. */
static void test_login_restored(void **state)
{
    struct p11prof_bench_key key;
    struct p11prof_bench_job job;
    (void)state;
    key_make(&key, "login-logout");
    job_open(&job, &key, "login-logout");
    assert_int_equal(state_of(session), CKS_RW_PUBLIC_SESSION);
    bench_job_close(&job);
    assert_int_equal(state_of(session), CKS_RW_USER_FUNCTIONS);
}

static void test_no_pin(void **state)
{
    struct p11prof_bench_job job = {.test = bench_test_of("login-logout"), .raw = token.real};
    struct p11prof_error error = {0};
    (void)state;
    job.session = session;
    assert_int_not_equal(p11prof_bench_job_open(&job, 0, &error), CKR_OK);
    assert_string_equal(error.text, "login-logout: it needs the user's PIN");
    assert_int_equal(state_of(session), CKS_RW_USER_FUNCTIONS);
}

/* --- derivations --- */

static void derives(const char *id, unsigned habits)
{
    struct p11prof_bench_key key;
    struct p11prof_bench_job job;
    struct p11prof_error error = {0};
    CK_FUNCTION_LIST *faulty = bench_token_faulty(&token);
    key_make(&key, id);
    bench_fault = (struct bench_fault){.habits = habits};
    if (bench_job_open(&job, &token, bench_test_of(id), &key, faulty, faulty, &error) != CKR_OK)
        fail_msg("%s", error.text);
    assert_int_equal(bench_job_iterate(&job), CKR_OK);
    assert_true(bench_job_right(&job));
    assert_false(job.unchecked);
    bench_job_clean_up(&job);
    bench_fault.wrong = true;
    assert_int_equal(bench_job_iterate(&job), CKR_OK);
    bench_fault.wrong = false;
    assert_false(bench_job_right(&job));
    bench_job_clean_up(&job);
    bench_job_close(&job);
    p11prof_bench_key_destroy(&key, token.real, session);
}

/* Points in DER or not, values that are told or not: whatever the module wants, and it is checked.
 */
static void test_derivations(void **state)
{
    (void)state;
    for (unsigned habits = 0; habits < 8; habits++) {
        derives("ecdh-p256-derive", habits);
        derives("ecdh-p521-derive", habits);
    }
}

/* --- an operation that nothing ends --- */

/* C_Sign and what should end it find too little room: the session has to go. */
static void test_reopened(void **state)
{
    struct p11prof_bench_key key;
    struct p11prof_bench_job job;
    CK_FUNCTION_LIST *faulty = bench_token_faulty(&token);
    CK_ULONG sessions = bench_token_sessions();
    (void)state;
    key_make(&key, "aes-cmac");
    assert_int_equal(
        bench_job_open(&job, &token, bench_test_of("aes-cmac"), &key, faulty, faulty, NULL),
        CKR_OK);
    bench_fault = (struct bench_fault){.fail_at = 2, .fail_more = 1, .too_small = true};
    assert_int_equal(bench_job_iterate(&job), CKR_BUFFER_TOO_SMALL);
    bench_job_clean_up(&job);
    bench_fault = (struct bench_fault){0};
    assert_int_equal(bench_job_iterate(&job), CKR_OK);
    assert_true(bench_job_right(&job));
    bench_job_close(&job);
    assert_int_equal(bench_token_sessions(), sessions);
    p11prof_bench_key_destroy(&key, token.real, session);
}

static int set_up(void **state)
{
    (void)state;
    session = bench_token_session(&token);
    bench_token_login(&token, session);
    return 0;
}

static int faults_clear(void **state)
{
    (void)state;
    bench_fault = (struct bench_fault){0};
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_calls, faults_clear),
        cmocka_unit_test_teardown(test_nonces, faults_clear),
        cmocka_unit_test_teardown(test_wrong_pin, faults_clear),
        cmocka_unit_test_teardown(test_login_restored, faults_clear),
        cmocka_unit_test_teardown(test_no_pin, faults_clear),
        cmocka_unit_test_teardown(test_derivations, faults_clear),
        cmocka_unit_test_teardown(test_reopened, faults_clear),
    };
    if (!bench_token_set_up(&token))
        return 77;
    int failed = cmocka_run_group_tests(tests, set_up, NULL);
    bench_token_tear_down(&token);
    return failed;
}
