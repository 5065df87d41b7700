/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Modules that misbehave inside a call: the application ends as it ends without us, every call
 * that returned is recorded, and one that did not is named. */
#include "driven.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CALLS = 1003, ODD_AT = 500, HANG_MS = 20000 };

static const char *const drains[] = {"thread", "exit", "external"};

struct odd_case {
    const char *what;
    unsigned long long returned_count; /* calls until the application's end */
    bool never_returns;                /* it is killed while it waits */
};

static const struct odd_case cases[] = {
    {"exits", ODD_AT - 1, false},  {"quits", ODD_AT - 1, false}, {"aborts", ODD_AT - 1, false},
    {"faults", ODD_AT - 1, false}, {"hangs", ODD_AT - 1, true},  {"masks", CALLS, false},
    {"computes", CALLS, false},    {"closes", CALLS, false},     {"forks", CALLS, false},
    {"vendor", CALLS, false},
};

/* No core, and no handlers of sanitizers: it ends as it ends without them. */
static void quiet(const struct driven *driven)
{
    static const char *const variables[] = {"ASAN_OPTIONS", "TSAN_OPTIONS"};
    const struct rlimit none = {0, 0};
    (void)driven;
    setrlimit(RLIMIT_CORE, &none);
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        char options[1024];
        const char *before = getenv(variables[i]);
        snprintf(options, sizeof options, "%s handle_segv=0 handle_abort=0", before ? before : "");
        setenv(variables[i], options, 1);
    }
}

/* How the application ends; `shim` is what it loads. */
static int run(struct driven *driven, const struct odd_case *odd, const char *drain)
{
    int status;
    driven->module = getenv("P11PROF_TEST_ODD_MODULE");
    driven->in_child = quiet;
    setenv("P11PROF_TEST_ODD", odd->what, 1);
    pid_t child = driven_start(driven, "finalize", drain, 1, CALLS);
    if (odd->never_returns) {
        for (int i = 0; i < HANG_MS && driven_returned(driven) < odd->returned_count; i++)
            usleep(1000);
        usleep(50000);
        kill(child, SIGKILL);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static int run_without_us(const struct odd_case *odd)
{
    struct driven driven;
    char *shim = strdup(getenv("P11PROF_TEST_SHIM"));
    driven_set_up(&driven);
    setenv("P11PROF_TEST_SHIM", getenv("P11PROF_TEST_ODD_MODULE"), 1);
    int status = run(&driven, odd, "external");
    setenv("P11PROF_TEST_SHIM", shim, 1);
    free(shim);
    close(driven.end);
    assert_int_equal(driven_returned(&driven), odd->returned_count);
    driven_tear_down(&driven);
    return status;
}

static void assert_recorded(struct driven *driven, const struct odd_case *odd)
{
    bool ended = odd->returned_count == CALLS;
    assert_int_equal(driven_returned(driven), odd->returned_count);
    driven_assert_exact(driven, false);
    assert_int_equal(driven_ask(driven, "SELECT sum(lost_count) FROM runs"), 0);
    assert_int_equal(driven_ask(driven, "SELECT count(*) FROM in_flight WHERE function = "
                                        "'C_GenerateRandom'"),
                     !ended);
    assert_int_equal(driven_ask(driven, "SELECT count(*) FROM calls WHERE function = 'C_Finalize'"),
                     ended);
}

static void one(const struct odd_case *odd)
{
    int expected = run_without_us(odd);
    for (size_t i = 0; i < sizeof drains / sizeof *drains; i++) {
        struct driven driven;
        driven_set_up(&driven);
        int status = run(&driven, odd, drains[i]);
        printf("%s, %s: status 0x%x, without us 0x%x\n", odd->what, drains[i], (unsigned)status,
               (unsigned)expected);
        assert_int_equal(status, expected);
        driven_collect(&driven);
        assert_recorded(&driven, odd);
        if (strcmp(odd->what, "vendor") == 0)
            assert_int_equal(driven_ask(&driven, "SELECT count(*) FROM calls WHERE rv_code = CASE "
                                                 "out_bytes % 6 WHEN 0 THEN 0x80000001 "
                                                 "WHEN 1 THEN 0xCE534351 WHEN 2 THEN 0xffffffff "
                                                 "WHEN 3 THEN 1 << 32 WHEN 4 THEN 1 << 63 "
                                                 "ELSE -1 END AND rv LIKE '0x%'"),
                             CALLS);
        driven_tear_down(&driven);
    }
}

static void test_odd_calls(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        one(&cases[i]);
}

/* A module that dies in C_Initialize is named too. */
static void test_crash_in_initialize(void **state)
{
    struct driven driven;
    int status;
    (void)state;
    driven_set_up(&driven);
    driven.module = getenv("P11PROF_TEST_CRASHES_MODULE");
    driven.in_child = quiet;
    pid_t child = driven_start(&driven, "finalize", "thread", 1, CALLS);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    driven_collect(&driven);
    assert_int_equal(
        driven_ask(&driven, "SELECT count(*) FROM in_flight WHERE function = 'C_Initialize'"), 1);
    assert_int_equal(driven_ask(&driven, "SELECT count(*) FROM calls WHERE function = "
                                         "'C_GetFunctionList'"),
                     1);
    driven_tear_down(&driven);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_odd_calls),
        cmocka_unit_test(test_crash_in_initialize),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
