/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What is recorded is what the module itself logged: no call is shorter, and p50, p95 and p99 agree
 * within 2 % and a clock read. */
#include "../modules/call_log.h"
#include "driven.h"

#include "p11prof/calls.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DISTURBED_NS = 10000 };

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

/* What the module says of a call, and what is recorded of it. */
struct pair {
    uint64_t thread_id, said_ns, recorded_ns;
};

/* The calls of one function in the module's own log; each thread's in their order. */
static struct pair *log_read(const char *path, unsigned function, size_t *count)
{
    struct call_log_entry entry;
    struct pair *pairs = NULL;
    size_t capacity = 0;
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    *count = 0;
    while (fread(&entry, sizeof entry, 1, file) == 1) {
        if (entry.function != function)
            continue;
        if (*count == capacity) {
            capacity = capacity ? capacity * 2 : 4096;
            pairs = realloc(pairs, capacity * sizeof *pairs);
            assert_non_null(pairs);
        }
        pairs[(*count)++] =
            (struct pair){.thread_id = entry.thread_id, .said_ns = entry.duration_ns};
    }
    fclose(file);
    return pairs;
}

/* A thread's n-th call in the log is its n-th call in the database. */
static void recorded_read(struct driven *driven, struct pair *pairs, size_t count)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    size_t rows = 0;
    assert_int_equal(sqlite3_open_v2(driven->db, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db,
                                        "SELECT thread_id, duration_ns FROM calls WHERE "
                                        "function = 'C_GenerateRandom' ORDER BY start_ns",
                                        -1, &statement, NULL),
                     SQLITE_OK);
    for (; sqlite3_step(statement) == SQLITE_ROW; rows++) {
        struct pair *pair = pairs;
        while (
            pair < pairs + count &&
            (pair->recorded_ns || pair->thread_id != (uint64_t)sqlite3_column_int64(statement, 0)))
            pair++;
        assert_true(pair < pairs + count);
        pair->recorded_ns = (uint64_t)sqlite3_column_int64(statement, 1);
    }
    sqlite3_finalize(statement);
    sqlite3_close(db);
    assert_int_equal(rows, count);
}

/* Drops the calls that something held up for long between the module's last clock read and ours:
 * preempted, or a page of memory that the hypervisor had taken. What is left, and in order. */
static size_t undisturbed(struct pair *pairs, size_t count)
{
    size_t left = 0;
    for (size_t i = 0; i < count; i++)
        if (pairs[i].recorded_ns < pairs[i].said_ns + DISTURBED_NS)
            pairs[left++] = pairs[i];
    return left;
}

static int by_said(const void *left, const void *right)
{
    uint64_t a = ((const struct pair *)left)->said_ns, b = ((const struct pair *)right)->said_ns;
    return a < b ? -1 : a > b;
}

static int by_recorded(const void *left, const void *right)
{
    uint64_t a = ((const struct pair *)left)->recorded_ns;
    uint64_t b = ((const struct pair *)right)->recorded_ns;
    return a < b ? -1 : a > b;
}

static bool compare(struct driven *driven, const struct truth_case *truth, const char *log)
{
    static const unsigned percents[] = {50, 95, 99};
    uint64_t said_ns[3], found_ns[3];
    size_t count;
    struct pair *pairs = log_read(log, P11PROF_C_GenerateRandom, &count);
    uint64_t overhead_ns = (uint64_t)driven_ask(driven, "SELECT overhead_ns FROM processes");
    assert_int_equal(count, truth->threads * truth->calls);
    recorded_read(driven, pairs, count);
    size_t left = undisturbed(pairs, count);
    bool agrees = left >= count - count / 50;
    for (size_t i = 0; i < left; i++)
        assert_true(pairs[i].recorded_ns >= pairs[i].said_ns);
    qsort(pairs, left, sizeof *pairs, by_said);
    for (size_t i = 0; i < 3; i++)
        said_ns[i] = pairs[(left * percents[i] + 99) / 100 - 1].said_ns;
    qsort(pairs, left, sizeof *pairs, by_recorded);
    for (size_t i = 0; i < 3; i++) {
        found_ns[i] = pairs[(left * percents[i] + 99) / 100 - 1].recorded_ns;
        /* The module's log and our two clock reads lie between what it says and what we see. */
        uint64_t most_ns = said_ns[i] + said_ns[i] / 50 + overhead_ns + 100;
        printf("%s, %u threads: p%u %llu ns in the module's log, %llu ns recorded (%+.2f %%), "
               "%zu of %zu calls\n",
               truth->delay, truth->threads, percents[i], (unsigned long long)said_ns[i],
               (unsigned long long)found_ns[i],
               100 * ((double)found_ns[i] / (double)said_ns[i] - 1), left, count);
        agrees = agrees && found_ns[i] <= most_ns;
    }
    free(pairs);
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

/* A machine that disturbs more than one call in fifty gets another chance. */
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
