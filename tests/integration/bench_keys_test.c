/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The keys that the load tool makes on a real token, and what iterations call. */
#include "bench/test.h"
#include "bench_token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct bench_token token;
static CK_SESSION_HANDLE session;

static const struct p11prof_bench_test *test_of(const char *id)
{
    size_t count;
    const struct p11prof_bench_test *tests = p11prof_bench_tests(&count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(tests[i].id, id) == 0)
            return &tests[i];
    fail_msg("no test %s", id);
    return NULL;
}

static void key_make(struct p11prof_bench_key *key, const char *id, bool token_keys)
{
    struct p11prof_error error = {0};
    if (p11prof_bench_key_make(key, test_of(id), token.real, session, "p11prof-keys", token_keys,
                               NULL, &error) != CKR_OK)
        fail_msg("%s", error.text);
}

static CK_RV job_open(struct p11prof_bench_job *job, const struct p11prof_bench_key *key,
                      const char *id, const char *pin, struct p11prof_error *error)
{
    const struct p11prof_bench_test *test = test_of(id);
    *job = (struct p11prof_bench_job){.test = test,
                                      .key = key,
                                      .timed = bench_token_faulty(&token),
                                      .raw = token.real,
                                      .slot_id = token.slot_id,
                                      .session = bench_token_session(&token),
                                      .pin = (const CK_BYTE *)pin,
                                      .pin_bytes = pin ? strlen(pin) : 0};
    bench_fault = (struct bench_fault){0};
    return p11prof_bench_job_open(job, test->data_bytes, error);
}

static void job_close(struct p11prof_bench_job *job)
{
    p11prof_bench_job_close(job);
    token.real->C_CloseSession(job->session);
}

/* --- making and destroying --- */

static bool flag_of(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type)
{
    CK_BBOOL value = CK_FALSE;
    CK_ATTRIBUTE attribute = {type, &value, sizeof value};
    assert_int_equal(token.real->C_GetAttributeValue(session, object, &attribute, 1), CKR_OK);
    return value;
}

static const char *const kinds[] = {"rsa-2048-sign",       "ecdsa-p256-sign", "ed25519-sign",
                                    "aes-256-gcm-encrypt", "hmac-sha256",     "ecdh-p256-derive",
                                    "aes-256-kw-wrap",     "get-attributes",  "find-by-label-100"};

static CK_OBJECT_HANDLE secret_of(const struct p11prof_bench_key *key)
{
    if (key->found_count > 0)
        return key->found[key->found_count - 1];
    return key->private_key ? key->private_key : key->secret_key;
}

static void assert_made_like(bool token_keys, bool logged_in)
{
    CK_ULONG objects = bench_token_objects(&token, session);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct p11prof_bench_key key;
        key_make(&key, kinds[i], token_keys);
        assert_true(key.own);
        assert_int_equal(flag_of(secret_of(&key), CKA_TOKEN), token_keys);
        assert_int_equal(flag_of(secret_of(&key), CKA_PRIVATE), logged_in);
        assert_true(flag_of(secret_of(&key), CKA_SENSITIVE));
        assert_false(flag_of(secret_of(&key), CKA_EXTRACTABLE));
        if (key.public_key != CK_INVALID_HANDLE)
            assert_int_equal(flag_of(key.public_key, CKA_TOKEN), token_keys);
        assert_true(bench_token_objects(&token, session) > objects);
        assert_int_equal(p11prof_bench_key_destroy(&key, token.real, session), CKR_OK);
        assert_int_equal(bench_token_objects(&token, session), objects);
    }
}

static void test_session_keys(void **state)
{
    (void)state;
    assert_made_like(false, true);
}

static void test_token_keys(void **state)
{
    (void)state;
    assert_made_like(true, true);
}

/* Without a login keys are public, and still keep their values to themselves. */
static void test_logged_out(void **state)
{
    (void)state;
    assert_int_equal(token.real->C_Logout(session), CKR_OK);
    assert_made_like(false, false);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct p11prof_bench_key key;
        struct p11prof_bench_job job;
        struct p11prof_error error = {0};
        key_make(&key, kinds[i], false);
        if (job_open(&job, &key, kinds[i], NULL, &error) != CKR_OK)
            fail_msg("%s", error.text);
        job_close(&job);
        p11prof_bench_key_destroy(&key, token.real, session);
    }
    bench_token_login(&token, session);
}

/* Nothing is left of what could not be finished, and what failed is said. */
static void test_failing(void **state)
{
    CK_ULONG objects = bench_token_objects(&token, session);
    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct p11prof_bench_key key;
        struct p11prof_error error = {0};
        unsigned long call =
            strncmp(kinds[i], "find", 4) == 0 ? 51 : 2; /* 1: the session's state */
        bench_fault = (struct bench_fault){.fail_at = call};
        CK_RV rv = p11prof_bench_key_make(&key, test_of(kinds[i]), bench_token_faulty(&token),
                                          session, "p11prof-keys", false, NULL, &error);
        if (strcmp(kinds[i], "ed25519-sign") == 0 && rv == CKR_OK) {
            p11prof_bench_key_destroy(&key, token.real,
                                      session); /* by the other name of the curve */
        } else {
            assert_int_equal(rv, CKR_DEVICE_ERROR);
            assert_non_null(strstr(error.text, "C_GenerateKey"));
            assert_non_null(strstr(error.text, "CKR_DEVICE_ERROR"));
            assert_non_null(strstr(error.text, "--token-keys"));
        }
        assert_int_equal(bench_token_objects(&token, session), objects);
    }
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
    static const char *const ids[] = {
        "rsa-2048-sign",     "rsa-2048-verify",     "rsa-2048-encrypt",    "rsa-2048-decrypt",
        "aes-cmac",          "aes-256-gcm-encrypt", "aes-256-gcm-decrypt", "sha-256",
        "sha-256-multipart", "random-32",           "ec-p256-keygen",      "aes-256-keygen",
        "ecdh-p256-derive",  "aes-256-kw-wrap",     "aes-256-kw-unwrap",   "session-open-close",
        "find-by-label-100", "get-attributes",      "login-logout"};
    (void)state;
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        struct p11prof_bench_key key;
        struct p11prof_bench_job job;
        struct p11prof_error error = {0};
        key_make(&key, ids[i], false);
        if (job_open(&job, &key, ids[i], BENCH_TOKEN_PIN, &error) != CKR_OK)
            fail_msg("%s", error.text);
        if (job.test->steps->before)
            assert_int_equal(job.test->steps->before(&job), CKR_OK);
        assert_int_equal(bench_fault.calls, 0);
        assert_int_equal(job.test->steps->run(&job), CKR_OK);
        if (bench_fault.calls != calls_expected(job.test))
            fail_msg("%s: %lu calls", ids[i], bench_fault.calls);
        if (job.test->steps->check)
            assert_true(job.test->steps->check(&job));
        assert_int_equal(bench_fault.calls, calls_expected(job.test));
        if (job.test->steps->after)
            job.test->steps->after(&job);
        job_close(&job);
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
    key_make(&key, "aes-256-gcm-encrypt", false);
    for (unsigned i = 0; i < 4; i++) {
        struct p11prof_bench_job *job = &jobs[i / 2];
        if (i % 2 == 0)
            assert_int_equal(job_open(job, &key, "aes-256-gcm-encrypt", NULL, NULL), CKR_OK);
        job->test->steps->before(job);
        assert_int_equal(job->test->steps->run(job), CKR_OK);
        memcpy(seen[i], job->out, sizeof seen[i]);
        for (unsigned j = 0; j < i; j++)
            assert_memory_not_equal(seen[i], seen[j], sizeof seen[i]);
    }
    job_close(&jobs[0]);
    job_close(&jobs[1]);
    p11prof_bench_key_destroy(&key, token.real, session);
}

/* --- logins --- */

/* A PIN is tried once: more would lock the token. */
static void test_wrong_pin(void **state)
{
    struct p11prof_bench_key key;
    struct p11prof_bench_job job;
    const struct p11prof_bench_steps *steps = test_of("login-logout")->steps;
    (void)state;
    key_make(&key, "login-logout", false);
    assert_int_equal(job_open(&job, &key, "login-logout", "wrong", NULL), CKR_OK);
    assert_int_equal(steps->before(&job), CKR_OK);
    assert_int_equal(steps->run(&job), CKR_PIN_INCORRECT);
    steps->after(&job);
    assert_int_equal(steps->before(&job), CKR_PIN_INCORRECT);
    assert_string_equal(job.failed_call, "C_Login");
    assert_int_equal(bench_fault.calls, 1);
    job_close(&job);
    bench_token_login(&token, session);
}

/* Who was logged in before is logged in after; the session that is logged in is another one. */
static void test_login_restored(void **state)
{
    struct p11prof_bench_key key;
    struct p11prof_bench_job job;
    CK_SESSION_INFO info;
    struct p11prof_error error = {0};
    (void)state;
    key_make(&key, "login-logout", false);
    assert_int_equal(job_open(&job, &key, "login-logout", BENCH_TOKEN_PIN, NULL), CKR_OK);
    assert_int_equal(token.real->C_GetSessionInfo(session, &info), CKR_OK);
    assert_int_equal(info.state, CKS_RW_PUBLIC_SESSION);
    job_close(&job);
    assert_int_equal(token.real->C_GetSessionInfo(session, &info), CKR_OK);
    assert_int_equal(info.state, CKS_RW_USER_FUNCTIONS);
    assert_int_not_equal(job_open(&job, &key, "login-logout", NULL, &error), CKR_OK);
    assert_string_equal(error.text, "login-logout: it needs the user's PIN");
    token.real->C_CloseSession(job.session);
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
        cmocka_unit_test_teardown(test_session_keys, faults_clear),
        cmocka_unit_test_teardown(test_token_keys, faults_clear),
        cmocka_unit_test_teardown(test_logged_out, faults_clear),
        cmocka_unit_test_teardown(test_failing, faults_clear),
        cmocka_unit_test_teardown(test_calls, faults_clear),
        cmocka_unit_test_teardown(test_nonces, faults_clear),
        cmocka_unit_test_teardown(test_wrong_pin, faults_clear),
        cmocka_unit_test_teardown(test_login_restored, faults_clear),
    };
    if (!bench_token_set_up(&token))
        return 77;
    int failed = cmocka_run_group_tests(tests, set_up, NULL);
    bench_token_tear_down(&token);
    return failed;
}
