/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Sandboxes: system calls that are refused, and all that are not on the list of docs/reliability.md
 * forbidden on pain of death. */
#include "host.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- refused --- */

static struct {
    unsigned numbers[2];
    unsigned error;
} refused;

static void refuse(const struct driven *driven)
{
    (void)driven;
    const struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, refused.numbers[0], 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, refused.numbers[1], 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | refused.error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {.len = sizeof filter / sizeof *filter,
                                       .filter = (struct sock_filter *)filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        _exit(96);
}

static bool filters_work(void)
{
    return prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0;
}

static void with_refused(const char *scenario, unsigned threads, unsigned first, unsigned second)
{
    static const unsigned errors[] = {EPERM, ENOSYS};
    const struct host_case host = {
        .scenario = scenario, .threads = threads, .calls = 1009, .in_child = refuse};
    for (size_t i = 0; i < 2; i++) {
        refused.numbers[0] = first;
        refused.numbers[1] = second;
        refused.error = errors[i];
        host_test(&host, "auto");
    }
}

static void test_no_clone(void **state)
{
    (void)state;
    if (!filters_work())
        skip();
    with_refused("looks", 1, SYS_clone, SYS_clone3);
}

/* The drain's thread shares its descriptors with the application then. */
static void test_no_close_range(void **state)
{
    (void)state;
    if (!filters_work())
        skip();
    with_refused("looks", 2, SYS_close_range, SYS_unshare);
#if defined(__SANITIZE_THREAD__)
    skip(); /* for it, closing a descriptor that others use is a race: here it is meant */
#endif
    with_refused("thief", 20, SYS_close_range, SYS_unshare);
}

/* --- answered by the application's own handler --- */

/* Neither the thread nor a caller blocks SIGSYS: the kernel would kill it. */
static void test_broker(void **state)
{
    static const char *const drains[] = {"thread", "exit", "external"};
    static const struct host_case host = {.scenario = "broker", .threads = 1, .calls = 20011};
    (void)state;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    skip(); /* their runtime takes the handler's place */
#endif
    if (!filters_work())
        skip();
    for (size_t drain = 0; drain < 3; drain++)
        host_test(&host, drains[drain]);
}

/* What fails within a call is not seen by the application. */
static void test_no_wake(void **state)
{
    static const struct host_case host = {.scenario = "no-wake", .threads = 1, .calls = 100003};
    (void)state;
#if defined(__SANITIZE_THREAD__)
    skip(); /* its runtime wakes others itself */
#endif
    if (!filters_work())
        skip();
    host_test(&host, "thread");
}

/* --- allowed: what the documentation says, no more --- */

/* The lines of the first fenced block below the heading. */
static void allowed_read(char *names, size_t bytes)
{
    char line[256];
    bool found = false, inside = false;
    FILE *file = fopen(getenv("P11PROF_TEST_RELIABILITY"), "r");
    assert_non_null(file);
    names[0] = '\0';
    while (fgets(line, sizeof line, file)) {
        bool fence = strncmp(line, "```", 3) == 0;
        found = found || strcmp(line, "### System calls of `drain = exit`\n") == 0;
        if (fence && inside)
            break;
        if (inside && strlen(names) + strlen(line) < bytes)
            strcat(names, line);
        inside = inside || (found && fence);
    }
    fclose(file);
    assert_true(strlen(names) > 100);
}

static void sandboxed(const char *scenario, void (*spoil)(struct fault *fault))
{
    const struct host_case host = {.scenario = scenario, .threads = 1, .calls = 50021};
    struct fault fault;
    host_set_up(&fault, &host);
    fault.driven.limit = "4MB"; /* so that the caller drains on the way, too */
    if (spoil)
        spoil(&fault);
    host_run(&fault, &host, "exit");
    if (!spoil)
        host_exact(&fault);
    fault_tear_down(&fault);
}

static void database_in_a_file(struct fault *fault)
{
    fault_db(fault, fault->driven.counts_path, "test.db");
}

static void database_in_new_folders(struct fault *fault)
{
    fault_db(fault, fault->disk, "some/new/test.db");
}

/* Held until the test ends. */
static void database_locked(struct fault *fault)
{
    char path[400];
    snprintf(path, sizeof path, "%s-writer", fault->driven.db);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0 && flock(fd, LOCK_EX) == 0);
}

static void test_kill_filter(void **state)
{
    static const char *const scenarios[] = {"filter", "filter-worker"};
    static char names[4096];
    (void)state;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    skip(); /* their runtime needs more */
#endif
    if (!filters_work())
        skip();
    allowed_read(names, sizeof names);
    setenv("P11PROF_TEST_CALLS", names, 1);
    for (size_t i = 0; i < 2; i++) {
        sandboxed(scenarios[i], NULL);
        sandboxed(scenarios[i], database_in_new_folders);
        sandboxed(scenarios[i], database_in_a_file);
        sandboxed(scenarios[i], database_locked);
    }
}

/* The filter does kill: without one of the calls the application ends badly. */
static void test_filter_kills(void **state)
{
    (void)state;
    struct fault fault;
    int status;
    if (!filters_work())
        skip();
    setenv("P11PROF_TEST_CALLS", "exit_group", 1);
    fault_set_up(&fault);
    fault_start(&fault, "filter", "exit", 1, 10);
    assert_int_equal(waitpid(fault.child, &status, 0), fault.child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
    driven_wait(&fault.driven);
    fault_tear_down(&fault);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_clone),    cmocka_unit_test(test_no_close_range),
        cmocka_unit_test(test_broker),      cmocka_unit_test(test_no_wake),
        cmocka_unit_test(test_kill_filter), cmocka_unit_test(test_filter_kills),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
