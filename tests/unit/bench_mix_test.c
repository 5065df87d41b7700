/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What --mix says: words, weights, and the tests that they mean. */
#include "bench/mix.h"
#include "bench/test.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct p11prof_bench_own_key no_key = {.wanted = false};

/* "word weight" of each part. */
static void reads(const char *text, const char *expected)
{
    struct bench_mix mix;
    struct p11prof_error error = {0};
    char found[512] = "", *end = found;
    if (bench_mix_read(&mix, text, &error) != P11PROF_OK)
        fail_msg("%s: %s", text, error.text);
    for (unsigned i = 0; i < mix.count; i++)
        end += snprintf(end, sizeof found - (size_t)(end - found), "%s%s %.4f", i > 0 ? "; " : "",
                        mix.words[i], mix.weights[i]);
    assert_string_equal(found, expected);
    bench_mix_clear(&mix);
}

static void refuses(const char *text, const char *because)
{
    struct bench_mix mix;
    struct p11prof_error error = {0};
    if (bench_mix_read(&mix, text, &error) == P11PROF_OK)
        fail_msg("'%s' was read", text);
    assert_int_equal(error.status, P11PROF_BAD_INPUT);
    if (!strstr(error.text, because))
        fail_msg("%s: %s", text, error.text);
    assert_int_equal(mix.count, 0);
    assert_null(mix.text);
}

static void weights_are_read(void **state)
{
    (void)state;
    reads("sign:50%,verify:30%,encrypt:20%", "sign 0.5000; verify 0.3000; encrypt 0.2000");
    reads("sign:5,verify:3,encrypt:2", "sign 0.5000; verify 0.3000; encrypt 0.2000");
    reads(" sign:1 , verify:3 ", "sign 0.2500; verify 0.7500");
    reads("sign:100%", "sign 1.0000");
    reads("sign:0.25,verify:.75", "sign 0.2500; verify 0.7500");
    reads("RSA-2048 sign (SHA-256, PKCS#1):1,random:1",
          "RSA-2048 sign (SHA-256, PKCS#1) 0.5000; random 0.5000");
    reads("sign:99.5%", "sign 1.0000");
    reads("sign:33.3%,verify:33.3%,random:33.3%", "sign 0.3333; verify 0.3333; random 0.3333");
}

static void sums_are_said(void **state)
{
    (void)state;
    refuses("sign:50%,verify:30%", "add up to 80, not to 100");
    refuses("sign:50%,verify:50.6%", "add up to 100.6, not to 100");
    refuses("sign:99.49%", "add up to 99.49, not to 100");
    refuses("sign:50%,verify:1", "percentages or weights, not both");
}

static void weights_are_numbers_above_0(void **state)
{
    static const char *const bad[] = {"0",    "-1",   "-0",   "nan",     "inf",   "1e3",
                                      "0x10", "1%%",  "%",    "1,5",     "1 000", "",
                                      "1..",  "50 %", "50%x", "9999999", ".",     "1\x1B"};
    char text[64];
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        snprintf(text, sizeof text, "sign:%s", bad[i]);
        refuses(text, strcmp(bad[i], "1,5") == 0 ? "not '5'" : "the weight of sign");
    }
}

static void parts_need_both(void **state)
{
    char many[256] = "", huge[5000];
    (void)state;
    refuses("", "tests with their weights");
    refuses("sign", "not 'sign'");
    refuses(":5", "not ':5'");
    refuses("sign:1,", "tests with their weights");
    refuses("sign:1,,verify:1", "tests with their weights");
    for (unsigned i = 0; i <= BENCH_MIX_MOST; i++)
        strcat(many, "a:1,");
    refuses(many, "at most 16");
    memset(huge, 'x', sizeof huge - 1);
    huge[sizeof huge - 1] = '\0';
    refuses(huge, "tests with their weights");
}

static void selects(const char *text, const char *expected)
{
    struct bench_mix mix;
    struct p11prof_error error = {0};
    struct p11prof_bench_selection tests;
    char found[512] = "";
    assert_int_equal(bench_mix_read(&mix, text, &error), P11PROF_OK);
    if (bench_mix_select(&tests, &mix, &no_key, &error) != P11PROF_OK) {
        assert_int_equal(error.status, P11PROF_BAD_INPUT);
        snprintf(found, sizeof found, "%s", error.text);
    } else {
        for (size_t i = 0; i < tests.count; i++)
            strcat(strcat(found, i > 0 ? "," : ""), tests.tests[i]->id);
        free(tests.tests);
    }
    bench_mix_clear(&mix);
    if (!strstr(found, expected))
        fail_msg("%s: %s", text, found);
}

/* In the order of the mix, not of the catalogue. */
static void words_mean_tests(void **state)
{
    (void)state;
    selects("verify:1,sign:1", "rsa-2048-verify,rsa-2048-sign");
    selects("random:1,hash:1,ecdsa-p256-sign:1", "random-32,sha-256,ecdsa-p256-sign");
    selects("RSA-2048 sign (SHA-256, PKCS#1):1", "rsa-2048-sign");
    selects("sgn:1", "did you mean \"sign\"?");
    selects("sign:1,rsa-2048-sign:1", "rsa-2048-sign twice");
    selects("rsa-2048-s*:1", "name one");
    selects("all:1", "name one");
    selects("login-logout:1", "the token for itself");
}

/* A key of the user's own makes tests of its size. */
static void words_fit_the_key(void **state)
{
    const struct p11prof_bench_own_key key = {.wanted = true,
                                              .private_key = 1,
                                              .public_key = 2,
                                              .kind = P11PROF_BENCH_KEY_RSA,
                                              .bits = 1024,
                                              .can_sign = CK_TRUE,
                                              .can_verify = CK_TRUE};
    struct bench_mix mix;
    struct p11prof_error error = {0};
    struct p11prof_bench_selection tests;
    (void)state;
    assert_int_equal(bench_mix_read(&mix, "verify:1,sign:2", &error), P11PROF_OK);
    assert_int_equal(bench_mix_select(&tests, &mix, &key, &error), P11PROF_OK);
    assert_string_equal(tests.tests[0]->id, "rsa-1024-verify");
    assert_string_equal(tests.tests[1]->id, "rsa-1024-sign");
    assert_true(strncmp(tests.tests[1]->name, "RSA-1024 sign", 13) == 0);
    free(tests.tests);
    bench_mix_clear(&mix);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_are_read),
        cmocka_unit_test(sums_are_said),
        cmocka_unit_test(weights_are_numbers_above_0),
        cmocka_unit_test(parts_need_both),
        cmocka_unit_test(words_mean_tests),
        cmocka_unit_test(words_fit_the_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
