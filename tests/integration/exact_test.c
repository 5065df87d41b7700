/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Prime numbers of calls, from threads and forks, however the process ends: exactly as many rows.
 */
#include "driven.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

struct exact_case {
    const char *scenario;
    unsigned threads;
    unsigned long calls;
};

static const struct exact_case cases[] = {
    {"finalize", 1, 10007},   {"finalize", 4, 5003},   {"finalize", 32, 1009},
    {"exit", 1, 10007},       {"exit", 4, 5003},       {"_exit", 4, 5003},
    {"abort", 4, 5003},       {"kill", 4, 5003},       {"execve", 4, 5003},
    {"dlclose", 4, 1009},     {"again", 4, 1009},      {"uninitialized", 4, 5003},
    {"fork-before", 4, 1009}, {"fork-after", 4, 1009}, {"fork-threads", 1, 20011},
    {"daemon", 4, 5003},      {"close-fds", 4, 5003},
};

/* limit: of the spool; NULL: as driven_set_up() has it. */
static void run(const struct exact_case *exact, const char *drain, const char *limit)
{
    struct driven driven;
    int status;
    driven_set_up(&driven);
    if (limit)
        driven.limit = limit;
    pid_t child = driven_start(&driven, exact->scenario, drain, exact->threads, exact->calls);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status))
        assert_int_equal(WEXITSTATUS(status), 0);
    driven_collect(&driven);
    unsigned long long returned = driven_returned(&driven);
    long long recorded =
        driven_ask(&driven, "SELECT count(*) FROM calls WHERE function = 'C_GenerateRandom'");
    long long lost = driven_ask(&driven, "SELECT coalesce(sum(lost_count), 0) FROM runs");
    long long counted = driven_ask(&driven, "SELECT sum(call_count) FROM runs");
    printf("%s, %s, %u threads: %llu returned, %lld rows, %lld lost\n", exact->scenario, drain,
           exact->threads, returned, recorded, lost);
    assert_true(returned > 0);
    assert_int_equal(lost, 0);
    assert_int_equal(recorded, returned);
    assert_int_equal(counted, driven_ask(&driven, "SELECT count(*) FROM calls"));
    assert_int_equal(counted, driven_ask(&driven, "SELECT sum(call_count) FROM threads"));
    assert_int_equal(driven_ask(&driven, "SELECT count(*) FROM threads"),
                     driven_ask(&driven, "SELECT count(*) FROM (SELECT DISTINCT process_id, "
                                         "thread_id FROM calls)"));
    assert_int_equal(driven_ask(&driven, "SELECT count(*) FROM runs"), 1);
    assert_int_equal(/* also of forked children */
                     driven_ask(&driven,
                                "SELECT count(*) FROM processes WHERE module_path IS NULL"),
                     0);
    driven_assert_exact(&driven, false);
    driven_tear_down(&driven);
}

static void run_all(const char *drain)
{
    const char *only = getenv("P11PROF_TEST_SCENARIO");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (!only || strcmp(only, cases[i].scenario) == 0)
            run(&cases[i], drain, NULL);
}

static void test_thread(void **state)
{
    (void)state;
    run_all("thread");
}

static void test_exit(void **state)
{
    (void)state;
    run_all("exit");
}

/* A caller that finds the spool full of calls too young to be taken waits for them. */
static void test_exit_small_spool(void **state)
{
    static const struct exact_case small = {"finalize", 1, 200003};
    (void)state;
    run(&small, "exit", "1MB");
}

static void test_external(void **state)
{
    (void)state;
    run_all("external");
}

/* Children that use the handles of their parent know what it knew: `count` of two calls of C_Sign.
 */
static void children(const char *drain, int count)
{
    struct driven driven;
    int status;
    driven_set_up(&driven);
    pid_t child = driven_start(&driven, "fork-keys", drain, 1, 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    driven_collect(&driven);
    assert_int_equal(driven_ask(&driven, "SELECT count(*) FROM calls WHERE function = 'C_Sign'"),
                     2);
    assert_true(driven_ask(&driven,
                           "SELECT count(*) FROM calls JOIN processes USING (process_id) WHERE "
                           "function = 'C_Sign' AND key_type = 'CKK_AES' AND key_bits = 256 AND "
                           "key_id = 1 AND slot_id = 3 AND parent_process_id IS NOT NULL") >=
                count);
    driven_tear_down(&driven);
}

/* Who drains itself may come before its parent's last second does: the first of them. */
static void test_children(void **state)
{
    (void)state;
    children("external", 2);
    children("exit", 1);
    children("thread", 1);
}

/* Handlers that call the module on top of whatever they interrupt: nothing is lost or overwritten.
 */
static void test_signals(void **state)
{
    struct driven driven;
    int status;
    (void)state;
    driven_set_up(&driven);
    pid_t child = driven_start(&driven, "signals", "thread", 1, 1000003);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    driven_collect(&driven);
    long long returned = (long long)driven_returned(&driven);
    long long lost = driven_ask(&driven, "SELECT coalesce(sum(lost_count), 0) FROM runs");
    long long handled = (long long)driven.counts->slots[0].returned_count;
    printf("%lld calls, %lld of them from handlers, %lld lost\n", returned, handled, lost);
    assert_true(handled > 10);
    assert_int_equal(
        driven_ask(&driven, "SELECT count(*) FROM calls WHERE function = 'C_GenerateRandom'") +
            lost,
        returned);
    assert_int_equal(lost, 0);
    driven_tear_down(&driven);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_thread),           cmocka_unit_test(test_exit),
        cmocka_unit_test(test_exit_small_spool), cmocka_unit_test(test_external),
        cmocka_unit_test(test_children),         cmocka_unit_test(test_signals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
