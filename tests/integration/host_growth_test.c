/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Processes that live long: memory, maps, descriptors, threads and spools stay as many as they are,
 * and no call is lost. P11PROF_TEST_SOAK_S is for how long (default 4), P11PROF_TEST_LIVES how
 * often the module is loaded, initialised, finalised and closed (default 400). */
#include "host.h"

#include <stdio.h>
#include <stdlib.h>

static unsigned long setting(const char *name, unsigned long otherwise)
{
    const char *text = getenv(name);
    return text ? strtoul(text, NULL, 10) : otherwise;
}

static void say(const struct fault *fault)
{
    char line[256];
    FILE *file = fopen(fault->said_path, "r");
    while (file && fgets(line, sizeof line, file))
        printf("  %s", line);
    if (file)
        fclose(file);
}

static void grow(const struct host_case *host, const char *drain)
{
    struct fault fault;
    host_set_up(&fault, host);
    fault.end_seconds = 60 + (unsigned)host->calls / 20;
    fault.driven.limit = "64MB"; /* the default */
    host_run(&fault, host, drain);
    say(&fault);
    host_counted(&fault);
    fault_tear_down(&fault);
}

static void test_lives(void **state)
{
    const struct host_case host = {
        .scenario = "lives", .threads = 1, .calls = setting("P11PROF_TEST_LIVES", 400)};
    (void)state;
    grow(&host, "thread");
    grow(&host, "exit");
}

static void test_soak(void **state)
{
    const struct host_case host = {.scenario = "soak",
                                   .threads = 1,
                                   .calls = 1000 * setting("P11PROF_TEST_SOAK_S", 4),
                                   .varies = true};
    (void)state;
    grow(&host, "thread");
    grow(&host, "exit");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lives),
        cmocka_unit_test(test_soak),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
