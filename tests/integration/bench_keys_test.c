/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The keys that the load tool makes on a real token. */
#include "bench_job.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct bench_token token;
static CK_SESSION_HANDLE session;

static void key_make(struct p11prof_bench_key *key, const char *id, bool token_keys)
{
    struct p11prof_error error = {0};
    if (p11prof_bench_key_make(key, bench_test_of(id), token.real, session, "p11prof-keys",
                               token_keys, NULL, &error) != CKR_OK)
        fail_msg("%s", error.text);
}

static bool flag_of(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type)
{
    CK_BBOOL value = CK_FALSE;
    CK_ATTRIBUTE attribute = {type, &value, sizeof value};
    assert_int_equal(token.real->C_GetAttributeValue(session, object, &attribute, 1), CKR_OK);
    return value;
}

static const char *const kinds[] = {
    "rsa-2048-sign",     "ecdsa-p256-sign",  "ed25519-sign",    "aes-256-gcm-encrypt",
    "hmac-sha256",       "ecdh-p256-derive", "aes-256-kw-wrap", "get-attributes",
    "find-by-label-100", "des3-cbc-encrypt", "ed448-sign",      "aes-256-cbc-sign-encrypt"};

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
        if (strcmp(bench_test_of(kinds[i])->family, "combined") == 0)
            continue; /* SoftHSM has no two operations at once */
        key_make(&key, kinds[i], false);
        if (bench_job_open(&job, &token, bench_test_of(kinds[i]), &key, token.real, token.real,
                           &error) != CKR_OK)
            fail_msg("%s", error.text);
        bench_job_close(&job);
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
        /* 1 asks for the session's state; a curve may be tried by two names. */
        unsigned long call = strncmp(kinds[i], "find", 4) == 0 ? 51 : 2;
        bench_fault = (struct bench_fault){.fail_at = call, .fail_more = call == 2};
        assert_int_equal(p11prof_bench_key_make(&key, bench_test_of(kinds[i]),
                                                bench_token_faulty(&token), session, "p11prof-keys",
                                                false, NULL, &error),
                         CKR_DEVICE_ERROR);
        assert_non_null(strstr(error.text, kinds[i]));
        assert_non_null(strstr(error.text, "C_GenerateKey"));
        assert_non_null(strstr(error.text, "CKR_DEVICE_ERROR"));
        assert_non_null(strstr(error.text, "--token-keys"));
        assert_int_equal(bench_token_objects(&token, session), objects);
    }
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
    };
    if (!bench_token_set_up(&token))
        return 77;
    int failed = cmocka_run_group_tests(tests, set_up, NULL);
    bench_token_tear_down(&token);
    return failed;
}
