/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Processes that come and go in every order: one run, a row for each of them, exactly the calls
 * that returned in them. */
#include "host.h"

#include <stdlib.h>
#include <string.h>

static const struct host_case cases[] = {
    {.scenario = "fork-crowd", .threads = 1, .calls = 1009},
    {.scenario = "fork-restart", .threads = 2, .calls = 1009},
    {.scenario = "fork-create-mutex", .threads = 2, .calls = 1009, .callbacks = true},
    {.scenario = "fork-lock-mutex", .threads = 1, .calls = 503, .callbacks = true},
    {.scenario = "programs", .threads = 1, .calls = 1009},
    {.scenario = "daemon", .threads = 2, .calls = 1009},
    {.scenario = "raw-fork", .threads = 2, .calls = 1009},
    {.scenario = "prefork", .threads = 1, .calls = 1009},
    {.scenario = "generations", .threads = 1, .calls = 503},
};

static void run_all(const char *drain)
{
    const char *only = getenv("P11PROF_TEST_SCENARIO");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (!only || strcmp(only, cases[i].scenario) == 0)
            host_test(&cases[i], drain);
}

/* TSan ends a child that starts a thread where its parent had one: "dup thread with used id". */
static void test_thread(void **state)
{
    (void)state;
#ifdef __SANITIZE_THREAD__
    skip();
#endif
    run_all("thread");
}

static void test_exit(void **state)
{
    (void)state;
    run_all("exit");
}

static void test_external(void **state)
{
    (void)state;
    run_all("external");
}

/* Who drains in the callers' threads and makes way for a fork goes on after it. */
static void test_forks_beside_drains(void **state)
{
    static const struct host_case host = {
        .scenario = "fork-on", .threads = 1, .calls = 300007, .limit = "8MB"};
    (void)state;
#ifdef __SANITIZE_THREAD__ /* its runtime is so slow that no transaction fits between two forks */
    skip();
#endif
    host_test(&host, "exit");
}

/* Where none fits, calls are counted as lost: the application does not wait for each chunk. */
static void test_forks_without_pause(void **state)
{
    static const struct host_case host = {
        .scenario = "fork-storm", .threads = 1, .calls = 300007, .limit = "8MB"};
    struct fault fault;
    (void)state;
    host_set_up(&fault, &host);
    fault.end_seconds = 60;
    host_run(&fault, &host, "exit");
    fault_counted(&fault, NULL);
    fault_tear_down(&fault);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_thread),
        cmocka_unit_test(test_exit),
        cmocka_unit_test(test_external),
        cmocka_unit_test(test_forks_beside_drains),
        cmocka_unit_test(test_forks_without_pause),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
