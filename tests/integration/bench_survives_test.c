/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* An error of any call, of an iteration or while a test is prepared, does not keep what comes next
 * from working. */
#include "bench_each.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { CALLS_MAX = 20, OPENING_CALLS_MAX = 60 };

/* Fails each call of an iteration in turn, then iterates well. */
static void survives(const struct p11prof_bench_test *test, struct bench_fault fault)
{
    struct bench bench;
    bool failed = true;
    bench_open(&bench, test, bench_token_faulty(&bench_token));
    for (unsigned long call = 1; failed && call < CALLS_MAX; call++) {
        bench_fault = fault;
        bench_fault.fail_at = call;
        CK_RV rv = bench_job_iterate(&bench.job);
        failed = bench_fault.calls >= call;
        if (failed && rv == CKR_OK)
            fail_msg("%s: the error of call %lu is lost", test->id, call);
        bench_clean_up(&bench);
        bench_fault = (struct bench_fault){0};
        bench_iterate_well(&bench);
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
    bench_for_each(survives_error, false);
    bench_for_each(survives_too_small, false);
    bench_for_each(survives_late, false);
}

/* Whatever call of an opening fails, late: another job can be opened in the same session. */
static void opens_again(const struct p11prof_bench_test *test)
{
    struct bench bench;
    struct p11prof_error error = {0};
    CK_FUNCTION_LIST *faulty = bench_token_faulty(&bench_token);
    bool failed = true;
    if (test->operation > P11PROF_OPERATION_FIND && strcmp(test->family, "combined") != 0)
        return;
    bench_key_make(&bench, test);
    CK_SESSION_HANDLE session = bench_token_session(&bench_token);
    for (unsigned long call = 1; failed && call < OPENING_CALLS_MAX; call++) {
        struct p11prof_bench_job job = {
            .test = test, .key = &bench.key, .timed = faulty, .raw = faulty, .session = session};
        struct p11prof_bench_job next = job;
        bench_fault = (struct bench_fault){.fail_at = call, .late = true};
        CK_RV rv = p11prof_bench_job_open(&job, test->data_bytes, &error);
        failed = bench_fault.calls >= call;
        bench_fault = (struct bench_fault){0};
        if (rv == CKR_OK)
            p11prof_bench_job_close(&job);
        if (p11prof_bench_job_open(&next, test->data_bytes, &error) != CKR_OK)
            fail_msg("after call %lu of the opening of another: %s", call, error.text);
        p11prof_bench_job_close(&next);
    }
    assert_false(failed);
    assert_int_equal(bench_token.real->C_CloseSession(session), CKR_OK);
    assert_int_equal(p11prof_bench_key_destroy(&bench.key, bench_token.real, bench_key_session),
                     CKR_OK);
}

static void test_opens_again(void **state)
{
    (void)state;
    bench_for_each(opens_again, false);
}

static void test_alone(void **state)
{
    (void)state;
    bench_for_alone(survives_error);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_survives_errors),
        cmocka_unit_test(test_opens_again),
        cmocka_unit_test(test_alone),
    };
    if (!bench_token_set_up(&bench_token))
        return 77;
    int failed = cmocka_run_group_tests(tests, bench_each_set_up, bench_each_tear_down);
    bench_token_tear_down(&bench_token);
    return failed;
}
