/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Every test of the load tool on a real token: it works and leaves nothing, a wrong result is
 * found, and an error of any call does not keep the next iteration from working. */
#include "bench_job.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ITERATIONS = 3, CALLS_MAX = 20 };

static struct bench_token token;
static CK_SESSION_HANDLE key_session; /* logged in */

/* What the tests of this file do with a test of the catalogue. */
struct bench {
    const struct p11prof_bench_test *test;
    struct p11prof_bench_key key;
    struct p11prof_bench_job job;
    CK_ULONG closed_objects;    /* before the job was opened */
    CK_ULONG objects, sessions; /* after it was */
};

/* SoftHSM knows OAEP with SHA-1 only, which its mechanisms do not say. */
static bool beyond_softhsm(const struct p11prof_bench_test *test)
{
    return strstr(test->id, "oaep-sha256");
}

/* RSA keys take long to make: tests of a size share one. SoftHSM lets them do everything. */
static struct p11prof_bench_key rsa_keys[3]; /* 2048, 3072, 4096 bits */

static bool slow(const struct p11prof_bench_test *test)
{
    return test->key_kind == P11PROF_BENCH_KEY_RSA && test->key_bits > 2048;
}

static void key_make(struct bench *bench, const struct p11prof_bench_test *test,
                     const struct p11prof_bench_own_key *own_key)
{
    struct p11prof_error error = {0};
    memset(bench, 0, sizeof *bench);
    bench->test = test;
    if (test->key_kind == P11PROF_BENCH_KEY_RSA) {
        bench->key = rsa_keys[test->key_bits / 1024 - 2];
        bench->key.own = false;
        return;
    }
    if (p11prof_bench_key_make(&bench->key, test, token.real, key_session, "p11prof-test", false,
                               own_key, &error) != CKR_OK)
        fail_msg("%s", error.text);
}

static void bench_open(struct bench *bench, const struct p11prof_bench_test *test,
                       CK_FUNCTION_LIST *timed)
{
    struct p11prof_error error = {0};
    key_make(bench, test, NULL);
    bench->closed_objects = bench_token_objects(&token, key_session);
    if (bench_job_open(&bench->job, &token, test, &bench->key, timed, token.real, &error) != CKR_OK)
        fail_msg("%s", error.text);
    bench->objects = bench_token_objects(&token, bench->job.session);
    bench->sessions = bench_token_sessions();
}

static void bench_close(struct bench *bench)
{
    p11prof_bench_job_close(&bench->job);
    if (!bench->test->alone)
        assert_int_equal(bench_token_objects(&token, bench->job.session), bench->closed_objects);
    assert_int_equal(token.real->C_CloseSession(bench->job.session), CKR_OK);
    assert_int_equal(p11prof_bench_key_destroy(&bench->key, token.real, key_session), CKR_OK);
}

static void clean_up(struct bench *bench)
{
    bench_job_clean_up(&bench->job);
    if (bench_token_objects(&token, bench->job.session) != bench->objects ||
        bench_token_sessions() != bench->sessions)
        fail_msg("%s leaves objects or sessions behind", bench->test->id);
}

static void iterate_well(struct bench *bench)
{
    CK_RV rv = bench_job_iterate(&bench->job);
    if (rv != CKR_OK)
        fail_msg("%s: %s: 0x%lx", bench->test->id, bench->job.failed_call, rv);
    if (!bench_job_right(&bench->job) || bench->job.unchecked)
        fail_msg("%s: not right", bench->test->id);
    clean_up(bench);
}

static void for_one(const struct p11prof_bench_test *test,
                    void (*body)(const struct p11prof_bench_test *test))
{
    CK_ULONG objects = bench_token_objects(&token, key_session);
    CK_ULONG sessions = bench_token_sessions();
    bench_fault = (struct bench_fault){0};
    body(test);
    assert_int_equal(bench_token_sessions(), sessions);
    if (!test->alone) /* a logout takes private session objects with it */
        assert_int_equal(bench_token_objects(&token, key_session), objects);
}

static void for_each(void (*body)(const struct p11prof_bench_test *test), bool with_slow)
{
    size_t count;
    const struct p11prof_bench_test *tests = p11prof_bench_tests(&count);
    for (size_t i = 0; i < count; i++)
        if (!beyond_softhsm(&tests[i]) && !tests[i].alone && (with_slow || !slow(&tests[i])))
            for_one(&tests[i], body);
}

static void works(const struct p11prof_bench_test *test)
{
    struct bench bench;
    bench_open(&bench, test, token.real);
    unsigned count = slow(test) && !test->data_bytes ? 1 : ITERATIONS;
    for (unsigned i = 0; i < count; i++)
        iterate_well(&bench);
    bench_close(&bench);
}

static void test_works(void **state)
{
    (void)state;
    for_each(works, true);
}

/* A second wrong iteration: what is wrong must not have become the measure. */
static void finds(const struct p11prof_bench_test *test, bool silent)
{
    struct bench bench;
    if (test->operation == P11PROF_OPERATION_VERIFY || !test->steps->check)
        return;
    bench_open(&bench, test, bench_token_faulty(&token));
    bench_fault.wrong = true;
    bench_fault.silent = silent;
    for (unsigned i = 0; i < 2; i++) {
        CK_RV rv = bench_job_iterate(&bench.job);
        bool first_random = i == 0 && test->operation == P11PROF_OPERATION_GENERATE_RANDOM;
        if (rv == CKR_OK && bench_job_right(&bench.job) && !first_random)
            fail_msg("%s: a wrong result passes", test->id);
        clean_up(&bench);
    }
    bench_fault = (struct bench_fault){0};
    iterate_well(&bench);
    bench_close(&bench);
}

static void finds_wrong(const struct p11prof_bench_test *test)
{
    finds(test, false);
}

/* An output that nobody wrote: what was right in the iteration before is not. */
static void finds_silent(const struct p11prof_bench_test *test)
{
    finds(test, true);
}

static void test_finds_wrong(void **state)
{
    (void)state;
    for_each(finds_wrong, false);
    for_each(finds_silent, false);
}

static void test_finds_false_verify(void **state)
{
    struct p11prof_error error = {0};
    struct p11prof_bench_selection selection;
    (void)state;
    assert_int_equal(p11prof_bench_select(&selection, "*-verify*", NULL, &error), P11PROF_OK);
    for (size_t i = 0; i < selection.count; i++) {
        struct bench bench;
        if (slow(selection.tests[i]))
            continue;
        bench_fault = (struct bench_fault){.verify_all = true};
        key_make(&bench, selection.tests[i], NULL);
        assert_int_not_equal(bench_job_open(&bench.job, &token, bench.test, &bench.key, token.real,
                                            bench_token_faulty(&token), &error),
                             CKR_OK);
        assert_non_null(strstr(error.text, "accepts wrong signatures"));
        p11prof_bench_key_destroy(&bench.key, token.real, key_session);
    }
    free(selection.tests);
}

/* Fails each call of an iteration in turn, then iterates well. */
static void survives(const struct p11prof_bench_test *test, struct bench_fault fault)
{
    struct bench bench;
    bool failed = true;
    bench_open(&bench, test, bench_token_faulty(&token));
    for (unsigned long call = 1; failed && call < CALLS_MAX; call++) {
        bench_fault = fault;
        bench_fault.fail_at = call;
        CK_RV rv = bench_job_iterate(&bench.job);
        failed = bench_fault.calls >= call;
        if (failed && rv == CKR_OK)
            fail_msg("%s: the error of call %lu is lost", test->id, call);
        clean_up(&bench);
        bench_fault = (struct bench_fault){0};
        iterate_well(&bench);
    }
    assert_false(failed);
    bench_close(&bench);
}

static void survives_error(const struct p11prof_bench_test *test)
{
    survives(test, (struct bench_fault){0});
}

static void survives_too_small(const struct p11prof_bench_test *test)
{
    survives(test, (struct bench_fault){.too_small = true});
}

/* Of a call that did all the same what it should; one that makes objects would have to destroy
 * them. */
static void survives_late(const struct p11prof_bench_test *test)
{
    if (p11prof_operation_name(test->operation) && test->steps->after &&
        test->operation <= P11PROF_OPERATION_FIND)
        survives(test, (struct bench_fault){.late = true});
}

static void test_survives_errors(void **state)
{
    (void)state;
    for_each(survives_error, false);
    for_each(survives_too_small, false);
    for_each(survives_late, false);
}

/* After all others, whose keys it takes. */
static void test_alone(void **state)
{
    size_t count, alone_count = 0;
    const struct p11prof_bench_test *tests = p11prof_bench_tests(&count);
    (void)state;
    for (size_t i = 0; i < count; i++) {
        if (!tests[i].alone)
            continue;
        for_one(&tests[i], works);
        for_one(&tests[i], finds_wrong);
        for_one(&tests[i], survives_error);
        alone_count++;
    }
    assert_int_equal(alone_count, 1); /* login-logout */
}

static int set_up(void **state)
{
    struct p11prof_bench_selection selection;
    struct p11prof_error error = {0};
    (void)state;
    key_session = bench_token_session(&token);
    bench_token_login(&token, key_session);
    assert_int_equal(p11prof_bench_select(&selection, "rsa-[234]*-sign", NULL, &error), P11PROF_OK);
    for (size_t i = 0; i < selection.count; i++)
        if (p11prof_bench_key_make(&rsa_keys[selection.tests[i]->key_bits / 1024 - 2],
                                   selection.tests[i], token.real, key_session, "p11prof-rsa",
                                   false, NULL, &error) != CKR_OK)
            fail_msg("%s", error.text);
    free(selection.tests);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_works),
        cmocka_unit_test(test_finds_wrong),
        cmocka_unit_test(test_finds_false_verify),
        cmocka_unit_test(test_survives_errors),
        cmocka_unit_test(test_alone),
    };
    if (!bench_token_set_up(&token))
        return 77;
    int failed = cmocka_run_group_tests(tests, set_up, NULL);
    bench_token_tear_down(&token);
    return failed;
}
