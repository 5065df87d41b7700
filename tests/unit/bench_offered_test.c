/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What keeps a token from a test of the load tool. */
#include "bench/test.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* Ascending. */
static CK_MECHANISM_TYPE mechanisms[] = {CKM_RSA_PKCS_KEY_PAIR_GEN, CKM_SHA256_RSA_PKCS,
                                         CKM_SHA256_HMAC,           CKM_GENERIC_SECRET_KEY_GEN,
                                         CKM_AES_KEY_GEN,           CKM_AES_GCM};
static CK_MECHANISM_INFO infos[6];

static struct p11prof_bench_token_facts token_facts(void)
{
    const CK_MECHANISM_INFO good[] = {{1024, 4096, CKF_GENERATE_KEY_PAIR},
                                      {1024, 4096, CKF_SIGN | CKF_VERIFY},
                                      {32, 64, CKF_SIGN | CKF_VERIFY},
                                      {1, 512, CKF_GENERATE},
                                      {16, 32, CKF_GENERATE},
                                      {128, 256, CKF_ENCRYPT | CKF_DECRYPT}};
    memcpy(infos, good, sizeof infos);
    return (struct p11prof_bench_token_facts){.mechanisms = mechanisms,
                                              .infos = infos,
                                              .mechanism_count = 6,
                                              .logged_in = true,
                                              .login_required = true};
}

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

static void assert_offered(const char *id, const struct p11prof_bench_token_facts *token,
                           const struct p11prof_bench_own_key *own_key, const char *reason)
{
    char text[P11PROF_BENCH_REASON_BYTES] = "";
    bool offered = p11prof_bench_offered(test_of(id), token, own_key, text);
    if (offered != !reason || (reason && !strstr(text, reason)))
        fail_msg("%s: %s", id, offered ? "is offered" : text);
}

static void test_offered(void **state)
{
    static const char *const ids[] = {"rsa-2048-sign", "rsa-4096-verify",     "hmac-sha256",
                                      "random-32",     "aes-256-gcm-decrypt", "aes-128-gcm-encrypt",
                                      "login-logout",  "find-by-label-100",   "rsa-2048-keygen"};
    struct p11prof_bench_token_facts token = token_facts();
    (void)state;
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++)
        assert_offered(ids[i], &token, NULL, NULL);
    assert_offered("ed25519-sign", &token, NULL, "the token has no CKM_EDDSA");
    assert_offered("sha-256", &token, NULL, "the token has no CKM_SHA256");
}

static void test_not_offered(void **state)
{
    struct p11prof_bench_token_facts token = token_facts();
    (void)state;
    infos[1].flags = CKF_VERIFY;
    assert_offered("rsa-2048-sign", &token, NULL, "CKM_SHA256_RSA_PKCS has no CKF_SIGN");
    assert_offered("rsa-2048-verify", &token, NULL, "CKM_SHA256_RSA_PKCS has no CKF_SIGN");
    infos[1].flags = CKF_SIGN;
    assert_offered("rsa-2048-verify", &token, NULL, "has no CKF_VERIFY");
    infos[1].flags = CKF_HW; /* says nothing of what it can */
    assert_offered("rsa-2048-sign", &token, NULL, NULL);
    mechanisms[0] = CKM_RSA_PKCS_KEY_PAIR_GEN + 2;
    assert_offered("rsa-2048-sign", &token, NULL, "no CKM_RSA_PKCS_KEY_PAIR_GEN to make its key");
    struct p11prof_bench_own_key key = {
        .wanted = true, .kind = P11PROF_BENCH_KEY_RSA, .bits = 2048, .can_sign = 1};
    assert_offered("rsa-2048-sign", &token, &key, NULL);
    key.can_sign = 0;
    assert_offered("rsa-2048-sign", &token, &key, "the key has no CKA_SIGN");
    key.can_verify = 1;
    infos[1].flags = CKF_SIGN | CKF_VERIFY;
    assert_offered("rsa-2048-verify", &token, &key, "no CKA_SIGN (of the private half)");
    struct p11prof_bench_own_key secret = {
        .wanted = true, .kind = P11PROF_BENCH_KEY_AES, .bits = 256, .can_decrypt = 1};
    char text[P11PROF_BENCH_REASON_BYTES];
    assert_false(p11prof_bench_offered(test_of("aes-256-gcm-decrypt"), &token, &secret, text));
    assert_string_equal(text, "the key has no CKA_ENCRYPT");
    mechanisms[0] = CKM_RSA_PKCS_KEY_PAIR_GEN;
}

static void test_offered_sizes(void **state)
{
    static const struct {
        CK_ULONG least, most;
        bool offered;
    } sizes[] = {{1024, 2048, true}, {128, 256, true}, {0, 0, true},       {4096, 1024, true},
                 {512, 1024, false}, {16, 128, false}, {3072, 4096, false}};
    struct p11prof_bench_token_facts token = token_facts();
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        infos[1].ulMinKeySize = sizes[i].least, infos[1].ulMaxKeySize = sizes[i].most;
        assert_offered("rsa-2048-sign", &token, NULL, sizes[i].offered ? NULL : "takes keys of");
    }
}

/* The size of DES3 is 192, 168 or 24, as a module likes. */
static void test_offered_des3(void **state)
{
    CK_MECHANISM_TYPE kept[2] = {mechanisms[1], mechanisms[2]};
    struct p11prof_bench_token_facts token = token_facts();
    (void)state;
    mechanisms[1] = CKM_DES3_KEY_GEN, infos[1].flags = CKF_GENERATE;
    mechanisms[2] = CKM_DES3_CBC, infos[2].flags = CKF_ENCRYPT | CKF_DECRYPT;
    infos[2].ulMinKeySize = infos[2].ulMaxKeySize = 168;
    assert_offered("des3-cbc-encrypt", &token, NULL, NULL);
    assert_offered("des3-ecb-encrypt", &token, NULL, "the token has no CKM_DES3_ECB");
    memcpy(mechanisms + 1, kept, sizeof kept);
}

static void test_offered_login(void **state)
{
    struct p11prof_bench_token_facts token = token_facts();
    (void)state;
    token.logged_in = false;
    assert_offered("rsa-2048-sign", &token, NULL, "needs a login");
    assert_offered("random-32", &token, NULL, NULL);
    token.login_required = false;
    assert_offered("rsa-2048-sign", &token, NULL, NULL);
    assert_offered("login-logout", &token, NULL, "needs a login");
}

/* What the functions are of is asked before what the token says of them. */
static void test_offered_interfaces(void **state)
{
    static const struct {
        const char *id;
        unsigned interface;
        const char *reason;
    } asked[] = {
        {"aes-256-gcm-message-encrypt", 0, "the module has no PKCS#11 3.0 interface"},
        {"aes-256-gcm-message-decrypt", 0, "the module has no PKCS#11 3.0 interface"},
        {"aes-256-gcm-message-encrypt", 300, NULL}, /* its flags say nothing of messages */
        {"ecdsa-p256-message-sign", 300, "the token has no CKM_ECDSA"},
        {"ml-kem-768-encapsulate", 300, "the module has no PKCS#11 3.2 interface"},
        {"ml-kem-768-decapsulate", 0, "the module has no PKCS#11 3.2 interface"},
        {"ml-kem-768-encapsulate", 302, "the token has no CKM_ML_KEM"},
        {"ml-dsa-65-sign", 0, "the token has no CKM_ML_DSA"},
        {"aes-256-gcm-encrypt", 0, NULL},
    };
    struct p11prof_bench_token_facts token = token_facts();
    (void)state;
    for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++) {
        token.interface = asked[i].interface;
        assert_offered(asked[i].id, &token, NULL, asked[i].reason);
    }
    token.interface = 300;
    infos[5].flags = CKF_MESSAGE_ENCRYPT;
    assert_offered("aes-256-gcm-message-encrypt", &token, NULL, NULL);
    assert_offered("aes-256-gcm-message-decrypt", &token, NULL, "has no CKF_MESSAGE_DECRYPT");
    assert_offered("aes-256-gcm-encrypt", &token, NULL, "has no CKF_ENCRYPT");
}

/* Modules say what they like of the sizes of keys that have none. */
static void test_offered_parameter_sets(void **state)
{
    CK_MECHANISM_TYPE own_mechanisms[] = {CKM_ML_KEM_KEY_PAIR_GEN, CKM_ML_KEM};
    CK_MECHANISM_INFO own_infos[] = {{1, 3, CKF_GENERATE_KEY_PAIR}, {800, 1568, CKF_ENCAPSULATE}};
    struct p11prof_bench_token_facts token = {
        .mechanisms = own_mechanisms, .infos = own_infos, .mechanism_count = 2, .interface = 302};
    (void)state;
    assert_offered("ml-kem-512-encapsulate", &token, NULL, NULL);
    assert_offered("ml-kem-768-keygen", &token, NULL, NULL);
    assert_offered("ml-kem-1024-decapsulate", &token, NULL, "CKM_ML_KEM has no CKF_DECAPSULATE");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_offered),
        cmocka_unit_test(test_not_offered),
        cmocka_unit_test(test_offered_sizes),
        cmocka_unit_test(test_offered_des3),
        cmocka_unit_test(test_offered_login),
        cmocka_unit_test(test_offered_interfaces),
        cmocka_unit_test(test_offered_parameter_sets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
