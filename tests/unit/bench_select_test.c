/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Choosing from the load tool's tests: by words, and for the user's own key. */
#include "bench/test.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const suite[] = {
    "rsa-2048-sign",   "rsa-4096-sign",     "ecdsa-p256-sign",  "ecdsa-p384-sign",
    "rsa-2048-verify", "ecdsa-p256-verify", "rsa-2048-encrypt", "aes-256-gcm-encrypt",
    "sha-256",         "sha-384",           "sha-512",          "hmac-sha256",
    "aes-cmac",        "random-32"};

static void assert_chosen(const char *words, const struct p11prof_bench_own_key *own_key,
                          const char *const *ids, size_t count)
{
    struct p11prof_bench_selection selection;
    struct p11prof_error error = {0};
    if (p11prof_bench_select(&selection, words, own_key, &error) != P11PROF_OK)
        fail_msg("%s: %s", words, error.text);
    for (size_t i = 0; i < count && i < selection.count; i++)
        assert_string_equal(selection.tests[i]->id, ids[i]);
    assert_int_equal(selection.count, count);
    free(selection.tests);
}

#define CHOSEN(words, key, ...)                                                                    \
    assert_chosen(words, key, (const char *const[]){__VA_ARGS__},                                  \
                  sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static void test_suite(void **state)
{
    size_t count;
    const struct p11prof_bench_test *tests = p11prof_bench_tests(&count);
    (void)state;
    assert_chosen(NULL, NULL, suite, 14);
    assert_chosen("", NULL, suite, 14);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(tests[i].suite, i < 14 ? i + 1 : 0);
}

/* --- words --- */

static void test_names(void **state)
{
    (void)state;
    CHOSEN("rsa-2048-sign", NULL, "rsa-2048-sign");
    CHOSEN("RSA-2048 Sign", NULL, "rsa-2048-sign");
    CHOSEN("rsa2048sign", NULL, "rsa-2048-sign");
    CHOSEN("RSA-2048 sign (SHA-256, PKCS#1)", NULL, "rsa-2048-sign");
    CHOSEN("RSA-2048 Sign PSS SHA-256", NULL, "rsa-2048-sign-pss-sha256");
    CHOSEN("ECDSA-P-256 Sign,ECDSA-P256 Verify", NULL, "ecdsa-p256-sign", "ecdsa-p256-verify");
    CHOSEN("AES-256-GCM Encrypt (1KB)", NULL, "aes-256-gcm-encrypt");
    CHOSEN("SHA-256 Hash (1KB)", NULL, "sha-256");
    CHOSEN("HMAC-SHA256, AES-CMAC", NULL, "hmac-sha256", "aes-cmac");
    CHOSEN("Random (32 bytes)", NULL, "random-32");
}

/* Every name finds its own test. */
static void test_every_name(void **state)
{
    size_t count;
    const struct p11prof_bench_test *tests = p11prof_bench_tests(&count);
    (void)state;
    for (size_t i = 0; i < count; i++) {
        const char *const id[] = {tests[i].id};
        assert_chosen(tests[i].name, NULL, id, 1);
        assert_chosen(tests[i].id, NULL, id, 1);
    }
}

static void test_order(void **state)
{
    (void)state;
    CHOSEN(" random-32 ,sha-256,,rsa-2048-sign,sha-256", NULL, "rsa-2048-sign", "sha-256",
           "random-32");
}

static void test_families(void **state)
{
    static const char *const words[][2] = {{"sign", "rsa-2048-sign"},
                                           {"verify", "rsa-2048-verify"},
                                           {"encrypt", "rsa-2048-encrypt"},
                                           {"decrypt", "rsa-2048-decrypt"},
                                           {"digest", "sha-256"},
                                           {"Hash", "sha-256"},
                                           {"mac", "hmac-sha256"},
                                           {"random", "random-32"},
                                           {"keygen", "rsa-2048-keygen"},
                                           {"encapsulate", "ml-kem-512-encapsulate"},
                                           {"decapsulate", "ml-kem-512-decapsulate"},
                                           {"message-encrypt", "aes-256-gcm-message-encrypt"},
                                           {"message-decrypt", "aes-256-gcm-message-decrypt"},
                                           {"message-sign", "ecdsa-p256-message-sign"},
                                           {"message-verify", "ecdsa-p256-message-verify"},
                                           {"derive", "ecdh-p256-derive"},
                                           {"wrap", "aes-256-kw-wrap"},
                                           {"unwrap", "aes-256-kw-unwrap"},
                                           {"session", "session-open-close"},
                                           {"find", "find-by-label-1"},
                                           {"attributes", "get-attributes"},
                                           {"object", "object-create-destroy"},
                                           {"combined", "aes-256-cbc-digest-encrypt"}};
    (void)state;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        assert_chosen(words[i][0], NULL, &words[i][1], 1);
}

static void test_globs(void **state)
{
    size_t count;
    struct p11prof_bench_selection selection;
    (void)state;
    p11prof_bench_tests(&count);
    CHOSEN("SHA-*", NULL, "sha-256", "sha-384", "sha-512", "sha-1", "sha-224", "sha-512-256",
           "sha-256-multipart", "sha-512-multipart");
    CHOSEN("ed25519-[sv]*", NULL, "ed25519-sign", "ed25519-verify");
    assert_int_equal(p11prof_bench_select(&selection, "all", NULL, NULL), P11PROF_OK);
    assert_int_equal(selection.count, count);
    free(selection.tests);
}

static void assert_refused(const char *words, const char *says)
{
    struct p11prof_bench_selection selection;
    struct p11prof_error error = {0};
    assert_int_equal(p11prof_bench_select(&selection, words, NULL, &error), P11PROF_BAD_INPUT);
    if (!strstr(error.text, says))
        fail_msg("%s", error.text);
    assert_null(selection.tests);
}

static void test_unknown(void **state)
{
    (void)state;
    assert_refused("rsa-2048-sing", "did you mean \"rsa-2048-sign\"?");
    assert_refused("sha-256,RSA-2048 Singn", "did you mean \"rsa-2048-sign\"?");
    assert_refused("x25519-drive", "did you mean \"x25519-derive\"?");
    assert_refused("digets", "did you mean \"digest\"?");
    assert_refused("completely-different", "family (sign");
    assert_refused("dsa-*", "\"dsa-*\"");
}

/* --- the user's own key --- */

#define RIGHTS                                                                                     \
    .can_sign = 1, .can_verify = 1, .can_encrypt = 1, .can_decrypt = 1, .can_wrap = 1,             \
    .can_unwrap = 1, .can_derive = 1, .can_encapsulate = 1, .can_decapsulate = 1

static struct p11prof_bench_own_key own(enum p11prof_bench_key_kind kind, uint32_t bits)
{
    return (struct p11prof_bench_own_key){
        .wanted = true, .kind = kind, .bits = bits, .nist_curve = true, RIGHTS};
}

static bool begins(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* With this key: each test of the catalogue that begins like `like`, and no other, as `made`. */
static void assert_own_like(const char *like, const char *made,
                            const struct p11prof_bench_own_key *own_key)
{
    size_t count, expected_count = 0;
    const struct p11prof_bench_test *tests = p11prof_bench_tests(&count);
    struct p11prof_bench_selection selection;
    char id[P11PROF_BENCH_ID_BYTES + 8];
    assert_int_equal(p11prof_bench_select(&selection, NULL, own_key, NULL), P11PROF_OK);
    for (size_t i = 0; i < count; i++) {
        bool found = !begins(tests[i].id, like) || strcmp(tests[i].family, "keygen") == 0;
        expected_count += !found;
        snprintf(id, sizeof id, "%s%s", made, tests[i].id + strlen(like) * !found);
        for (size_t j = 0; j < selection.count && !found; j++)
            found = strcmp(selection.tests[j]->id, id) == 0;
        if (!found)
            fail_msg("%s is not chosen", id);
    }
    assert_int_equal(selection.count, expected_count);
    free(selection.tests);
}

static void test_own_rsa(void **state)
{
    struct p11prof_bench_own_key key = own(P11PROF_BENCH_KEY_RSA, 1024);
    (void)state;
    assert_own_like("rsa-2048-", "rsa-1024-", &key);
    CHOSEN("sign,digest,RSA-1024 verify", &key, "rsa-1024-sign", "rsa-1024-verify", "sha-256");
    CHOSEN("rsa-1024-d*sha[12]*,rsa-1024-decrypt", &key, "rsa-1024-decrypt",
           "rsa-1024-decrypt-oaep-sha1", "rsa-1024-decrypt-oaep-sha256");
    key.bits = 3072;
    CHOSEN("[re][scd]*[1-9]-sign", &key, "rsa-2048-sign", "rsa-4096-sign", "ecdsa-p256-sign",
           "ecdsa-p384-sign", "rsa-3072-sign", "ecdsa-p521-sign", "ed25519-sign", "ed448-sign");
    assert_own_like("rsa-2048-", "rsa-3072-", &key);
    CHOSEN("sign", &key, "rsa-3072-sign");
}

static void test_own_halves(void **state)
{
    struct p11prof_bench_own_key key = own(P11PROF_BENCH_KEY_RSA, 2048);
    (void)state;
    key.can_verify = key.can_encrypt = key.can_wrap = 0;
    assert_own_like("rsa-2048-sign", "rsa-2048-sign", &key);
    key.can_sign = 0;
    key.can_encrypt = 1;
    key.can_decrypt = 0;
    assert_own_like("rsa-2048-encrypt", "rsa-2048-encrypt", &key);
    key.can_encrypt = 0;
    struct p11prof_bench_selection selection;
    assert_int_equal(p11prof_bench_select(&selection, NULL, &key, NULL), P11PROF_BAD_INPUT);
}

static void test_own_others(void **state)
{
    struct p11prof_bench_own_key key = own(P11PROF_BENCH_KEY_EC, 384);
    (void)state;
    CHOSEN("ecd*-p384-*", &key, "ecdsa-p384-sign", "ecdsa-p384-sign-sha256",
           "ecdsa-p384-sign-sha384", "ecdsa-p384-sign-sha512", "ecdsa-p384-sign-sha256-multipart",
           "ecdsa-p384-verify", "ecdsa-p384-verify-sha256", "ecdsa-p384-verify-sha384",
           "ecdsa-p384-verify-sha512", "ecdsa-p384-verify-sha256-multipart", "ecdh-p384-derive",
           "ecdsa-p384-message-sign", "ecdsa-p384-message-verify");
    key.bits = 256, key.nist_curve = false;
    CHOSEN("ecd*-256-*y,ecd*-256-*n,derive", &key, "ecdsa-256-sign", "ecdsa-256-verify",
           "ecdh-256-derive", "ecdsa-256-message-sign", "ecdsa-256-message-verify");
    CHOSEN("sign,ecdsa-p256-sign", &key, "ecdsa-p256-sign", "ecdsa-256-sign");
    key = own(P11PROF_BENCH_KEY_EDWARDS, 255);
    CHOSEN(NULL, &key, "ed25519-sign", "ed25519-verify");
    key = own(P11PROF_BENCH_KEY_AES, 192);
    CHOSEN("encrypt,mac,decrypt", &key, "aes-192-gcm-encrypt", "aes-192-gcm-decrypt",
           "aes-192-cmac");
    key.bits = 256;
    CHOSEN("mac,*-cmac", &key, "aes-cmac", "aes-128-cmac", "aes-192-cmac", "des3-cmac");
    key = own(P11PROF_BENCH_KEY_GENERIC, 160);
    CHOSEN("hmac-sha?", &key, "hmac-sha1");
    CHOSEN("hmac-sha???,mac", &key, "hmac-sha256", "hmac-sha384", "hmac-sha512", "hmac-sha224");
    key = own(P11PROF_BENCH_KEY_EDWARDS, 448);
    CHOSEN(NULL, &key, "ed448-sign", "ed448-verify");
    key = own(P11PROF_BENCH_KEY_MONTGOMERY, 255);
    CHOSEN(NULL, &key, "x25519-derive");
    key = own(P11PROF_BENCH_KEY_DES3, 192);
    CHOSEN(NULL, &key, "des3-cbc-encrypt", "des3-ecb-encrypt", "des3-cbc-decrypt",
           "des3-ecb-decrypt", "des3-cmac", "des3-cmac-verify");
}

/* Every parameter set has its own tests: none is made of another's. */
static void test_own_parameter_sets(void **state)
{
    struct p11prof_bench_own_key key = own(P11PROF_BENCH_KEY_ML_DSA, 65);
    struct p11prof_bench_selection selection;
    (void)state;
    CHOSEN(NULL, &key, "ml-dsa-65-message-sign", "ml-dsa-65-message-verify", "ml-dsa-65-sign",
           "ml-dsa-65-verify", "ml-dsa-65-sign-sha512", "ml-dsa-65-verify-sha512");
    CHOSEN("sign,verify", &key, "ml-dsa-65-sign", "ml-dsa-65-verify");
    key.bits = 44;
    CHOSEN(NULL, &key, "ml-dsa-44-sign", "ml-dsa-44-verify", "ml-dsa-44-sign-sha512",
           "ml-dsa-44-verify-sha512");
    key = own(P11PROF_BENCH_KEY_SLH_DSA, CKP_SLH_DSA_SHAKE_192F);
    CHOSEN(NULL, &key, "slh-dsa-shake-192f-sign", "slh-dsa-shake-192f-verify");
    key = own(P11PROF_BENCH_KEY_ML_KEM, 768);
    CHOSEN(NULL, &key, "ml-kem-768-encapsulate", "ml-kem-768-decapsulate");
    key.can_encapsulate = 0; /* what is decapsulated must come from somewhere */
    assert_int_equal(p11prof_bench_select(&selection, NULL, &key, NULL), P11PROF_BAD_INPUT);
    key = own(P11PROF_BENCH_KEY_ML_KEM, 0); /* of a set that is not known */
    assert_int_equal(p11prof_bench_select(&selection, NULL, &key, NULL), P11PROF_BAD_INPUT);
}

/* A test of the catalogue says which curve it is on. */
static void test_own_curve(void **state)
{
    struct p11prof_bench_own_key key = own(P11PROF_BENCH_KEY_EC, 256);
    struct p11prof_bench_selection selection;
    (void)state;
    assert_int_equal(p11prof_bench_select(&selection, "ecdsa-p256-sign", NULL, NULL), P11PROF_OK);
    assert_true(p11prof_bench_fit(selection.tests[0], &key));
    key.nist_curve = false;
    assert_false(p11prof_bench_fit(selection.tests[0], &key));
    free(selection.tests);
}

/* What is made for a key is a test of that key. */
static void test_own_made(void **state)
{
    struct p11prof_bench_own_key key = own(P11PROF_BENCH_KEY_AES, 192);
    struct p11prof_bench_selection selection;
    (void)state;
    assert_int_equal(p11prof_bench_select(&selection, NULL, &key, NULL), P11PROF_OK);
    for (size_t i = 0; i < selection.count; i++) {
        assert_true(p11prof_bench_fit(selection.tests[i], &key));
        assert_int_equal(selection.tests[i]->key_bits, 192);
        assert_null(strstr(selection.tests[i]->id, "256"));
    }
    assert_string_equal(selection.tests[0]->name, "AES-192-GCM encrypt");
    free(selection.tests);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_suite),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_every_name),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_families),
        cmocka_unit_test(test_globs),
        cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_own_rsa),
        cmocka_unit_test(test_own_halves),
        cmocka_unit_test(test_own_others),
        cmocka_unit_test(test_own_curve),
        cmocka_unit_test(test_own_made),
        cmocka_unit_test(test_own_parameter_sets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
