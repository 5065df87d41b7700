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
    return (struct p11prof_bench_token_facts){mechanisms, infos, 6, true, true, false};
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_offered),
        cmocka_unit_test(test_not_offered),
        cmocka_unit_test(test_offered_sizes),
        cmocka_unit_test(test_offered_login),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
