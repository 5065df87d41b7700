/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* A process that makes no calls: its drain thread closes the database after 5 s and leaves it alone
 * until there is something to write again. */
#include "driven.h"

#include "calling.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void sleep_ms(unsigned ms)
{
    const struct timespec time = {ms / 1000, (long)(ms % 1000) * 1000000};
    nanosleep(&time, NULL);
}

static void place_set(const struct driven *driven)
{
    setenv("P11PROF_MODULE", driven->module, 1);
    setenv("P11PROF_DB", driven->db, 1);
    setenv("P11PROF_SPOOL", driven->spool, 1);
    setenv("P11PROF_DRAIN", "thread", 1);
}

/* A call, idle for long enough, another call, idle again. */
static void be_idle(const struct driven *driven)
{
    CK_FUNCTION_LIST *list;
    CK_BYTE random[8];
    place_set(driven);
    void *shim = calling_open(getenv("P11PROF_TEST_SHIM"));
    calling_entries(shim).C_GetFunctionList(&list);
    list->C_Initialize(NULL);
    sleep_ms(9000);
    list->C_GenerateRandom(1, random, sizeof random);
    sleep_ms(2000);
    list->C_Finalize(NULL);
    exit(0);
}

/* Whether one of the process's threads has the database open. */
static bool has_open(pid_t pid, const char *db)
{
    bool found = false;
    char tasks[64], fds[384], link[700], target[512];
    snprintf(tasks, sizeof tasks, "/proc/%d/task", (int)pid);
    DIR *all = opendir(tasks);
    for (struct dirent *task; all && (task = readdir(all));) {
        snprintf(fds, sizeof fds, "%s/%s/fd", tasks, task->d_name);
        DIR *open = opendir(fds);
        for (struct dirent *fd; open && (fd = readdir(open));) {
            snprintf(link, sizeof link, "%s/%s", fds, fd->d_name);
            ssize_t length = readlink(link, target, sizeof target - 1);
            target[length > 0 ? length : 0] = '\0';
            found = found || strcmp(target, db) == 0;
        }
        if (open)
            closedir(open);
    }
    if (all)
        closedir(all);
    return found;
}

static void test_idle(void **state)
{
    (void)state;
    struct driven driven;
    char events[4096];
    int status;
    driven_set_up(&driven);
    pid_t child = fork();
    if (child == 0)
        be_idle(&driven);
    sleep_ms(3000);
    assert_true(has_open(child, driven.db));
    sleep_ms(3700);
    assert_false(has_open(child, driven.db));
    int watch = inotify_init1(IN_NONBLOCK);
    inotify_add_watch(watch, driven.db, IN_OPEN | IN_MODIFY);
    sleep_ms(1800);
    assert_true(read(watch, events, sizeof events) < 0);
    sleep_ms(2000);
    assert_true(has_open(child, driven.db));
    assert_true(read(watch, events, sizeof events) > 0);
    close(watch);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    driven_collect(&driven);
    assert_int_equal(driven_ask(&driven, "SELECT call_count FROM runs"), 4);
    driven_tear_down(&driven);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_idle)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
