/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Spools that cannot be made, or are too small: the application does not notice, and what could not
 * be kept is counted. */
#include "fault.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- folders that are not taken --- */

static void spool_is(struct fault *fault, const char *path)
{
    snprintf(fault->driven.spool, sizeof fault->driven.spool, "%.290s", path);
}

/* Runs with fault->driven.spool as it is, and finds that nothing was recorded. */
static void not_recorded(struct fault *fault, const char *says)
{
    char folder[300], path[300];
    snprintf(folder, sizeof folder, "%s", fault->driven.spool);
    fault_run(fault, "finalize", "thread", 2, 1009);
    close(fault->driven.end);
    fault_said(fault, "not recording: ");
    fault_said(fault, says);
    assert_int_equal(driven_returned(&fault->driven), 2018);
    assert_int_not_equal(access(fault->driven.db, F_OK), 0);
    snprintf(path, sizeof path, "%.290s", folder);
}

static void make_missing(const char *path)
{
    (void)path;
}

static void make_open(const char *path)
{
    assert_int_equal(mkdir(path, 0755), 0);
    assert_int_equal(chmod(path, 0755), 0);
}

static void make_foreign(const char *path)
{
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(chown(path, 65534, 65534), 0);
}

static void make_link(const char *path)
{
    assert_int_equal(symlink(getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp", path), 0);
}

static void make_file(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_true(fd >= 0);
    close(fd);
}

static const struct {
    const char *name;
    void (*make)(const char *path);
    bool root;
} folders[] = {
    {"missing", make_missing, false}, {"mode 0755", make_open, false},
    {"a link", make_link, false},     {"a file", make_file, false},
    {"not ours", make_foreign, true},
};

static void test_folders(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        struct fault fault;
        char path[300], ours[300];
        if (folders[i].root && geteuid() != 0)
            continue;
        printf("%s\n", folders[i].name);
        fault_set_up(&fault);
        snprintf(path, sizeof path, "%.200s/spools", fault.driven.folder);
        snprintf(ours, sizeof ours, "%.290s", fault.driven.spool);
        folders[i].make(path);
        spool_is(&fault, path);
        not_recorded(&fault, "(it must be yours, mode 0700)");
        spool_is(&fault, ours);
        fault_tear_down(&fault);
    }
}

/* --- too little memory for it --- */

static bool disk_for_spools(struct fault *fault, const char *options)
{
    fault_set_up(fault);
    if (!fault_disk(fault, options)) {
        fault_tear_down(fault);
        return false;
    }
    rmdir(fault->driven.spool);
    spool_is(fault, fault->disk);
    return true;
}

static void test_no_room(void **state)
{
    static const char *const sizes[] = {"size=1200k", "size=64k", "size=64m,nr_inodes=1"};
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct fault fault;
        if (!disk_for_spools(&fault, sizes[i]))
            skip();
        not_recorded(&fault, i < 2 ? "no room for a spool" : "cannot make the spool");
        fault_tear_down(&fault);
    }
}

static void test_little_room(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct fault fault;
        if (!disk_for_spools(&fault, i ? "size=2200k" : "size=2m"))
            skip();
        fault_run(&fault, "finalize", i == 2 ? "external" : i ? "exit" : "thread", 3, 10007);
        fault_counted(&fault, NULL);
        fault_tear_down(&fault);
    }
}

/* Somebody else takes what is left while the spool grows: no SIGBUS. */
static void room_goes(const char *drain)
{
    struct fault fault;
    char path[400];
    static char block[4096];
    if (!disk_for_spools(&fault, "size=8m"))
        skip();
    memset(block, 1, sizeof block);
    fault_start(&fault, "phases", drain, 2, 3001);
    while (driven_returned(&fault.driven) < 2 * 3001)
        usleep(1000);
    snprintf(path, sizeof path, "%.290s/theirs", fault.disk);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    while (write(fd, block, sizeof block) == sizeof block)
        ;
    close(fd);
    atomic_store(&fault.driven.counts->phase, 1);
    fault_end(&fault);
    unlink(path);
    long long lost = fault_counted(&fault, "no_memory");
    assert_true(strcmp(drain, "external") != 0 || lost > 0);
    fault_tear_down(&fault);
}

static void test_room_goes(void **state)
{
    (void)state;
    room_goes("external");
    room_goes("thread");
    room_goes("exit");
}

/* --- its limit --- */

static long long limited(const char *drain, const char *cause)
{
    struct fault fault;
    fault_set_up(&fault);
    fault.driven.limit = "1MB";
    fault_run(&fault, "finalize", drain, 4, 50021);
    long long lost = fault_counted(&fault, cause);
    fault_tear_down(&fault);
    return lost;
}

static void test_limit(void **state)
{
    (void)state;
    limited("thread", "limit");
    limited("exit", "limit");
    assert_true(limited("external", "no_drainer") > 100000);
}

/* With a database that cannot be written nobody drains. */
static void test_limit_without_database(void **state)
{
    struct fault fault;
    (void)state;
    fault_set_up(&fault);
    fault.driven.limit = "1MB";
    fault_db(&fault, fault.driven.counts_path, "test.db");
    fault_run(&fault, "finalize", "thread", 4, 50021);
    fault_db(&fault, fault.driven.folder, "test.db");
    assert_true(fault_counted(&fault, NULL) > 100000);
    fault_tear_down(&fault);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_folders),     cmocka_unit_test(test_no_room),
        cmocka_unit_test(test_little_room), cmocka_unit_test(test_room_goes),
        cmocka_unit_test(test_limit),       cmocka_unit_test(test_limit_without_database),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
