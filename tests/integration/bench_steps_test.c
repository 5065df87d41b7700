/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Every test of the load tool that a token can do: it works and leaves nothing, and a wrong result
 * is found. */
#include "bench_each.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ITERATIONS = 3 };

static size_t worked_count;

static void works(const struct p11prof_bench_test *test)
{
    struct bench bench;
    bench_open(&bench, test, bench_token.real);
    worked_count++;
    unsigned count = bench_is_slow(test) ? 1 : ITERATIONS;
    for (unsigned i = 0; i < count; i++)
        bench_iterate_well(&bench);
    bench_close(&bench);
}

static void test_works(void **state)
{
    (void)state;
    bench_for_each(works, true);
    /* Of 250 without those of 3.x: a token that says it can do nothing is none. */
    assert_true(worked_count > 180);
}

/* A second wrong iteration: what is wrong must not have become the measure. */
static void finds(const struct p11prof_bench_test *test, struct bench_fault fault)
{
    struct bench bench;
    if (test->operation == P11PROF_OPERATION_VERIFY || !test->steps->check ||
        test->operation == P11PROF_OPERATION_SEED_RANDOM) /* its result is the token's state */
        return;
    bench_open(&bench, test, bench_token_faulty(&bench_token));
    bench_fault = fault;
    for (unsigned i = 0; i < 2; i++) {
        CK_RV rv = bench_job_iterate(&bench.job);
        bool first_random = i == 0 && test->operation == P11PROF_OPERATION_GENERATE_RANDOM;
        if (rv == CKR_OK && bench_job_right(&bench.job) && !first_random)
            fail_msg("%s: a wrong result passes", test->id);
        bench_clean_up(&bench);
    }
    bench_fault = (struct bench_fault){0};
    bench_iterate_well(&bench);
    bench_close(&bench);
}

static void finds_wrong(const struct p11prof_bench_test *test)
{
    finds(test, (struct bench_fault){.wrong = true});
}

/* An output that nobody wrote: what was right in the iteration before is not. */
static void finds_silent(const struct p11prof_bench_test *test)
{
    finds(test, (struct bench_fault){.wrong = true, .silent = true});
}

/* Of two operations at once each is checked. */
static void finds_either(const struct p11prof_bench_test *test)
{
    if (strcmp(test->family, "combined") != 0)
        return;
    finds(test, (struct bench_fault){.wrong = true, .parts_only = true});
    if (test->operation != P11PROF_OPERATION_DECRYPT_VERIFY) /* its end is an answer only */
        finds(test, (struct bench_fault){.wrong = true, .ends_only = true});
}

static void test_finds_wrong(void **state)
{
    (void)state;
    bench_for_each(finds_wrong, false);
    bench_for_each(finds_silent, false);
    bench_for_each(finds_either, false);
}

/* With one key and the same data, outputs are the same only if their nonces are. */
static void never_repeats(const struct p11prof_bench_test *test)
{
    struct bench benches[2];
    CK_BYTE seen[4][16];
    bool tagged = strstr(test->id, "-gcm-encrypt") || strstr(test->id, "-ccm-encrypt") ||
                  (strstr(test->id, "-gmac") && test->operation == P11PROF_OPERATION_SIGN);
    if (!tagged)
        return;
    bench_open(&benches[0], test, bench_token.real);
    benches[1] = benches[0];
    if (bench_job_open(&benches[1].job, &bench_token, test, &benches[0].key, bench_token.real,
                       bench_token.real, NULL) != CKR_OK)
        fail_msg("%s", test->id);
    for (unsigned i = 0; i < 4; i++) {
        struct p11prof_bench_job *job = &benches[i / 2].job;
        assert_int_equal(bench_job_iterate(job), CKR_OK);
        memcpy(seen[i], job->out, sizeof seen[i]);
        for (unsigned j = 0; j < i; j++)
            if (memcmp(seen[i], seen[j], sizeof seen[i]) == 0)
                fail_msg("%s: a nonce comes twice", test->id);
        bench_job_clean_up(job);
    }
    bench_job_close(&benches[1].job);
    bench_close(&benches[0]);
}

static void test_never_repeats(void **state)
{
    (void)state;
    bench_for_each(never_repeats, false);
}

static void test_finds_false_verify(void **state)
{
    struct p11prof_error error = {0};
    struct p11prof_bench_selection selection;
    (void)state;
    assert_int_equal(p11prof_bench_select(&selection, "*-verify*", NULL, &error), P11PROF_OK);
    for (size_t i = 0; i < selection.count; i++) {
        struct bench bench;
        if (bench_is_slow(selection.tests[i]) || !bench_is_there(selection.tests[i]))
            continue;
        bench_fault = (struct bench_fault){.verify_all = true};
        bench_key_make(&bench, selection.tests[i]);
        assert_int_not_equal(bench_job_open(&bench.job, &bench_token, bench.test, &bench.key,
                                            bench_token.real, bench_token_faulty(&bench_token),
                                            &error),
                             CKR_OK);
        assert_non_null(strstr(error.text, "accepts wrong signatures"));
        p11prof_bench_key_destroy(&bench.key, bench_token.real, bench_key_session);
    }
    free(selection.tests);
}

/* After all others, whose keys it takes. */
static void test_alone(void **state)
{
    (void)state;
    bench_for_alone(works);
    bench_for_alone(finds_wrong);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_works),         cmocka_unit_test(test_finds_wrong),
        cmocka_unit_test(test_never_repeats), cmocka_unit_test(test_finds_false_verify),
        cmocka_unit_test(test_alone),
    };
    if (!bench_token_set_up(&bench_token))
        return 77;
    int failed = cmocka_run_group_tests(tests, bench_each_set_up, bench_each_tear_down);
    bench_token_tear_down(&bench_token);
    return failed;
}
