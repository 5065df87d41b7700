/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The catalogue of the load tool: its table, and choosing from it. */
#include "bench/test.h"

#include <regex.h>
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

/* --- the table --- */

/* family[-size or curve][-mode]-operation[-variant]; digests, MACs, random and searches name none.
 */
static const char id_rule[] =
    "^((rsa-[0-9]+|ecdsa-p[0-9]+|ed25519|ecdh-p[0-9]+|ec-p[0-9]+|aes-[0-9]+(-(gcm|cbc|ctr|kw))?)"
    "-(sign|verify|encrypt|decrypt|wrap|unwrap|derive|keygen)(-(pss|oaep)-sha[0-9]+)?"
    "|sha-[0-9]+(-multipart)?|(hmac-sha[0-9]+|aes-cmac)(-verify)?|random-[0-9]+"
    "|session-open-close|login-logout|find-by-label-[0-9]+|get-attributes)$";

static void test_ids(void **state)
{
    size_t count;
    regex_t rule;
    const struct p11prof_bench_test *tests = p11prof_bench_tests(&count);
    (void)state;
    assert_int_equal(regcomp(&rule, id_rule, REG_EXTENDED | REG_NOSUB), 0);
    for (size_t i = 0; i < count; i++) {
        if (regexec(&rule, tests[i].id, 0, NULL, 0) != 0)
            fail_msg("%s is not of the rule", tests[i].id);
        for (size_t j = i + 1; j < count; j++) {
            assert_string_not_equal(tests[i].id, tests[j].id);
            assert_string_not_equal(tests[i].name, tests[j].name);
        }
    }
    regfree(&rule);
}

/* The size in an id is the key's. */
static void test_sizes(void **state)
{
    size_t count;
    const struct p11prof_bench_test *tests = p11prof_bench_tests(&count);
    (void)state;
    for (size_t i = 0; i < count; i++) {
        const char *size = tests[i].id + strcspn(tests[i].id, "-");
        size += size[0] == '-' && size[1] == 'p' ? 2 : 1;
        if (tests[i].key_kind == P11PROF_BENCH_KEY_RSA || tests[i].key_kind == P11PROF_BENCH_KEY_EC)
            assert_int_equal(strtoul(size, NULL, 10), tests[i].key_bits);
        assert_true(tests[i].operation != 0 || tests[i].iteration_calls > 0);
        assert_true((tests[i].key_kind == P11PROF_BENCH_KEY_NONE) == (tests[i].key_bits == 0));
        assert_non_null(tests[i].steps->run);
    }
}

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
                                           {"derive", "ecdh-p256-derive"},
                                           {"wrap", "aes-256-kw-wrap"},
                                           {"unwrap", "aes-256-kw-unwrap"},
                                           {"session", "session-open-close"},
                                           {"find", "find-by-label-1"},
                                           {"attributes", "get-attributes"}};
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
    CHOSEN("SHA-*", NULL, "sha-256", "sha-384", "sha-512", "sha-256-multipart");
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
    assert_refused("digets", "did you mean \"digest\"?");
    assert_refused("completely-different", "family (sign");
    assert_refused("dsa-*", "\"dsa-*\"");
}

/* --- the user's own key --- */

#define RIGHTS                                                                                     \
    .can_sign = 1, .can_verify = 1, .can_encrypt = 1, .can_decrypt = 1, .can_wrap = 1,             \
    .can_unwrap = 1, .can_derive = 1

static struct p11prof_bench_own_key own(enum p11prof_bench_key_kind kind, uint32_t bits)
{
    return (struct p11prof_bench_own_key){
        .wanted = true, .kind = kind, .bits = bits, .nist_curve = true, RIGHTS};
}

static void test_own_rsa(void **state)
{
    struct p11prof_bench_own_key key = own(P11PROF_BENCH_KEY_RSA, 1024);
    (void)state;
    CHOSEN(NULL, &key, "rsa-1024-sign", "rsa-1024-verify", "rsa-1024-encrypt",
           "rsa-1024-sign-pss-sha256", "rsa-1024-verify-pss-sha256", "rsa-1024-encrypt-oaep-sha1",
           "rsa-1024-encrypt-oaep-sha256", "rsa-1024-decrypt", "rsa-1024-decrypt-oaep-sha1",
           "rsa-1024-decrypt-oaep-sha256", "rsa-1024-wrap", "rsa-1024-wrap-oaep-sha1",
           "rsa-1024-wrap-oaep-sha256", "rsa-1024-unwrap", "rsa-1024-unwrap-oaep-sha1",
           "rsa-1024-unwrap-oaep-sha256");
    CHOSEN("sign,digest,RSA-1024 verify", &key, "rsa-1024-sign", "rsa-1024-verify", "sha-256");
    CHOSEN("rsa-1024-d*", &key, "rsa-1024-decrypt", "rsa-1024-decrypt-oaep-sha1",
           "rsa-1024-decrypt-oaep-sha256");
    key.bits = 3072;
    CHOSEN("*-sign*", &key, "rsa-2048-sign", "rsa-4096-sign", "ecdsa-p256-sign", "ecdsa-p384-sign",
           "rsa-3072-sign", "rsa-2048-sign-pss-sha256", "rsa-3072-sign-pss-sha256",
           "rsa-4096-sign-pss-sha256", "ecdsa-p521-sign", "ed25519-sign");
    CHOSEN("sign", &key, "rsa-3072-sign");
}

static void test_own_halves(void **state)
{
    struct p11prof_bench_own_key key = own(P11PROF_BENCH_KEY_RSA, 2048);
    (void)state;
    key.can_verify = key.can_encrypt = key.can_wrap = 0;
    CHOSEN(NULL, &key, "rsa-2048-sign", "rsa-2048-sign-pss-sha256");
    key.can_sign = 0;
    key.can_encrypt = 1;
    key.can_decrypt = 0;
    CHOSEN(NULL, &key, "rsa-2048-encrypt", "rsa-2048-encrypt-oaep-sha1",
           "rsa-2048-encrypt-oaep-sha256");
    key.can_encrypt = 0;
    struct p11prof_bench_selection selection;
    assert_int_equal(p11prof_bench_select(&selection, NULL, &key, NULL), P11PROF_BAD_INPUT);
}

static void test_own_others(void **state)
{
    struct p11prof_bench_own_key key = own(P11PROF_BENCH_KEY_EC, 384);
    (void)state;
    CHOSEN(NULL, &key, "ecdsa-p384-sign", "ecdsa-p384-verify", "ecdh-p384-derive");
    key.bits = 256, key.nist_curve = false;
    CHOSEN(NULL, &key, "ecdsa-256-sign", "ecdsa-256-verify", "ecdh-256-derive");
    CHOSEN("sign,ecdsa-p256-sign", &key, "ecdsa-p256-sign", "ecdsa-256-sign");
    key = own(P11PROF_BENCH_KEY_EDWARDS, 255);
    CHOSEN(NULL, &key, "ed25519-sign", "ed25519-verify");
    key = own(P11PROF_BENCH_KEY_AES, 192);
    CHOSEN("encrypt,mac,decrypt", &key, "aes-192-gcm-encrypt", "aes-cmac", "aes-192-gcm-decrypt");
    key = own(P11PROF_BENCH_KEY_GENERIC, 160);
    CHOSEN(NULL, &key, "hmac-sha256", "hmac-sha384", "hmac-sha512", "hmac-sha256-verify",
           "hmac-sha384-verify", "hmac-sha512-verify");
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
        cmocka_unit_test(test_ids),        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_suite),      cmocka_unit_test(test_names),
        cmocka_unit_test(test_every_name), cmocka_unit_test(test_order),
        cmocka_unit_test(test_families),   cmocka_unit_test(test_globs),
        cmocka_unit_test(test_unknown),    cmocka_unit_test(test_own_rsa),
        cmocka_unit_test(test_own_halves), cmocka_unit_test(test_own_others),
        cmocka_unit_test(test_own_curve),  cmocka_unit_test(test_own_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
