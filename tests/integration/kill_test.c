/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* SIGKILL at random moments under load from several threads: no completed call is lost and none is
 * doubled. The number of kills is P11PROF_TEST_KILLS. */
#include "driven.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static unsigned kills(void)
{
    const char *text = getenv("P11PROF_TEST_KILLS");
    return text ? (unsigned)atoi(text) : 6;
}

static void kill_one(const char *drain, unsigned number)
{
    struct driven driven;
    int status;
    driven_set_up(&driven);
    pid_t child = driven_start(&driven, "finalize", drain, 3, 400000);
    while (driven.counts->slot_count == 0) {
        assert_int_equal(waitpid(child, &status, WNOHANG), 0);
        usleep(100);
    }
    /* From the first calls to the middle of many transactions. */
    usleep((useconds_t)(rand() % 1000) * (number % 2 ? 10 : 200));
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, &status, 0), child);
    driven_collect(&driven);
    driven_assert_exact(&driven, true);
    long long lost = driven_ask(&driven, "SELECT coalesce(sum(lost_count), 0) FROM runs");
    long long rows = driven_ask(&driven, "SELECT count(*) FROM calls");
    printf("%s %u: %llu returned, %lld rows, %lld lost\n", drain, number, driven_returned(&driven),
           rows, lost);
    assert_int_equal(lost, 0);
    assert_int_equal(driven_ask(&driven, "SELECT sum(call_count) FROM processes"), rows);
    driven_tear_down(&driven);
}

static void test_kill_thread(void **state)
{
    (void)state;
    srand((unsigned)getpid());
    for (unsigned i = 0; i < kills(); i++)
        kill_one("thread", i);
}

static void test_kill_exit(void **state)
{
    (void)state;
    for (unsigned i = 0; i < (kills() + 3) / 4; i++)
        kill_one("exit", i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kill_thread),
        cmocka_unit_test(test_kill_exit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
