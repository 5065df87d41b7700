/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "bench_each.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct bench_token bench_token;
CK_SESSION_HANDLE bench_key_session;

static struct p11prof_bench_token_facts facts;
static bool is_softhsm;

/* SoftHSM knows OAEP with SHA-1 only, which its mechanisms do not say, and of no two operations at
 * once. Our own token agrees on X25519 and X448 only. */
bool bench_is_there(const struct p11prof_bench_test *test)
{
    char reason[P11PROF_BENCH_REASON_BYTES];
    const char *oaep = strstr(test->id, "oaep-");
    if (is_softhsm &&
        ((oaep && strcmp(oaep, "oaep-sha1") != 0) || strcmp(test->family, "combined") == 0))
        return false;
    return (is_softhsm || strncmp(test->id, "ecdh-", 5) != 0) &&
           p11prof_bench_offered(test, &facts, NULL, reason);
}

/* RSA keys take long to make: tests of a size share one. SoftHSM lets them do everything. */
static struct p11prof_bench_key rsa_keys[3]; /* 2048, 3072, 4096 bits */

/* What is done once: RSA takes time, and with another hash it fails no other way. */
bool bench_is_slow(const struct p11prof_bench_test *test)
{
    bool variant = strstr(test->id, "sha384") || strstr(test->id, "sha512") ||
                   strstr(test->id, "pss-sha1") || strstr(test->id, "-raw");
    bool slow_rsa = test->key_kind == P11PROF_BENCH_KEY_RSA && (test->key_bits > 2048 || variant);
    return slow_rsa || strcmp(test->id, "find-by-label-1000") == 0;
}

void bench_key_make(struct bench *bench, const struct p11prof_bench_test *test)
{
    struct p11prof_error error = {0};
    memset(bench, 0, sizeof *bench);
    bench->test = test;
    if (test->key_kind == P11PROF_BENCH_KEY_RSA) {
        bench->key = rsa_keys[test->key_bits / 1024 - 2];
        bench->key.own = false;
        return;
    }
    if (p11prof_bench_key_make(&bench->key, test, bench_token.real, bench_key_session,
                               "p11prof-test", false, NULL, &error) != CKR_OK)
        fail_msg("%s", error.text);
}

void bench_open(struct bench *bench, const struct p11prof_bench_test *test, CK_FUNCTION_LIST *timed)
{
    struct p11prof_error error = {0};
    bench_key_make(bench, test);
    bench->closed_objects = bench_token_objects(&bench_token, bench_key_session);
    if (bench_job_open(&bench->job, &bench_token, test, &bench->key, timed, bench_token.real,
                       &error) != CKR_OK)
        fail_msg("%s", error.text);
    bench->objects = bench_token_objects(&bench_token, bench->job.session);
    bench->sessions = bench_token_sessions();
}

void bench_close(struct bench *bench)
{
    p11prof_bench_job_close(&bench->job);
    if (!bench->test->alone)
        assert_int_equal(bench_token_objects(&bench_token, bench->job.session),
                         bench->closed_objects);
    assert_int_equal(bench_token.real->C_CloseSession(bench->job.session), CKR_OK);
    assert_int_equal(p11prof_bench_key_destroy(&bench->key, bench_token.real, bench_key_session),
                     CKR_OK);
}

void bench_clean_up(struct bench *bench)
{
    bench_job_clean_up(&bench->job);
    if (bench_token_objects(&bench_token, bench->job.session) != bench->objects ||
        bench_token_sessions() != bench->sessions)
        fail_msg("%s leaves objects or sessions behind", bench->test->id);
}

void bench_iterate_well(struct bench *bench)
{
    CK_RV rv = bench_job_iterate(&bench->job);
    if (rv != CKR_OK)
        fail_msg("%s: %s: 0x%lx", bench->test->id, bench->job.failed_call, rv);
    if (!bench_job_right(&bench->job) || bench->job.unchecked)
        fail_msg("%s: not right", bench->test->id);
    bench_clean_up(bench);
}

void bench_for_one(const struct p11prof_bench_test *test,
                   void (*body)(const struct p11prof_bench_test *test))
{
    CK_ULONG objects = bench_token_objects(&bench_token, bench_key_session);
    CK_ULONG sessions = bench_token_sessions();
    bench_fault = (struct bench_fault){0};
    body(test);
    assert_int_equal(bench_token_sessions(), sessions);
    if (!test->alone) /* a logout takes private session objects with it */
        assert_int_equal(bench_token_objects(&bench_token, bench_key_session), objects);
}

void bench_for_each(void (*body)(const struct p11prof_bench_test *test), bool with_slow)
{
    size_t count;
    const struct p11prof_bench_test *tests = p11prof_bench_tests(&count);
    for (size_t i = 0; i < count; i++)
        if (bench_is_there(&tests[i]) && !tests[i].alone &&
            (with_slow || !bench_is_slow(&tests[i])))
            bench_for_one(&tests[i], body);
}

void bench_for_alone(void (*body)(const struct p11prof_bench_test *test))
{
    size_t count, alone_count = 0;
    const struct p11prof_bench_test *tests = p11prof_bench_tests(&count);
    for (size_t i = 0; i < count; i++) {
        if (!tests[i].alone)
            continue;
        bench_for_one(&tests[i], body);
        alone_count++;
    }
    assert_int_equal(alone_count, 1); /* login-logout */
}

int bench_each_set_up(void **state)
{
    struct p11prof_bench_selection selection;
    struct p11prof_error error = {0};
    (void)state;
    bench_key_session = bench_token_session(&bench_token);
    bench_token_login(&bench_token, bench_key_session);
    facts = bench_token_facts(&bench_token);
    is_softhsm = bench_token.folder[0];
    assert_int_equal(p11prof_bench_select(&selection, "rsa-[234]*-sign", NULL, &error), P11PROF_OK);
    for (size_t i = 0; i < selection.count; i++)
        if (p11prof_bench_key_make(&rsa_keys[selection.tests[i]->key_bits / 1024 - 2],
                                   selection.tests[i], bench_token.real, bench_key_session,
                                   "p11prof-rsa", false, NULL, &error) != CKR_OK)
            fail_msg("%s", error.text);
    free(selection.tests);
    return 0;
}

int bench_each_tear_down(void **state)
{
    (void)state;
    free(facts.mechanisms);
    free(facts.infos);
    return 0;
}
