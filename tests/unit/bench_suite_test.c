/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Suites: what a file says, and where it is wrong. */
#include "bench/settings.h"
#include "bench/suite.h"
#include "report/document_read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct p11prof_bench_own_key no_key = {.wanted = false};

static void the_example_is_read(void **state)
{
    static const struct {
        const char *suite, *type, *key, *algorithm;
        uint64_t data_bytes, count;
        unsigned number, line, column;
    } steps[] = {
        {"Code Signing Workflow", "sign", "code-sign-key", "", 1 << 20, 100, 1, 5, 3},
        {"Code Signing Workflow", "hash", "", "SHA-256", 1 << 20, 1000, 2, 6, 3},
        {"Code Signing Workflow", "verify", "code-sign-key", "", 1 << 20, 100, 3, 7, 3},
        {"Document Encryption Workflow", "gen_random", "", "", 32, 100, 1, 13, 3},
        {"Document Encryption Workflow", "encrypt_aes", "doc-encrypt-key", "", 10240, 500, 2, 14,
         3},
    };
    struct bench_suite suite;
    struct p11prof_error error = {0};
    (void)state;
    const char *path = P11PROF_TEST_DATA "/benchmark-suite.toml";
    char *text;
    size_t bytes;
    assert_int_equal(p11prof_document_file(path, &text, &bytes, &error), P11PROF_OK);
    if (bench_suite_parse(&suite, text, bytes, path, &error) != P11PROF_OK)
        fail_msg("%s", error.text);
    free(text);
    assert_int_equal(suite.step_count, 5);
    for (size_t i = 0; i < 5; i++) {
        const struct bench_step *step = &suite.steps[i];
        assert_string_equal(step->suite, steps[i].suite);
        assert_string_equal(step->type, steps[i].type);
        assert_string_equal(step->key, steps[i].key);
        assert_string_equal(step->algorithm, steps[i].algorithm);
        assert_int_equal(step->data_bytes, steps[i].data_bytes);
        assert_int_equal(step->measured.count, steps[i].count);
        assert_int_equal(step->measured.ns, 0);
        assert_int_equal(step->number, steps[i].number);
        assert_int_equal(step->place.line, steps[i].line);
        assert_int_equal(step->place.column, steps[i].column);
    }
    bench_suite_clear(&suite);
}

#define TESTS(operations) "[[tests]]\nname = \"a\"\noperations = [\n" operations "\n]\n"

static void refuses(const char *text, size_t bytes, const char *because)
{
    struct bench_suite suite;
    struct p11prof_error error = {0};
    if (bench_suite_parse(&suite, text, bytes, "s.toml", &error) == P11PROF_OK)
        fail_msg("this was read:\n%s", text);
    assert_int_equal(error.status, P11PROF_BAD_INPUT);
    if (!strstr(error.text, because))
        fail_msg("%s\n%s", text, error.text);
    assert_null(suite.steps);
}

static void rates_are_read(void **state)
{
    static const struct {
        const char *text;
        double rate;
        uint64_t think_time_ns;
    } steps[] = {{TESTS("{ type = \"sign\", rate = \"500/s\" }"), 500, 0},
                 {TESTS("{ type = \"sign\", rate = 20 }"), 20, 0},
                 {TESTS("{ type = \"sign\", rate = \"30/m\" }"), 0.5, 0},
                 {TESTS("{ type = \"sign\", think_time = \"5ms\" }"), 0, 5000000}};
    (void)state;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        struct bench_suite suite;
        struct p11prof_error error = {0};
        if (bench_suite_parse(&suite, steps[i].text, strlen(steps[i].text), "s.toml", &error) !=
            P11PROF_OK)
            fail_msg("%s", error.text);
        assert_true(suite.steps[0].rate == steps[i].rate);
        assert_int_equal(suite.steps[0].think_time_ns, steps[i].think_time_ns);
        bench_suite_clear(&suite);
    }
}

static void mistakes_have_their_place(void **state)
{
    static const struct {
        const char *text, *because;
    } mistakes[] = {
        {"", "s.toml:1:1: tests is missing: each test begins with [[tests]]"},
        {"# nothing\n", "s.toml:1:1: tests is missing"},
        {"tests = 3", "s.toml:1:9: tests is no list of tables"},
        {"tests = []", "s.toml:1:9: tests is empty: nothing would be run"},
        {"[tests]\nname = \"a\"", "s.toml:1:1: tests is no list of tables"},
        {"tests = [3]", "s.toml:1:10: tests has what is no table"},
        {"[test]\n", "s.toml:1:2: test is no part of a suite"},
        {"[[tests]]\nname = \"a\"", "s.toml:1:1: operations is missing: such as operations = ["},
        {"[[tests]]\nname = \"a\"\noperations = []", "s.toml:3:14: operations is empty"},
        {"[[tests]]\nname = \"a\"\noperations = 1", "s.toml:3:14: operations is no list"},
        {"[[tests]]\nname = \"a\"\noperations = [{}]", "s.toml:3:15: this operation has no type"},
        {"[[tests]]\noperations = [{type = \"sign\"}]", "s.toml:1:1: this test has no name"},
        {"[[tests]]\nname = \"\"\noperations = [{type = \"sign\"}]",
         "s.toml:2:8: name wants a text"},
        {"[[tests]]\nname = 1\noperations = [{type = \"sign\"}]", "s.toml:2:8: name wants a text"},
        {"[[tests]]\nname = \"a\"\nthreads = 1\noperations = [{type = \"sign\"}]",
         "s.toml:3:1: a test has name and operations, not 'threads'"},
        {TESTS("{ type = \"sign\" }") TESTS("{ type = \"sign\" }"),
         "s.toml:7:8: there is a test of that name already"},
        {TESTS("  { type = \"sgn\" }"),
         "s.toml:4:3: no type is called 'sgn'; did you mean 'sign'?"},
        {TESTS("{ type = \"sign\", rate = 0 }"), "s.toml:4:25: rate wants operations in a time"},
        {TESTS("{ type = \"sign\", rate = -5 }"), "rate wants operations in a time"},
        {TESTS("{ type = \"sign\", rate = \"fast\" }"), "rate wants operations in a time"},
        {TESTS("{ type = \"sign\", rate = \"2000000/s\" }"), "at most a million a second"},
        {TESTS("{ type = \"sign\", rate = [5] }"), "rate wants operations in a time"},
        {TESTS("{ type = \"sign\", rates = 5 }"), "did you mean 'rate'?"},
        {TESTS("{ type = \"sign\", think_time = 5 }"), "s.toml:4:31: think_time wants a time"},
        {TESTS("{ type = \"sign\", think_time = \"0s\" }"), "think_time wants a time"},
        {TESTS("{ type = \"sign\", rate = 5, think_time = \"1ms\" }"),
         "s.toml:4:1: rate says when operations begin"},
        {TESTS("{ type = \"sign\", iteration = 5 }"), "did you mean 'iterations'?"},
        {TESTS("{ type = \"sign\", iterations = 0 }"), "s.toml:4:31: iterations wants a number"},
        {TESTS("{ type = \"sign\", iterations = -1 }"), "iterations wants a number"},
        {TESTS("{ type = \"sign\", iterations = 1.5 }"), "iterations wants a number"},
        {TESTS("{ type = \"sign\", iterations = \"5\" }"), "iterations wants a number"},
        {TESTS("{ type = \"sign\", iterations = 9223372036854775807 }"),
         "from 1 to 281474976710656"},
        {TESTS("{ type = \"sign\", iterations = 99999999999999999999 }"), "s.toml:4:"},
        {TESTS("{ type = \"sign\", threads = 257 }"), "threads wants a number from 1 to 256"},
        {TESTS("{ type = \"sign\", duration = \"soon\" }"), "s.toml:4:29: duration wants a time"},
        {TESTS("{ type = \"sign\", duration = 5 }"), "duration wants a time"},
        {TESTS("{ type = \"hash\", data_size = \"0\" }"), "data_size wants a size"},
        {TESTS("{ type = \"hash\", data_size = \"2GB\" }"), "data_size wants a size"},
        {TESTS("{ type = \"hash\", data_size = \"-1KB\" }"), "data_size wants a size"},
        {TESTS("{ type = \"hash\", size = \"1KB\" }"), "size is of gen_random"},
        {TESTS("{ type = \"gen_random\", size = \"4B\" }"), "fewer than 8 random bytes"},
        {TESTS("{ type = \"random\", data_size = 4 }"), "fewer than 8 random bytes"},
        {TESTS("{ type = \"gen_random\", size = \"32B\", data_size = 64 }"), "give one"},
        {TESTS("{ type = \"hash\", algorithm = \"MD5\" }"), "has the algorithm 'MD5'"},
        {TESTS("{ type = \"encrypt_aes\", mechanism = \"CKM_X\" }"), "has the mechanism 'CKM_X'"},
        {TESTS("{ type = \"rsa-2048-encrypt\", data_size = \"1MB\" }"), "works on 32 bytes"},
        {TESTS("{ type = \"ecdsa-p256-sign\", data_size = \"1MB\" }"), "works on 32 bytes"},
        {TESTS("{ type = \"login-logout\" }"), "the token for itself"},
        {TESTS("{ type = \"sign\", type = \"verify\" }"), "s.toml:4:"},
        {TESTS("{ type = \"sign"), "s.toml:4:"},
        {TESTS("{ type = \"a\\u0000b\" }"), "a text with a NUL in it"},
        {TESTS("{ \"a\\u0000b\" = 1 }"), "a name with a NUL in it"},
        {"\xFF\xFE", "s.toml:1:"},
        {TESTS("{ type = \"sign\", d\xC3\xA9 = 1 }"), "s.toml:4:"},
        {TESTS("{ type = \"sign\", d\xEF\xB9\xBF = 1 }"), "s.toml:4:"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++)
        refuses(mistakes[i].text, strlen(mistakes[i].text), mistakes[i].because);
}

static void harm_is_refused(void **state)
{
    enum { DEEP = 20000, BYTES = DEEP + 64 };
    static char deep[BYTES], key[1200];
    (void)state;
    memset(deep, '[', DEEP);
    memcpy(deep, "x = ", 4);
    refuses(deep, DEEP, "s.toml:1:");
    snprintf(key, sizeof key, TESTS("{ type = \"sign\", key = \"%0999d\" }"), 1);
    refuses(key, strlen(key), "key is longer than 255 bytes");
}

/* A file that ends anywhere is refused, or is a whole suite. */
static void cut_files_are_read_or_refused(void **state)
{
    static const char text[] = TESTS("{ type = \"sign\", key = \"k\", iterations = 5 },\n"
                                     "{ type = \"hash\", algorithm = \"SHA-256\", threads = 2 }");
    struct bench_suite suite;
    struct p11prof_error error;
    (void)state;
    for (size_t bytes = 0; bytes < sizeof text - 1; bytes++) {
        if (bench_suite_parse(&suite, text, bytes, "s.toml", &error) == P11PROF_OK)
            assert_int_equal(suite.step_count, 2);
        else
            assert_non_null(strstr(error.text, "s.toml:"));
        bench_suite_clear(&suite);
    }
}

static void selects(const char *operation, const struct p11prof_bench_own_key *own_key,
                    const char *expected)
{
    char text[512];
    struct bench_suite suite;
    struct p11prof_error error = {0};
    struct p11prof_bench_selection tests;
    snprintf(text, sizeof text, TESTS("%s"), operation);
    if (bench_suite_parse(&suite, text, strlen(text), "s.toml", &error) != P11PROF_OK)
        fail_msg("%s: %s", operation, error.text);
    if (bench_step_select(&tests, &suite, &suite.steps[0], own_key, &error) != P11PROF_OK) {
        if (!strstr(error.text, expected))
            fail_msg("%s: %s", operation, error.text);
    } else {
        assert_string_equal(tests.tests[0]->id, expected);
        free(tests.tests);
    }
    bench_suite_clear(&suite);
}

static void types_mean_tests(void **state)
{
    const struct p11prof_bench_own_key rsa = {.wanted = true,
                                              .private_key = 1,
                                              .public_key = 2,
                                              .kind = P11PROF_BENCH_KEY_RSA,
                                              .bits = 3072,
                                              .can_sign = CK_TRUE,
                                              .can_verify = CK_TRUE};
    const struct p11prof_bench_own_key aes = {.wanted = true,
                                              .secret_key = 1,
                                              .kind = P11PROF_BENCH_KEY_AES,
                                              .bits = 192,
                                              .can_encrypt = CK_TRUE};
    (void)state;
    selects("{ type = \"sign\" }", &no_key, "rsa-2048-sign");
    selects("{ type = \"hash\" }", &no_key, "sha-256");
    selects("{ type = \"hash\", algorithm = \"SHA-512\" }", &no_key, "sha-512");
    selects("{ type = \"gen_random\", size = 64 }", &no_key, "random-32");
    selects("{ type = \"encrypt_aes\" }", &no_key, "aes-256-gcm-encrypt");
    selects("{ type = \"decrypt_aes\", mechanism = \"CKM_AES_CBC\" }", &no_key,
            "aes-128-cbc-decrypt");
    selects("{ type = \"sign\", mechanism = \"CKM_ECDSA\" }", &no_key, "ecdsa-p256-sign");
    selects("{ type = \"ed25519-sign\" }", &no_key, "ed25519-sign");
    selects("{ type = \"sign\", data_size = \"1MB\" }", &no_key, "rsa-2048-sign");
    selects("{ type = \"sign\", key = \"k\" }", &rsa, "rsa-3072-sign");
    selects("{ type = \"sign\", key = \"k\", mechanism = \"CKM_SHA256_RSA_PKCS_PSS\" }", &rsa,
            "rsa-3072-sign-pss-sha256");
    selects("{ type = \"encrypt_aes\", key = \"k\" }", &aes, "aes-192-gcm-encrypt");
    selects("{ type = \"decrypt_aes\", key = \"k\" }", &aes, "works with the key 'k'");
    selects("{ type = \"encrypt_aes\", key = \"k\" }", &rsa, "works with the key 'k'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_is_read),           cmocka_unit_test(rates_are_read),
        cmocka_unit_test(mistakes_have_their_place),     cmocka_unit_test(harm_is_refused),
        cmocka_unit_test(cut_files_are_read_or_refused), cmocka_unit_test(types_mean_tests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
