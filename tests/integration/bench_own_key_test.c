/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The user's own key on a real token: found, looked at, worked with, and left alone. */
#include "bench_job.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct bench_token token;
static CK_SESSION_HANDLE session; /* logged in; the keys are its objects */

/* Keys that an application could have: every test makes its own and destroys them. */
static CK_OBJECT_HANDLE made[8];
static unsigned made_count;

static int keys_destroy(void **state)
{
    (void)state;
    while (made_count > 0)
        token.real->C_DestroyObject(session, made[--made_count]);
    return 0;
}

static void secret_make(CK_MECHANISM_TYPE mechanism, CK_ULONG bytes, const char *label)
{
    CK_MECHANISM generate = {mechanism, NULL, 0};
    CK_ATTRIBUTE template[] = {{CKA_VALUE_LEN, &bytes, sizeof bytes},
                               {CKA_LABEL, (void *)(uintptr_t)label, strlen(label)}};
    assert_int_equal(
        token.real->C_GenerateKey(session, &generate, template, 2, &made[made_count++]), CKR_OK);
}

/* made[0] is the public half, made[1] the private one. SoftHSM lets them do everything. */
static void pair_make(CK_MECHANISM_TYPE mechanism, CK_ATTRIBUTE size, const char *public_label,
                      const char *private_label)
{
    CK_MECHANISM generate = {mechanism, NULL, 0};
    CK_BBOOL yes = CK_TRUE;
    CK_ATTRIBUTE public_part[] = {
        size,
        {CKA_LABEL, (void *)(uintptr_t)public_label, strlen(public_label)},
        {CKA_ID, "\x47\x11", 2},
        {CKA_VERIFY, &yes, sizeof yes},
        {CKA_ENCRYPT, &yes, sizeof yes},
        {CKA_WRAP, &yes, sizeof yes}};
    CK_ATTRIBUTE private_part[] = {
        {CKA_LABEL, (void *)(uintptr_t)private_label, strlen(private_label)},
        {CKA_ID, "\x47\x11", 2},
        {CKA_SIGN, &yes, sizeof yes},
        {CKA_DECRYPT, &yes, sizeof yes},
        {CKA_UNWRAP, &yes, sizeof yes},
        {CKA_DERIVE, &yes, sizeof yes}};
    assert_int_equal(token.real->C_GenerateKeyPair(session, &generate, public_part, 6, private_part,
                                                   6, &made[made_count], &made[made_count + 1]),
                     CKR_OK);
    made_count += 2;
}

static void rsa_make(CK_ULONG bits, const char *public_label, const char *private_label)
{
    pair_make(CKM_RSA_PKCS_KEY_PAIR_GEN, (CK_ATTRIBUTE){CKA_MODULUS_BITS, &bits, sizeof bits},
              public_label, private_label);
}

static enum p11prof_status find(struct p11prof_bench_own_key *key, const char *label,
                                struct p11prof_error *error)
{
    *key = (struct p11prof_bench_own_key){.wanted = true};
    snprintf(key->label, sizeof key->label, "%s", label);
    return p11prof_bench_own_key_find(key, token.real, session, error);
}

static struct p11prof_bench_own_key found(const char *label)
{
    struct p11prof_bench_own_key key;
    struct p11prof_error error = {0};
    if (find(&key, label, &error) != P11PROF_OK)
        fail_msg("%s", error.text);
    return key;
}

/* Opens, iterates once and closes; what opening answered. */
static CK_RV work(const struct p11prof_bench_test *test, const struct p11prof_bench_own_key *own,
                  bool *unchecked, struct p11prof_error *error)
{
    struct p11prof_bench_key key;
    assert_int_equal(
        p11prof_bench_key_make(&key, test, token.real, session, "p11prof-test", false, own, error),
        CKR_OK);
    assert_false(key.own);
    struct p11prof_bench_job job;
    CK_RV rv = bench_job_open(&job, &token, test, &key, token.real, token.real, error);
    if (rv == CKR_OK) {
        assert_int_equal(bench_job_iterate(&job), CKR_OK);
        assert_true(bench_job_right(&job));
        *unchecked = job.unchecked;
        bench_job_clean_up(&job);
        bench_job_close(&job);
    }
    assert_int_equal(p11prof_bench_key_destroy(&key, token.real, session), CKR_OK);
    return rv;
}

/* SoftHSM has OAEP with SHA-1 only, and no ECDSA that digests. PSS with SHA-512 does not fit into
 * 1024 bits. */
static bool beyond_softhsm(const struct p11prof_bench_test *test)
{
    const char *oaep = strstr(test->id, "oaep-");
    return (oaep && strcmp(oaep, "oaep-sha1") != 0) ||
           (test->key_kind == P11PROF_BENCH_KEY_EC && strstr(test->id, "-sha")) ||
           (test->key_bits < 1040 && strstr(test->id, "pss-sha512"));
}

/* All that fits works, and the key is as it was: `count` tests, without those of 3.x. */
static void assert_works(const struct p11prof_bench_own_key *key, size_t count, bool checked)
{
    struct p11prof_bench_selection selection;
    struct p11prof_error error = {0};
    CK_ULONG objects = bench_token_objects(&token, session);
    assert_int_equal(p11prof_bench_select(&selection, NULL, key, &error), P11PROF_OK);
    for (size_t i = 0; i < selection.count; i++) {
        bool unchecked = false;
        if (p11prof_bench_interface_needed(selection.tests[i]) > 0)
            continue;
        count--;
        if (beyond_softhsm(selection.tests[i]))
            continue;
        if (work(selection.tests[i], key, &unchecked, &error) != CKR_OK)
            fail_msg("%s", error.text);
        assert_int_equal(unchecked, !checked);
    }
    assert_int_equal(count, 0);
    assert_int_equal(bench_token_objects(&token, session), objects);
    free(selection.tests);
}

static void test_rsa(void **state)
{
    (void)state;
    rsa_make(1024, "mine", "mine");
    struct p11prof_bench_own_key key = found("mine");
    assert_int_equal(key.kind, P11PROF_BENCH_KEY_RSA);
    assert_int_equal(key.bits, 1024);
    assert_int_equal(key.public_key, made[0]);
    assert_int_equal(key.private_key, made[1]);
    assert_works(&key, 34, true);
}

/* A size that is no multiple of 8. */
static void test_rsa_odd(void **state)
{
    (void)state;
    rsa_make(1031, "odd", "odd");
    struct p11prof_bench_own_key key = found("odd");
    assert_int_equal(key.bits, 1031);
    assert_works(&key, 34, true);
}

static void test_curves(void **state)
{
    static const struct {
        CK_BYTE der[12];
        CK_ULONG bytes;
        uint32_t bits;
        bool nist;
    } curves[] = {{"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07", 10, 256, true},
                  {"\x06\x05\x2b\x81\x04\x00\x23", 7, 521, true},
                  {"\x06\x05\x2b\x81\x04\x00\x21", 7, 224, false},
                  {"\x06\x05\x2b\x81\x04\x00\x0a", 7, 256, false}};
    (void)state;
    for (size_t i = 0; i < sizeof curves / sizeof curves[0]; i++) {
        pair_make(CKM_EC_KEY_PAIR_GEN,
                  (CK_ATTRIBUTE){CKA_EC_PARAMS, (void *)(uintptr_t)curves[i].der, curves[i].bytes},
                  "curve", "curve");
        struct p11prof_bench_own_key key = found("curve");
        assert_int_equal(key.kind, P11PROF_BENCH_KEY_EC);
        assert_int_equal(key.bits, curves[i].bits);
        assert_int_equal(key.nist_curve, curves[i].nist);
        assert_works(&key, 11, true);
        keys_destroy(NULL);
    }
}

static void test_ed448(void **state)
{
    static CK_BYTE der[] = {6, 3, 0x2b, 0x65, 0x71};
    (void)state;
    pair_make(CKM_EC_EDWARDS_KEY_PAIR_GEN, (CK_ATTRIBUTE){CKA_EC_PARAMS, der, sizeof der},
              "edwards", "edwards");
    struct p11prof_bench_own_key key = found("edwards");
    assert_int_equal(key.kind, P11PROF_BENCH_KEY_EDWARDS);
    assert_int_equal(key.bits, 448);
    assert_works(&key, 2, true); /* sign, verify */
}

/* A key of one HMAC fits no other. */
static void test_hmac(void **state)
{
    CK_OBJECT_CLASS class = CKO_SECRET_KEY;
    CK_KEY_TYPE type = CKK_SHA512_HMAC;
    CK_BBOOL yes = CK_TRUE;
    CK_BYTE value[64] = {1};
    CK_ATTRIBUTE template[] = {
        {CKA_CLASS, &class, sizeof class}, {CKA_KEY_TYPE, &type, sizeof type},
        {CKA_VALUE, value, sizeof value},  {CKA_LABEL, "hmac", 4},
        {CKA_SIGN, &yes, sizeof yes},      {CKA_VERIFY, &yes, sizeof yes}};
    struct p11prof_bench_selection selection;
    struct p11prof_error error = {0};
    (void)state;
    assert_int_equal(token.real->C_CreateObject(session, template, 6, &made[made_count++]), CKR_OK);
    struct p11prof_bench_own_key key = found("hmac");
    assert_int_equal(key.kind, P11PROF_BENCH_KEY_GENERIC);
    assert_int_equal(key.bits, 512);
    assert_works(&key, 2, true);
    assert_int_equal(p11prof_bench_select(&selection, "mac", &key, &error), P11PROF_OK);
    assert_string_equal(selection.tests[0]->id, "hmac-sha512");
    free(selection.tests);
}

static void test_secrets(void **state)
{
    bool unchecked;
    struct p11prof_error error = {0};
    struct p11prof_bench_selection selection;
    (void)state;
    secret_make(CKM_AES_KEY_GEN, 24, "aes");
    struct p11prof_bench_own_key key = found("aes");
    assert_int_equal(key.kind, P11PROF_BENCH_KEY_AES);
    assert_int_equal(key.bits, 192);
    assert_int_equal(p11prof_bench_select(&selection, "encrypt,mac", &key, &error), P11PROF_OK);
    for (size_t i = 0; i < selection.count; i++)
        if (work(selection.tests[i], &key, &unchecked, &error) != CKR_OK)
            fail_msg("%s", error.text);
    free(selection.tests);

    secret_make(CKM_GENERIC_SECRET_KEY_GEN, 20, "short");
    key = found("short");
    assert_int_equal(key.kind, P11PROF_BENCH_KEY_GENERIC);
    assert_int_equal(p11prof_bench_select(&selection, "mac", &key, &error), P11PROF_OK);
    assert_int_not_equal(work(selection.tests[0], &key, &unchecked, &error), CKR_OK);
    assert_string_equal(error.text,
                        "hmac-sha256: C_SignInit (CKM_SHA256_HMAC): CKR_KEY_SIZE_RANGE");
    free(selection.tests);
}

/* The labels of the halves differ: the id ties them. */
static void test_half_by_id(void **state)
{
    (void)state;
    rsa_make(1024, "certificate", "mine");
    assert_int_equal(found("mine").public_key, made[0]);
    assert_int_equal(found("certificate").private_key, made[1]);
}

static void test_private_only(void **state)
{
    (void)state;
    rsa_make(1024, "mine", "mine");
    token.real->C_DestroyObject(session, made[0]);
    made[0] = CK_INVALID_HANDLE;
    struct p11prof_bench_own_key key = found("mine");
    assert_int_equal(key.bits, 1024);
    assert_false(key.can_verify || key.can_encrypt);
    assert_works(&key, 9, false); /* sign: three hashes, raw, four PSS, in parts */
}

static void test_public_only(void **state)
{
    (void)state;
    rsa_make(1024, "mine", "mine");
    token.real->C_DestroyObject(session, made[1]);
    made[1] = CK_INVALID_HANDLE;
    struct p11prof_bench_own_key key = found("mine");
    assert_false(key.can_sign || key.can_decrypt);
    assert_works(&key, 8, false); /* encrypt and wrap with PKCS#1, four and two OAEPs */
}

static void test_missing(void **state)
{
    struct p11prof_bench_own_key key;
    struct p11prof_error error = {0};
    (void)state;
    assert_int_equal(find(&key, "mine", &error), P11PROF_MISSING);
    assert_non_null(strstr(error.text, "none"));
    secret_make(CKM_AES_KEY_GEN, 16, "one");
    rsa_make(1024, "other", "other");
    assert_int_equal(find(&key, "mine", &error), P11PROF_MISSING);
    assert_non_null(strstr(error.text, "no key \"mine\"; keys that are there: \"other\", \"one\""));
}

static void test_several(void **state)
{
    struct p11prof_bench_own_key key;
    struct p11prof_error error = {0};
    (void)state;
    secret_make(CKM_AES_KEY_GEN, 16, "twin");
    secret_make(CKM_AES_KEY_GEN, 16, "twin");
    assert_int_equal(find(&key, "twin", &error), P11PROF_BAD_INPUT);
    assert_non_null(strstr(error.text, "2 secret keys"));
    secret_make(CKM_AES_KEY_GEN, 16, "both");
    rsa_make(1024, "both", "both");
    assert_int_equal(find(&key, "both", &error), P11PROF_BAD_INPUT);
    assert_non_null(strstr(error.text, "a secret key and a key pair"));
    key = (struct p11prof_bench_own_key){.wanted = true, .id = "\x47\x11", .id_bytes = 2};
    assert_int_equal(p11prof_bench_own_key_find(&key, token.real, session, &error), P11PROF_OK);
    assert_int_equal(key.kind, P11PROF_BENCH_KEY_RSA);
    assert_string_equal(key.label, "both");
}

/* One label may be the beginning of another. */
static void test_labels_are_told_apart(void **state)
{
    struct p11prof_bench_own_key key;
    struct p11prof_error error = {0};
    (void)state;
    secret_make(CKM_AES_KEY_GEN, 16, "long2");
    secret_make(CKM_AES_KEY_GEN, 16, "long");
    secret_make(CKM_AES_KEY_GEN, 16, "long3");
    assert_int_equal(find(&key, "none", &error), P11PROF_MISSING);
    assert_non_null(strstr(error.text, "\"long2\""));
    assert_non_null(strstr(error.text, "\"long\""));
    assert_non_null(strstr(error.text, "\"long3\""));
}

/* A search that fails is no "there is none". */
static void test_search_fails(void **state)
{
    struct p11prof_bench_own_key key = {.wanted = true, .label = "mine"};
    struct p11prof_error error = {0};
    (void)state;
    bench_fault = (struct bench_fault){.fail_at = 1};
    assert_int_equal(p11prof_bench_own_key_find(&key, bench_token_faulty(&token), session, &error),
                     P11PROF_FAILED);
    assert_non_null(strstr(error.text, "C_FindObjectsInit: CKR_DEVICE_ERROR"));
}

static int set_up(void **state)
{
    (void)state;
    session = bench_token_session(&token);
    bench_token_login(&token, session);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_rsa, keys_destroy),
        cmocka_unit_test_teardown(test_rsa_odd, keys_destroy),
        cmocka_unit_test_teardown(test_curves, keys_destroy),
        cmocka_unit_test_teardown(test_ed448, keys_destroy),
        cmocka_unit_test_teardown(test_hmac, keys_destroy),
        cmocka_unit_test_teardown(test_secrets, keys_destroy),
        cmocka_unit_test_teardown(test_half_by_id, keys_destroy),
        cmocka_unit_test_teardown(test_private_only, keys_destroy),
        cmocka_unit_test_teardown(test_public_only, keys_destroy),
        cmocka_unit_test_teardown(test_missing, keys_destroy),
        cmocka_unit_test_teardown(test_several, keys_destroy),
        cmocka_unit_test_teardown(test_labels_are_told_apart, keys_destroy),
        cmocka_unit_test_teardown(test_search_fails, keys_destroy),
    };
    if (!bench_token_set_up(&token))
        return 77;
    int failed = cmocka_run_group_tests(tests, set_up, NULL);
    bench_token_tear_down(&token);
    return failed;
}
