/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* JSON of p11perftest: names, figures, and what is not in it. */
#include "import_fixture.h"

#include "import/p11perftest_names.h"

#include <stdlib.h>
#include <string.h>

#define RESULT(members)                                                                            \
    "{\"X (CKM_AES_GCM) using aes-256\": {\"aes-256\": {\"testvec0016\": {\"algorithm\": \"X "     \
    "(CKM_AES_GCM)\", \"label\": \"aes-256\", " members "}}}}"
#define MS(value) "{\"value\": \"" value "\", \"unit\": \"ms\"}"

static void import_file(const char *name)
{
    size_t bytes;
    char *text = import_data(name, &bytes);
    if (import_bytes(P11PROF_IMPORT_UNKNOWN, text, bytes) != P11PROF_OK)
        fail_msg("%s", import_error.text);
    free(text);
}

static void reads_figures(void **state)
{
    (void)state;
    import_file("p11perftest.json");
    assert_int_equal(imported.test_count, 8);
    assert_int_equal(imported.left_count, 1);
    fixture_expect("SELECT kind || ' ' || state || ' ' || (duration_ns IS NULL) || "
                   "(host IS NULL) || ' ' || (options ->> '$.imported.started_at') FROM runs",
                   "bench finished 11 import");
    fixture_expect("SELECT group_concat(test || ' ' || coalesce(data_bytes, '') || ' ' || step, "
                   "', ') FROM (SELECT * FROM loads ORDER BY load LIMIT 6)",
                   "rsa-2048-sign 8 1, rsa-2048-sign 1024 2, ecdsa-p256-sign 64 1, "
                   "aes-256-gcm-encrypt 1024 1, aes-256-gcm-encrypt 4096 2, random-64 64 1");
    fixture_expect(
        "SELECT operation || ' ' || mechanism || ' ' || key_type || ' ' || key_bits FROM "
        "loads WHERE load = 3",
        "sign CKM_ECDSA CKK_EC 256");
    fixture_expect(
        "SELECT count || ' ' || error_count || ' ' || ops_per_s || ' ' || mean_ns || ' ' "
        "|| p95_ns || ' ' || p99_ns FROM bench_figure WHERE load = 1",
        "200 0 1240.0 806430 926353 960975");
    fixture_expect("SELECT test || ': ' || reason FROM skipped",
                   "random-seed: it ended with CKR_RANDOM_SEED_NOT_SUPPORTED");
    fixture_expect("SELECT count || ' ' || error_count || ' ' || (total_ns IS NULL) || "
                   "(mean_ns IS NULL) FROM operation_stats WHERE load = 1",
                   "200 0 11");
}

/* With option -d; newer versions group by the number of threads. */
static void reads_durations(void **state)
{
    (void)state;
    import_file("p11perftest-datapoints.json");
    fixture_expect("SELECT test || ' ' || count || ' ' || (p50_ns BETWEEN 790000 AND 810000) FROM "
                   "operation_stats WHERE load = 1",
                   "rsa-2048-sign 600 1");
    fixture_expect("SELECT count(*) FROM windows", "0");
    fixture_expect("SELECT sum(count) FROM run_histogram", "1200");
    fixture_expect("SELECT threads FROM loads WHERE load = 1", "2");
}

static void leaves_unknown_what_is_not_there(void **state)
{
    (void)state;
    assert_int_equal(
        import_text(RESULT("\"iterations\": \"7\", \"latency\": {\"average\": " MS("0.5") "}")),
        P11PROF_OK);
    fixture_expect("SELECT count || ' ' || mean_ns || ' ' || (ops_per_s IS NULL) || "
                   "(stddev_ns IS NULL) || (p99_ns IS NULL) || (duration_ns IS NULL) FROM "
                   "bench_figure",
                   "7 500000 1111");
    fixture_expect("SELECT data_bytes IS NULL FROM loads", "1");
}

static void leaves_out_nonsense(void **state)
{
    static const char *const values[] = {"\"-1\"", "\"nan\"", "\"inf\"", "\"1e300\"", "\"x\"",
                                         "\"\"",   "null",    "[]",      "{}"};
    char text[1024];
    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        snprintf(text, sizeof text,
                 RESULT("\"iterations\": \"7\", \"threads\": %s, \"latency\": {\"average\": " MS(
                     "1") ", \"p99\": {\"value\": %s, \"unit\": \"ms\"}}"),
                 values[i], values[i]);
        assert_int_equal(import_text(text), P11PROF_OK);
        fixture_expect("SELECT count(*) FROM bench_figure WHERE p99_ns IS NOT NULL", "0");
    }
    assert_int_equal(import_text(RESULT("\"iterations\": \"7\", \"latency\": {\"average\": "
                                        "{\"value\": \"1\", \"unit\": \"fortnights\"}}")),
                     P11PROF_OK);
    assert_int_equal(imported.test_count, 0);
    assert_int_equal(imported.left_count, 1);
}

/* Two such counts have a sum that no integer holds. */
static void leaves_out_what_is_too_large(void **state)
{
    (void)state;
    assert_int_equal(import_text(RESULT("\"iterations\": \"7\", \"total iterations\": "
                                        "\"4600000000000000000\", \"latency\": {\"average\": " MS(
                                            "1") "}, \"tps\": {\"global\": \"1e300\"}")),
                     P11PROF_OK);
    fixture_expect("SELECT count || ' ' || (ops_per_s IS NULL) FROM bench_figure", "7 1");
}

/* A test that we do not know may be any. */
static void takes_unknown_tests(void **state)
{
    (void)state;
    assert_int_equal(import_text("\xEF\xBB\xBF{\"New\": {\"k\": {\"v\": {\"iterations\": \"7\", "
                                 "\"latency\": {\"average\": " MS("1") "}}}}}"),
                     P11PROF_OK);
    fixture_expect("SELECT test || ' ' || (operation IS NULL) FROM loads", "new-k 1");
}

static void refuses_other_documents(void **state)
{
    static const char *const texts[] = {"{", "{}", "{\"a\": 1}", "{\"a\": {\"b\": {\"c\": 2}}}",
                                        "{\"a\": [{\"latency\": 1}]}"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_int_equal(import_text(texts[i]), P11PROF_BAD_INPUT);
        fixture_expect("SELECT count(*) FROM run", "0");
    }
}

static void names_tests(void **state)
{
    static const struct {
        const char *algorithm, *label;
        int64_t vector_bytes;
        const char *id;
        int64_t key_bits, data_bytes;
    } cases[] = {
        {"RSA Signature (CKM_SHA256_RSA_PKCS)", "rsa-4096", 8, "rsa-4096-sign", 4096, 8},
        {"RSA PSS (CKM_SHA256_RSA_PKCS_PSS)", "rsa-2048", 8, "rsa-2048-sign-pss-sha256", 2048, 8},
        {"RSA PKCS OAEP decryption SHA256", "rsa-2048", 8, "rsa-2048-decrypt-oaep-sha256", 2048, 8},
        {"RSA PKCS OAEP unwrap SHA1", "rsa-3072", 8, "rsa-3072-unwrap-oaep-sha1", 3072, 8},
        {"ECDH (CKM_ECDH1_DERIVE)", "ecdh-secp521r1-th-00001", 8, "ecdh-p521-derive", 521, 8},
        {"SHA256 HMAC (CKM_SHA256_HMAC)", "hmac-256", 16, "hmac-sha256", 256, 16},
        {"DES3 Encryption (CKM_DES3_CBC)", "des-192", 16, "des3-192-cbc-encrypt", 192, 16},
        {"Generate (C_GenerateRandom())", "rand-128", 32, "random-32", -1, 32},
        {"Find objects", "find-128", 100, "find-by-label-100", -1, -1},
        {"Some New Thing", "my key", 16, "some-new-thing-my-key", -1, 16},
        {"\u00e9\u00e9", "\u00fc", 16, "test", -1, 16},
        {"RSA Signature (CKM_SHA256_RSA_PKCS)", "", 8, "rsa-signature-ckm-sha256-rsa-pkcs", -1, 8},
    };
    struct p11prof_p11perftest_test test;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        p11prof_p11perftest_name(&test, cases[i].algorithm, cases[i].label, cases[i].vector_bytes);
        assert_string_equal(test.id, cases[i].id);
        assert_int_equal(test.key_bits, cases[i].key_bits);
        assert_int_equal(test.data_bytes, cases[i].data_bytes);
    }
}

#define TEST(function)                                                                             \
    cmocka_unit_test_setup_teardown(function, fixture_store_setup, fixture_store_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(reads_figures),
        TEST(reads_durations),
        TEST(leaves_unknown_what_is_not_there),
        TEST(leaves_out_nonsense),
        TEST(leaves_out_what_is_too_large),
        TEST(takes_unknown_tests),
        TEST(refuses_other_documents),
        cmocka_unit_test(names_tests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
