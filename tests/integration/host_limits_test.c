/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Descriptors that are closed and reused behind our back, users and roots that change after the
 * module is loaded, hosts whose /dev/shm is missing, full or small: no call is lost that could be
 * kept, and nothing is written where it does not belong. */
#include "host.h"

#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const drains[] = {"thread", "exit", "external"};

static void in_every_drain(const struct host_case *host, unsigned modes)
{
    for (size_t drain = 0; drain < modes; drain++)
        host_test(host, drains[drain]);
}

/* --- descriptors --- */

static void test_thief(void **state)
{
    static const struct host_case host = {.scenario = "thief", .threads = 60, .calls = 503};
    (void)state;
    in_every_drain(&host, 3);
}

/* A process whose spool's descriptor was taken again and again goes on unrecorded, as it says. */
static void test_thief_at_start(void **state)
{
    static const struct host_case host = {
        .scenario = "thief-at-start", .threads = 200, .calls = 53};
    struct fault fault;
    (void)state;
    host_set_up(&fault, &host);
    host_run(&fault, &host, "thread");
    driven_collect(&fault.driven);
    assert_true(driven_ask(&fault.driven, "SELECT count(*) FROM calls") >=
                (long long)driven_returned(&fault.driven) * 95 / 100);
    fault_tear_down(&fault);
}

static void test_dup2_over_all(void **state)
{
    static const struct host_case host = {.scenario = "dup2-over-all", .threads = 2, .calls = 5003};
    (void)state;
    in_every_drain(&host, 3);
}

static void test_no_descriptors(void **state)
{
    static const struct host_case host = {
        .scenario = "no-descriptors", .threads = 1, .calls = 5003};
    (void)state;
    in_every_drain(&host, 3);
}

/* What could not be recorded is counted; recording begins once there are some. */
static void test_descriptors_later(void **state)
{
    static const struct host_case host = {
        .scenario = "descriptors-later", .threads = 2, .calls = 5003};
    (void)state;
    for (size_t drain = 0; drain < 3; drain++) {
        struct fault fault;
        host_set_up(&fault, &host);
        host_run(&fault, &host, drains[drain]);
        assert_int_equal(fault_counted(&fault, "no_memory"), 2 * 5003);
        fault_said(&fault, "calls before that, counted as lost: 10007");
        fault_tear_down(&fault);
    }
}

static void test_descriptors_fixed(void **state)
{
    static const struct host_case host = {
        .scenario = "descriptors-fixed", .threads = 3, .calls = 20011};
    (void)state;
    for (size_t drain = 0; drain < 3; drain++) {
        struct fault fault;
        host_set_up(&fault, &host);
        fault.driven.limit = "1MB"; /* drained in the middle of calls, too */
        host_run(&fault, &host, drains[drain]);
        fault_counted(&fault, NULL);
        fault_tear_down(&fault);
    }
}

/* --- a database that somebody else holds, and a spool that is full meanwhile --- */

static int database_hold(const struct fault *fault)
{
    char path[400];
    snprintf(path, sizeof path, "%s-writer", fault->driven.db);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0 && flock(fd, LOCK_EX) == 0);
    return fd;
}

static void phase_wait(const struct fault *fault, uint32_t phase)
{
    while (atomic_load(&fault->driven.counts->phase) != phase)
        usleep(1000);
}

/* What could not be written at the second C_Finalize comes with the third, and so do later calls.
 */
static void test_locked_and_restarted(void **state)
{
    static const struct host_case host = {.scenario = "restart", .threads = 1, .calls = 1009};
    (void)state;
    for (size_t drain = 0; drain < 2; drain++) {
        struct fault fault;
        host_set_up(&fault, &host);
        fault_start(&fault, host.scenario, drains[drain], host.threads, host.calls);
        phase_wait(&fault, 1);
        int fd = database_hold(&fault);
        atomic_store(&fault.driven.counts->phase, 2);
        phase_wait(&fault, 3);
        close(fd);
        atomic_store(&fault.driven.counts->phase, 4);
        fault_end(&fault);
        host_exact(&fault);
        fault_tear_down(&fault);
    }
}

/* The wait for it is bounded, not for each call anew. */
static void test_locked_and_full(void **state)
{
    static const struct host_case host = {.scenario = "looks", .threads = 2, .calls = 50021};
    (void)state;
    for (size_t drain = 0; drain < 2; drain++) {
        struct fault fault;
        host_set_up(&fault, &host);
        fault.driven.limit = "1MB";
        int fd = database_hold(&fault);
        host_run(&fault, &host, drains[drain]);
        close(fd);
        assert_true(fault_counted(&fault, "limit") > 100000);
        fault_tear_down(&fault);
    }
}

/* Who finds it full while another thread drains waits for that. */
static void test_full_beside(void **state)
{
    static const struct host_case host = {
        .scenario = "looks", .threads = 4, .calls = 50021, .limit = "1MB"};
    struct fault fault;
    (void)state;
    host_set_up(&fault, &host);
    host_run(&fault, &host, "exit");
    assert_true(fault_counted(&fault, "limit") < (long long)driven_returned(&fault.driven) / 2);
    fault_tear_down(&fault);
}

/* What cannot get free is not waited for at each call: 15 threads, and room for 13. */
static void test_starved(void **state)
{
    static const struct host_case host = {
        .scenario = "starved", .threads = 14, .calls = 50021, .limit = "1MB"};
    (void)state;
    for (size_t drain = 0; drain < 3; drain++) {
        struct fault fault;
        host_set_up(&fault, &host);
        host_run(&fault, &host, drains[drain]);
        assert_true(fault_counted(&fault, NULL) >= 50021);
        fault_tear_down(&fault);
    }
}

/* --- a clock that stands still --- */

static void clock_stop(const struct driven *driven)
{
    (void)driven;
    setenv("LD_PRELOAD", getenv("P11PROF_TEST_CLOCK_STANDS"), 1);
}

/* No loop waits for it, also where the database is held; the calls are collected. */
static void test_clock_stands(void **state)
{
    static const struct host_case host = {
        .scenario = "umask-0", .threads = 2, .calls = 1009, .in_child = clock_stop};
    (void)state;
#ifdef __SANITIZE_ADDRESS__
    skip(); /* its runtime wants to be the first library */
#endif
    for (size_t drain = 0; drain < 3; drain++) {
        struct fault fault;
        host_set_up(&fault, &host);
        int fd = database_hold(&fault);
        host_run(&fault, &host, drains[drain]);
        close(fd);
        fault_said(&fault, "the clock stands still");
        host_exact(&fault);
        fault_tear_down(&fault);
    }
}

/* --- another user, another root, another /dev/shm --- */

/* A /dev/shm of our own for the test and what it starts; false where we may not. */
static bool shm_mount(unsigned long flags, const char *options)
{
    static bool ours;
    if (ours)
        umount2("/dev/shm", MNT_DETACH);
    if (!ours && (geteuid() != 0 || unshare(CLONE_NEWNS) != 0 ||
                  mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0))
        return false;
    ours = mount("tmpfs", "/dev/shm", "tmpfs", flags, options) == 0;
    return ours;
}

/* Each user's spools are where they are by default, in this /dev/shm. */
static void own_shm_set_up(struct fault *fault, const struct host_case *host, unsigned long flags,
                           const char *options)
{
    if (!shm_mount(0, "mode=1777"))
        skip();
    host_set_up(fault, host);
    assert_true(shm_mount(flags, options));
    fault->driven.own_folders = true;
    assert_int_equal(chmod(fault->driven.folder, 0755), 0);
}

static void in_own_shm(const struct host_case *host, const char *drain, unsigned long flags,
                       const char *options)
{
    struct fault fault;
    own_shm_set_up(&fault, host, flags, options);
    host_run(&fault, host, drain);
    host_exact(&fault);
    fault_tear_down(&fault);
}

/* Root's database stays root's: what others recorded comes with `collect`. */
static void test_users_and_roots(void **state)
{
    static const struct host_case cases[] = {
        {.scenario = "setuid", .threads = 2, .calls = 1009},
        {.scenario = "chroot", .threads = 2, .calls = 1009},
        {.scenario = "chroot-setuid", .threads = 2, .calls = 1009},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t drain = 0; drain < 3; drain++)
            in_own_shm(&cases[i], drains[drain], 0, "mode=1777");
}

static void test_no_exec(void **state)
{
    static const struct host_case host = {.scenario = "setuid", .threads = 2, .calls = 1009};
    (void)state;
    in_own_shm(&host, "thread", MS_NOEXEC | MS_NOSUID | MS_NODEV, "mode=1777");
}

/* As a container has it, with more processes than it has room for whole spools. */
static void test_small_shm(void **state)
{
    static const struct host_case host = {.scenario = "fork-crowd", .threads = 1, .calls = 1009};
    (void)state;
    for (size_t drain = 0; drain < 3; drain++)
        in_own_shm(&host, drains[drain], 0, "mode=1777,size=64m");
}

/* The application goes on, and we say so once a process. */
static void no_shm(const struct host_case *host, unsigned long flags, const char *options)
{
    struct fault fault;
    own_shm_set_up(&fault, host, flags, options);
    host_run(&fault, host, "thread");
    fault_said(&fault, "not recording: ");
    assert_int_not_equal(access(fault.driven.db, F_OK), 0);
    fault_tear_down(&fault);
}

static void test_no_shm(void **state)
{
    static const struct host_case host = {.scenario = "fork-crowd", .threads = 1, .calls = 503};
    (void)state;
    no_shm(&host, MS_RDONLY, "mode=1777");
    no_shm(&host, 0, "mode=1777,size=64k");
    no_shm(&host, 0, "mode=1777,nr_inodes=1");
    shm_mount(0, "mode=1777");
}

static const char *disk_of(const struct driven *driven)
{
    static char path[300];
    snprintf(path, sizeof path, "%s/disk", driven->folder);
    return path;
}

/* In the child alone; what it counts in stays writable. */
static void root_read_only(const struct driven *driven)
{
    if (unshare(CLONE_NEWNS) != 0 ||
        mount(NULL, "/", NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL) != 0 ||
        mount(NULL, disk_of(driven), NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL) != 0)
        _exit(96);
}

/* Where all else is read-only, too: /dev/shm keeps what the database could not be given. */
static void test_read_only_root(void **state)
{
    static const struct host_case host = {.scenario = "fork-crowd", .threads = 1, .calls = 503};
    (void)state;
    for (size_t drain = 0; drain < 2; drain++) {
        struct fault fault;
        own_shm_set_up(&fault, &host, 0, "mode=1777");
        assert_int_equal(mount(fault.driven.folder, fault.driven.folder, NULL, MS_BIND, NULL), 0);
        assert_int_equal(mount(fault.disk, fault.disk, NULL, MS_BIND, NULL), 0);
        fault_db(&fault, fault.disk, "test.db");
        fault.in_child = root_read_only;
        host_run(&fault, &host, drains[drain]);
        assert_int_not_equal(access(fault.driven.db, F_OK), 0);
        umount2(fault.disk, MNT_DETACH);
        umount2(fault.driven.folder, MNT_DETACH);
        host_exact(&fault);
        fault_tear_down(&fault);
    }
}

/* --- who may read it --- */

static int mode_check(const char *path, const struct stat *facts, int kind, struct FTW *place)
{
    (void)place;
    bool ours = strstr(path, "test.db") || strstr(path, "/dev/shm/p11prof-");
    mode_t wanted = kind == FTW_D || kind == FTW_DP ? 0700 : 0600;
    if (ours && (facts->st_mode & 07777) != wanted)
        fail_msg("%s has mode %o", path, facts->st_mode & 07777);
    return 0;
}

/* Files are 0600 and folders 0700, whatever the umask. */
static void test_umask(void **state)
{
    static const struct host_case cases[] = {
        {.scenario = "umask-0", .threads = 2, .calls = 1009},
        {.scenario = "umask-0777", .threads = 2, .calls = 1009},
    };
    (void)state;
    for (size_t i = 0; i < 2; i++)
        for (size_t drain = 0; drain < 3; drain++) {
            struct fault fault;
            own_shm_set_up(&fault, &cases[i], 0, "mode=1777");
            host_run(&fault, &cases[i], drains[drain]);
            nftw(fault.driven.folder, mode_check, 8, FTW_PHYS);
            nftw("/dev/shm", mode_check, 8, FTW_PHYS);
            host_exact(&fault);
            fault_tear_down(&fault);
        }
}

/* Nothing is made in the new root, whenever it comes; the files that were made are as ever. */
static void test_chroot_soon(void **state)
{
    static const struct host_case host = {.scenario = "chroot-soon", .threads = 1, .calls = 103};
    struct fault fault;
    (void)state;
    own_shm_set_up(&fault, &host, 0, "mode=1777");
    host_run(&fault, &host, "thread");
    nftw(fault.driven.folder, mode_check, 8, FTW_PHYS);
    host_exact(&fault);
    fault_tear_down(&fault);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_thief),
        cmocka_unit_test(test_thief_at_start),
        cmocka_unit_test(test_descriptors_later),
        cmocka_unit_test(test_descriptors_fixed),
        cmocka_unit_test(test_dup2_over_all),
        cmocka_unit_test(test_no_descriptors),
        cmocka_unit_test(test_locked_and_full),
        cmocka_unit_test(test_locked_and_restarted),
        cmocka_unit_test(test_full_beside),
        cmocka_unit_test(test_starved),
        cmocka_unit_test(test_clock_stands),
        cmocka_unit_test(test_users_and_roots),
        cmocka_unit_test(test_no_exec),
        cmocka_unit_test(test_small_shm),
        cmocka_unit_test(test_no_shm),
        cmocka_unit_test(test_read_only_root),
        cmocka_unit_test(test_umask),
        cmocka_unit_test(test_chroot_soon),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
