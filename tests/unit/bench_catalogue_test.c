/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The table of the load tool's tests. */
#include "bench/templates.h"
#include "bench/test.h"

#include <ctype.h>
#include <regex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* family[-size or curve][-mode]-operation[-variant]; digests, MACs, random and searches name none.
 */
static const char id_rule[] =
    "^((rsa-[0-9]+|ecdsa-p[0-9]+|ed(25519|448)|ecdh-p[0-9]+|ec-p[0-9]+|x(25519|448)"
    "|aes-[0-9]+(-(gcm|ccm|cbc|cbc-pad|ctr|ecb|kw|kwp))?|des3(-(cbc|ecb))?)"
    "-(sign|verify|encrypt|decrypt|wrap|unwrap|derive|keygen|digest-encrypt|decrypt-digest"
    "|sign-encrypt|decrypt-verify)(-raw|-sha[0-9]+|-(pss|oaep)-sha[0-9]+)?(-multipart)?"
    "|(sha-[0-9]+(-256)?|sha3-[0-9]+)(-multipart)?"
    "|(hmac-sha[0-9]+|hmac-sha3-[0-9]+|(aes(-[0-9]+)?|des3)-[cg]mac)(-verify)?(-multipart)?"
    "|random-[0-9]+|seed-random|session-open-close|login-logout|find-by-label-[0-9]+"
    "|get-attributes|set-attribute|object-create-destroy|object-copy)$";

/* Those of PKCS#11 3.0 to 3.2. */
static const char id_rule_3[] =
    "^((aes-[0-9]+-gcm-message-(en|de)crypt|(ecdsa-p256|ml-dsa-65)-message-(sign|verify))"
    "|ml-dsa-(44|65|87)-(sign|verify)-sha512"
    "|(ml-dsa-(44|65|87)|slh-dsa-(sha2|shake)-(128|192|256)[sf])-(sign|verify|keygen)"
    "|ml-kem-(512|768|1024)-(encapsulate|decapsulate|keygen))$";

static void test_ids(void **state)
{
    size_t count;
    regex_t rule, rule_3;
    const struct p11prof_bench_test *tests = p11prof_bench_tests(&count);
    (void)state;
    assert_int_equal(regcomp(&rule, id_rule, REG_EXTENDED | REG_NOSUB), 0);
    assert_int_equal(regcomp(&rule_3, id_rule_3, REG_EXTENDED | REG_NOSUB), 0);
    for (size_t i = 0; i < count; i++) {
        if (regexec(&rule, tests[i].id, 0, NULL, 0) != 0 &&
            regexec(&rule_3, tests[i].id, 0, NULL, 0) != 0)
            fail_msg("%s is not of the rule", tests[i].id);
        for (size_t j = i + 1; j < count; j++) {
            assert_string_not_equal(tests[i].id, tests[j].id);
            assert_string_not_equal(tests[i].name, tests[j].name);
        }
    }
    regfree(&rule_3);
    regfree(&rule);
}

/* "ML-DSA-65 sign" is "ml-dsa-65-sign", on such a key. */
static void assert_of_set(const struct p11prof_parameter_set *set, enum p11prof_bench_key_kind kind,
                          const char *operation)
{
    struct p11prof_bench_selection selection;
    char id[P11PROF_BENCH_ID_BYTES];
    snprintf(id, sizeof id, "%s-%s", set->name, operation);
    for (char *letter = id; *letter; letter++)
        *letter = (char)tolower((unsigned char)*letter);
    assert_int_equal(p11prof_bench_select(&selection, id, NULL, NULL), P11PROF_OK);
    assert_string_equal(selection.tests[0]->id, id);
    assert_memory_equal(selection.tests[0]->name, set->name, strlen(set->name));
    assert_int_equal(selection.tests[0]->key_kind, kind);
    assert_int_equal(selection.tests[0]->key_bits, set->number);
    free(selection.tests);
}

/* All parameter sets are there, and the name that 3.2 gives a set is that of its tests. */
static void test_parameter_sets(void **state)
{
    static const struct {
        CK_KEY_TYPE key_type;
        enum p11prof_bench_key_kind kind;
        unsigned sets;
        const char *operations[3];
    } kinds[] = {
        {CKK_ML_DSA, P11PROF_BENCH_KEY_ML_DSA, 3, {"sign", "verify", "keygen"}},
        {CKK_ML_KEM, P11PROF_BENCH_KEY_ML_KEM, 3, {"encapsulate", "decapsulate", "keygen"}},
        {CKK_SLH_DSA, P11PROF_BENCH_KEY_SLH_DSA, 12, {"sign", "verify", "keygen"}}};
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        for (CK_ULONG value = 1; value <= kinds[i].sets; value++) {
            const struct p11prof_parameter_set *set =
                p11prof_parameter_set_of_value(kinds[i].key_type, value);
            assert_non_null(set);
            for (unsigned j = 0; j < 3; j++)
                assert_of_set(set, kinds[i].kind, kinds[i].operations[j]);
        }
        assert_null(p11prof_parameter_set_of_value(kinds[i].key_type, kinds[i].sets + 1));
    }
}

static const struct p11prof_bench_test *find(const char *id)
{
    size_t count;
    const struct p11prof_bench_test *tests = p11prof_bench_tests(&count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(tests[i].id, id) == 0)
            return &tests[i];
    return NULL;
}

static void assert_listed(const char *id)
{
    if (!find(id))
        fail_msg("there is no %s", id);
}

/* A list of what stands for the "%s" of an id. */
static void assert_all_listed(const char *form, const char *const *words, size_t count)
{
    char id[P11PROF_BENCH_ID_BYTES];
    for (size_t i = 0; i < count; i++) {
        snprintf(id, sizeof id, form, words[i]);
        assert_listed(id);
    }
}

#define ALL_LISTED(form, ...)                                                                      \
    assert_all_listed(form, (const char *const[]){__VA_ARGS__},                                    \
                      sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static void test_all_sizes(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 6; i++) {
        static const char *const forms[] = {"aes-128-%s-encrypt", "aes-192-%s-encrypt",
                                            "aes-256-%s-encrypt", "aes-128-%s-decrypt",
                                            "aes-192-%s-decrypt", "aes-256-%s-decrypt"};
        ALL_LISTED(forms[i], "ecb", "cbc", "cbc-pad", "ctr", "gcm", "ccm");
    }
    for (unsigned i = 0; i < 4; i++) {
        static const char *const forms[] = {"rsa-%s-sign-pss-", "rsa-%s-verify-pss-",
                                            "rsa-%s-encrypt-oaep-", "rsa-%s-decrypt-oaep-"};
        static const char *const hashes[] = {"sha1", "sha256", "sha384", "sha512"};
        for (unsigned j = 0; j < 4; j++) {
            char form[P11PROF_BENCH_ID_BYTES];
            snprintf(form, sizeof form, "%s%s", forms[i], hashes[j]);
            ALL_LISTED(form, "2048", "3072", "4096");
        }
    }
    for (unsigned i = 0; i < 4; i++) {
        static const char *const forms[] = {"aes-%s-kw-wrap", "aes-%s-kw-unwrap", "aes-%s-kwp-wrap",
                                            "aes-%s-kwp-unwrap"};
        ALL_LISTED(forms[i], "128", "192", "256");
    }
    ALL_LISTED("aes-%s-keygen", "128", "192", "256");
    ALL_LISTED("aes-%s", "cmac", "cmac-verify", "128-cmac", "128-cmac-verify", "192-cmac",
               "192-cmac-verify", "256-gmac", "256-gmac-verify");
}

static void test_all_kinds(void **state)
{
    (void)state;
    ALL_LISTED("rsa-2048-%s", "decrypt", "keygen", "sign-raw", "verify-raw", "sign-sha384",
               "verify-sha512", "sign-multipart", "verify-multipart");
    ALL_LISTED("ecdsa-%s", "p256-sign-sha256", "p384-verify-sha384", "p521-sign-sha512");
    ALL_LISTED("ed%s", "25519-sign", "25519-keygen", "448-sign", "448-verify", "448-keygen");
    ALL_LISTED("%s", "x25519-derive", "x448-derive", "x25519-keygen", "x448-keygen",
               "ecdh-p256-derive", "ec-p256-keygen");
    ALL_LISTED("sha%s", "-1", "-224", "-256", "-384", "-512", "-512-256", "3-224", "3-256", "3-384",
               "3-512", "-256-multipart", "-512-multipart");
    ALL_LISTED("hmac-%s", "sha1", "sha224", "sha256", "sha384", "sha512", "sha3-224", "sha3-256",
               "sha3-384", "sha3-512", "sha1-verify", "sha3-256-verify", "sha256-multipart");
    ALL_LISTED("des3-%s", "cbc-encrypt", "cbc-decrypt", "ecb-encrypt", "ecb-decrypt", "cmac",
               "cmac-verify", "keygen");
    ALL_LISTED("aes-256-%s", "cbc-encrypt-multipart", "cbc-decrypt-multipart",
               "gcm-encrypt-multipart", "cbc-digest-encrypt", "cbc-decrypt-digest",
               "cbc-sign-encrypt", "cbc-decrypt-verify");
    ALL_LISTED("%s", "seed-random", "random-32", "session-open-close", "login-logout",
               "find-by-label-1", "find-by-label-100", "find-by-label-1000", "get-attributes",
               "set-attribute", "object-create-destroy", "object-copy");
}

/* What is left out for the default stands before what has it, or a family would mean a variant. */
static void test_variants_follow(void **state)
{
    size_t count;
    const struct p11prof_bench_test *tests = p11prof_bench_tests(&count);
    (void)state;
    for (size_t i = 0; i < count; i++) {
        const char *part = strstr(tests[i].id, "-multipart");
        char one[P11PROF_BENCH_ID_BYTES];
        if (!part)
            continue;
        snprintf(one, sizeof one, "%.*s", (int)(part - tests[i].id), tests[i].id);
        assert_listed(one);
        assert_true(find(one) < &tests[i]);
        assert_string_equal(find(one)->family, tests[i].family);
        assert_int_equal(find(one)->operation, tests[i].operation);
        assert_int_equal(find(one)->mechanism, tests[i].mechanism);
    }
}

/* Every iteration has a name in SQL. */
static void test_operations(void **state)
{
    size_t count;
    const struct p11prof_bench_test *tests = p11prof_bench_tests(&count);
    (void)state;
    for (size_t i = 0; i < count; i++)
        if (!p11prof_operation_name(tests[i].operation))
            fail_msg("%s: operation %u has no name", tests[i].id, tests[i].operation);
    assert_string_equal(p11prof_operation_name(find("object-copy")->operation), "object-copy");
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
        assert_true(tests[i].key_kind < P11PROF_BENCH_KEY_ML_DSA ||
                    tests[i].key_kind > P11PROF_BENCH_KEY_SLH_DSA ||
                    p11prof_bench_parameter_set(tests[i].key_kind, tests[i].key_bits));
        if (tests[i].key_kind == P11PROF_BENCH_KEY_RSA || tests[i].key_kind == P11PROF_BENCH_KEY_EC)
            assert_int_equal(strtoul(size, NULL, 10), tests[i].key_bits);
        assert_true(tests[i].mechanism != CK_UNAVAILABLE_INFORMATION || !tests[i].key_bits ||
                    tests[i].iteration_calls > 0 || tests[i].operation == P11PROF_OPERATION_FIND);
        assert_true((tests[i].key_kind == P11PROF_BENCH_KEY_NONE) == (tests[i].key_bits == 0));
        assert_non_null(tests[i].steps->run);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ids),        cmocka_unit_test(test_parameter_sets),
        cmocka_unit_test(test_sizes),      cmocka_unit_test(test_all_sizes),
        cmocka_unit_test(test_all_kinds),  cmocka_unit_test(test_variants_follow),
        cmocka_unit_test(test_operations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
