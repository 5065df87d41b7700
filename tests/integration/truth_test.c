/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What is recorded is what the module itself logged: p50, p95 and p99 within 2 % and a clock read.
 */
#include "../modules/call_log.h"
#include "driven.h"

#include "p11prof/calls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct truth_case {
    const char *delay;
    unsigned threads;
    unsigned long calls;
    bool blocking;
};

static const struct truth_case cases[] = {
    {.delay = "constant:200us", .threads = 1, .calls = 4001},
    {.delay = "mixed:200us", .threads = 1, .calls = 4001},
    {.delay = "sleep:1ms", .threads = 4, .calls = 1009},
};

static int ascending(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return a < b ? -1 : a > b;
}

/* Durations of one function in the module's own log, sorted. */
static uint64_t *log_read(const char *path, unsigned function, size_t *count)
{
    struct call_log_entry entry;
    uint64_t *durations = NULL;
    size_t capacity = 0;
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    *count = 0;
    while (fread(&entry, sizeof entry, 1, file) == 1) {
        if (entry.function != function)
            continue;
        if (*count == capacity) {
            capacity = capacity ? capacity * 2 : 4096;
            durations = realloc(durations, capacity * sizeof *durations);
        }
        durations[(*count)++] = entry.duration_ns;
    }
    fclose(file);
    qsort(durations, *count, sizeof *durations, ascending);
    return durations;
}

/* The ⌈n·p⌉-th smallest of what was recorded; p in percent. */
static uint64_t recorded(struct driven *driven, size_t count, unsigned percent)
{
    char query[256];
    snprintf(query, sizeof query,
             "SELECT duration_ns FROM calls WHERE function = 'C_GenerateRandom' "
             "ORDER BY duration_ns LIMIT 1 OFFSET %zu",
             (count * percent + 99) / 100 - 1);
    return (uint64_t)driven_ask(driven, query);
}

static bool compare(struct driven *driven, const struct truth_case *truth, const char *log)
{
    bool agrees = true;
    static const unsigned percents[] = {50, 95, 99};
    size_t count;
    uint64_t *durations = log_read(log, P11PROF_C_GenerateRandom, &count);
    uint64_t overhead_ns = (uint64_t)driven_ask(driven, "SELECT overhead_ns FROM processes");
    assert_int_equal(count, truth->threads * truth->calls);
    for (size_t i = 0; i < sizeof percents / sizeof *percents; i++) {
        uint64_t said = durations[(count * percents[i] + 99) / 100 - 1];
        uint64_t found = recorded(driven, count, percents[i]);
        /* The module's log and our two clock reads lie between what it says and what we see. */
        uint64_t most = said + said / 50 + overhead_ns + 100;
        printf("%s, %u threads: p%u %llu ns in the module's log, %llu ns recorded (%+.2f %%)\n",
               truth->delay, truth->threads, percents[i], (unsigned long long)said,
               (unsigned long long)found, 100 * ((double)found / (double)said - 1));
        agrees = agrees && found >= said && found <= most;
    }
    free(durations);
    return agrees;
}

static bool run_once(const struct truth_case *truth, const char *clock)
{
    struct driven driven;
    char log[320];
    int status;
    driven_set_up(&driven);
    driven.module = getenv("P11PROF_TEST_DELAY_MODULE");
    snprintf(log, sizeof log, "%s/delays", driven.folder);
    setenv("P11PROF_TEST_DELAY", truth->delay, 1);
    setenv("P11PROF_TEST_DELAY_LOG", log, 1);
    setenv("P11PROF_CLOCK", clock, 1);
    pid_t child = driven_start(&driven, "finalize", "thread", truth->threads, truth->calls);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    driven_collect(&driven);
    bool agrees = compare(&driven, truth, log);
    driven_tear_down(&driven);
    return agrees;
}

/* A machine that preempts us just outside the module's own clock reads, once in a hundred calls,
 * gets another chance. */
static void run(const struct truth_case *truth, const char *clock)
{
    assert_true(run_once(truth, clock) || run_once(truth, clock) || run_once(truth, clock));
}

static void test_default_clock(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        run(&cases[i], "auto");
}

static void test_monotonic_clock(void **state)
{
    (void)state;
    run(&cases[1], "monotonic");
}

/* A wait for a slot event is a kind of its own: no total and no percentile knows it. */
static void test_blocking(void **state)
{
    struct driven driven;
    int status;
    (void)state;
    driven_set_up(&driven);
    driven.module = getenv("P11PROF_TEST_DELAY_MODULE");
    unsetenv("P11PROF_TEST_DELAY");
    pid_t child = driven_start(&driven, "wait", "thread", 1, 3);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    driven_collect(&driven);
    assert_int_equal(driven_ask(&driven,
                                "SELECT count(*) FROM calls WHERE kind = 'blocking' AND "
                                "function = 'C_WaitForSlotEvent' AND duration_ns > 90000000"),
                     3);
    assert_int_equal(
        driven_ask(&driven,
                   "SELECT count(*) FROM calls WHERE kind = 'call' AND duration_ns > 90000000"),
        0);
    driven_tear_down(&driven);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_default_clock),
        cmocka_unit_test(test_monotonic_clock),
        cmocka_unit_test(test_blocking),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
