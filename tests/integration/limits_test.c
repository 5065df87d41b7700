/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Limits of the process, no threads to be had, or far too many of them: the application goes on as
 * without us, and rows and counted losses are as many as its calls. */
#include "fault.h"

#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const drains[] = {"thread", "exit", "external"};

/* What the child sets. */
static struct {
    int resource;
    rlim_t value;
} limit;

static void limit_set(const struct driven *driven)
{
    const struct rlimit both = {limit.value, limit.value};
    (void)driven;
    syscall(SYS_close_range, 3u, 99u, 0u);
    if (setrlimit((__rlimit_resource_t)limit.resource, &both) != 0)
        _exit(96);
}

static void with_limit(int resource, rlim_t value, const char *drain, unsigned threads)
{
    struct fault fault;
    printf("limit %d of %llu, %s\n", resource, (unsigned long long)value, drain);
    fault_set_up(&fault);
    limit.resource = resource;
    limit.value = value;
    fault.in_child = limit_set;
    fault_run(&fault, "finalize", drain, threads, 20011);
    assert_int_equal(driven_returned(&fault.driven), threads * 20011);
    if (fault_spools(&fault) || access(fault.driven.db, F_OK) == 0)
        fault_counted(&fault, NULL);
    else
        fault_said(&fault, "not recording: ");
    fault_tear_down(&fault);
}

static void test_file_size(void **state)
{
    static const rlim_t bytes[] = {32 << 10, 200 << 10, 1 << 20, 1500 << 10, 2 << 20, 4 << 20};
    (void)state;
    for (size_t i = 0; i < sizeof bytes / sizeof *bytes; i++)
        for (size_t drain = 0; drain < 3; drain++)
            with_limit(RLIMIT_FSIZE, bytes[i], drains[drain], 1);
}

static void test_descriptors(void **state)
{
    (void)state;
    for (rlim_t count = 4; count <= 8; count++)
        for (size_t drain = 0; drain < 2; drain++)
            with_limit(RLIMIT_NOFILE, count, drains[drain], 1);
}

static void test_address_space(void **state)
{
    static const rlim_t bytes[] = {20 << 20, 60 << 20, 200 << 20};
    static const rlim_t tight_bytes = 80 << 20; /* for six stacks of 8 MB, and little more */
    (void)state;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    skip();
#endif
    for (size_t i = 0; i < sizeof bytes / sizeof *bytes; i++)
        for (size_t drain = 0; drain < 2; drain++)
            with_limit(RLIMIT_AS, bytes[i], drains[drain], 1);
    for (size_t drain = 0; drain < 3; drain++)
        with_limit(RLIMIT_AS, tight_bytes, drains[drain], 6);
}

/* --- no thread --- */

static void become_nobody(const struct driven *driven)
{
    limit_set(driven);
    if (setgroups(0, NULL) != 0 || setgid(65534) != 0 || setuid(65534) != 0)
        _exit(96);
}

/* Whether a user without rights may run the driver at all. */
static bool nobody_may(const char *program)
{
    pid_t child = fork();
    int status;
    if (child == 0) {
        if (setgroups(0, NULL) != 0 || setgid(65534) != 0 || setuid(65534) != 0)
            _exit(1);
        _exit(access(program, X_OK) != 0);
    }
    return waitpid(child, &status, 0) == child && status == 0;
}

static void without_processes(const char *scenario, rlim_t process_count)
{
    struct fault fault;
    if (geteuid() != 0 || !nobody_may(getenv("P11PROF_TEST_DRIVER")))
        skip();
    fault_set_up(&fault);
    limit.resource = RLIMIT_NPROC;
    limit.value = process_count;
    fault.in_child = become_nobody;
    assert_int_equal(chown(fault.driven.folder, 65534, 65534), 0);
    assert_int_equal(chown(fault.driven.spool, 65534, 65534), 0);
    assert_int_equal(chown(fault.driven.counts_path, 65534, 65534), 0);
    fault_run(&fault, scenario, "thread", 1, 5003);
    assert_int_equal(fault_spools(&fault), 0);
    fault_exact(&fault);
    fault_tear_down(&fault);
}

static void test_no_processes(void **state)
{
    (void)state;
    without_processes("finalize", 0);
}

/* A C_Finalize beside a C_Initialize whose thread is refused has none to wait for. */
static void test_refused_beside(void **state)
{
    (void)state;
    without_processes("refused-beside", 1000);
}

static void test_threads_forbidden(void **state)
{
    struct fault fault;
    (void)state;
    fault_set_up(&fault);
    fault_run(&fault, "no-threads", "thread", 1, 5003);
    assert_int_equal(fault_spools(&fault), 0);
    fault_exact(&fault);
    fault_tear_down(&fault);
}

/* --- no standard descriptors --- */

static void close_standard(const struct driven *driven)
{
    (void)driven;
    unsetenv("P11PROF_DEBUG");
    syscall(SYS_close_range, 0u, 2u, 0u);
}

static void test_closed_descriptors(void **state)
{
    (void)state;
    for (size_t drain = 0; drain < 2; drain++) {
        struct fault fault;
        fault_set_up(&fault);
        fault.in_child = close_standard;
        fault_run(&fault, "finalize", drains[drain], 2, 5003);
        fault_exact(&fault);
        fault_tear_down(&fault);
    }
}

/* --- hardly a stack --- */

/* More calls than half a spool holds, on a coroutine's stack: too small for SQLite. */
static void test_small_stack(void **state)
{
    (void)state;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    skip();
#endif
    struct fault fault;
    fault_set_up(&fault);
    fault.driven.limit = "1MB";
    fault_run(&fault, "fiber", "exit", 1, 50021);
    assert_int_equal(driven_returned(&fault.driven), 50021);
    fault_counted(&fault, NULL);
    fault_tear_down(&fault);
}

/* C_Finalize there leaves them to the end of the process, or, if that is none that we see, in the
 * spool. */
static void test_end_on_a_small_stack(void **state)
{
    (void)state;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    skip();
#endif
    for (unsigned ends = 1; ends <= 2; ends++) {
        struct fault fault;
        fault_set_up(&fault);
        fault_run(&fault, "fiber-finalize", "exit", ends, 1009);
        assert_int_equal(fault_spools(&fault), ends - 1);
        fault_exact(&fault);
        fault_tear_down(&fault);
    }
}

/* --- too many threads --- */

static void test_crowd(void **state)
{
    (void)state;
    for (size_t drain = 0; drain < 3; drain++) {
        struct fault fault;
        fault_set_up(&fault);
        fault_run(&fault, "crowd", drains[drain], 600, 101);
        long long lost = fault_counted(&fault, "no_memory");
        assert_true(lost >= (600 - 512) * 101);
        fault_tear_down(&fault);
    }
}

static void test_relay(void **state)
{
    (void)state;
    for (size_t drain = 0; drain < 3; drain++) {
        struct fault fault;
        fault_set_up(&fault);
        fault_run(&fault, "relay", drains[drain], 2000, 7);
        assert_int_equal(fault_counted(&fault, NULL), 0);
        assert_int_equal(driven_ask(&fault.driven, "SELECT count(DISTINCT out_bytes) FROM calls "
                                                   "WHERE function = 'C_GenerateRandom'"),
                         14000);
        assert_true(driven_ask(&fault.driven, "SELECT count(DISTINCT thread_id) FROM calls "
                                              "WHERE function = 'C_GenerateRandom'") >= 2000);
        fault_tear_down(&fault);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_file_size),
        cmocka_unit_test(test_descriptors),
        cmocka_unit_test(test_address_space),
        cmocka_unit_test(test_no_processes),
        cmocka_unit_test(test_refused_beside),
        cmocka_unit_test(test_threads_forbidden),
        cmocka_unit_test(test_closed_descriptors),
        cmocka_unit_test(test_small_stack),
        cmocka_unit_test(test_end_on_a_small_stack),
        cmocka_unit_test(test_crowd),
        cmocka_unit_test(test_relay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
