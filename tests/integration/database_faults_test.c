/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Databases that cannot be written: the application does not notice, its calls stay in the spool,
 * and all of them come once the fault is gone. */
#include "fault.h"
#include "p11prof/drain.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CALLS = 2003 };

static const char *const drains[] = {"thread", "exit"};

/* --- what stands where the database ought to be --- */

static void put(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void put_junk(const char *path)
{
    put(path, "This is a text, and long enough to be taken for the head of a database: "
              "it is longer than one hundred bytes, as every SQLite database is.\n");
}

static void put_empty(const char *path)
{
    put(path, "");
}

static void put_folder(const char *path)
{
    assert_int_equal(mkdir(path, 0700), 0);
}

static void put_fifo(const char *path)
{
    assert_int_equal(mkfifo(path, 0600), 0);
}

static void put_link(const char *path)
{
    assert_int_equal(symlink("elsewhere.db", path), 0);
}

static void sql(const char *path, const char *text)
{
    sqlite3 *db = NULL;
    int code = sqlite3_open(path, &db);
    if (code == SQLITE_OK)
        code = sqlite3_exec(db, text, NULL, NULL, NULL);
    if (code != SQLITE_OK)
        fail_msg("%s: %s", text, sqlite3_errmsg(db));
    sqlite3_close(db);
}

static void put_other(const char *path)
{
    sql(path, "CREATE TABLE theirs (value); INSERT INTO theirs VALUES (1)");
}

static void put_ours(const char *path)
{
    struct p11prof_store *store;
    struct p11prof_error error;
    assert_int_equal(p11prof_store_open(&store, path, P11PROF_STORE_CREATE, &error), P11PROF_OK);
    p11prof_store_close(store);
}

static void put_newer(const char *path)
{
    put_ours(path);
    sql(path, "PRAGMA user_version = 99");
}

static const struct {
    const char *name;
    void (*put)(const char *path);
    const char *says;
} things[] = {
    {"junk", put_junk, "choose another path"},
    {"an empty file", put_empty, "is empty, not a database: remove it"},
    {"a folder", put_folder, "is a folder: give the path of a database"},
    {"a FIFO", put_fifo, "is not a regular file: choose another path"},
    {"a link", put_link, "is a symbolic link: give the real path"},
    {"another program's", put_other, "another program's SQLite database"},
    {"a newer version's", put_newer, "update p11prof"},
};

static void one_thing(size_t i, const char *drain)
{
    struct fault fault;
    struct stat before, after;
    fault_set_up(&fault);
    printf("%s, %s\n", things[i].name, drain);
    things[i].put(fault.driven.db);
    assert_int_equal(lstat(fault.driven.db, &before), 0);
    fault_run(&fault, "finalize", drain, 2, CALLS);
    fault_said(&fault, things[i].says);
    fault_said(&fault, "until `p11prof collect`");
    assert_int_equal(fault_spools(&fault), 1);
    assert_int_equal(lstat(fault.driven.db, &after), 0);
    assert_int_equal(after.st_ino, before.st_ino);
    assert_int_equal(after.st_size, before.st_size);
    assert_int_equal(after.st_mtim.tv_nsec, before.st_mtim.tv_nsec);
    assert_int_equal(remove(fault.driven.db), 0);
    fault_exact(&fault);
    fault_tear_down(&fault);
}

static void test_other_things(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof things / sizeof *things; i++)
        for (size_t drain = 0; drain < 2; drain++)
            one_thing(i, drains[drain]);
}

/* --- places --- */

static void test_path_through_a_file(void **state)
{
    (void)state;
    for (size_t drain = 0; drain < 2; drain++) {
        struct fault fault;
        fault_set_up(&fault);
        fault_db(&fault, fault.driven.counts_path, "test.db");
        fault_run(&fault, "finalize", drains[drain], 2, CALLS);
        fault_said(&fault, "Not a directory");
        assert_int_equal(fault_spools(&fault), 1);
        fault_db(&fault, fault.driven.folder, "test.db");
        fault_exact(&fault);
        fault_tear_down(&fault);
    }
}

static void on_disk(const char *options, unsigned long flags, const char *says)
{
    for (size_t drain = 0; drain < 2; drain++) {
        struct fault fault;
        fault_set_up(&fault);
        if (!fault_disk(&fault, options)) {
            fault_tear_down(&fault);
            skip();
        }
        if (flags)
            fault_disk_change(&fault, flags, options);
        fault_db(&fault, fault.disk, "test.db");
        fault_run(&fault, "finalize", drains[drain], 2, 30011);
        /* A slow machine may not get so far in the 250 ms that the end allows it. */
        if (fault_spoke(&fault))
            fault_said(&fault, says);
        assert_int_equal(fault_spools(&fault), 1);
        fault_disk_change(&fault, 0, "size=64m");
        fault_exact(&fault);
        fault_tear_down(&fault);
    }
}

static void test_read_only_disk(void **state)
{
    (void)state;
    on_disk("size=16m", MS_RDONLY, "check the permissions of its folder");
}

static void test_full_disk_without_database(void **state)
{
    (void)state;
    on_disk("size=64k", 0, "the disk is full");
}

static void test_full_disk_with_database(void **state)
{
    (void)state;
    on_disk("size=2m", 0, "the disk is full");
}

/* --- in use --- */

static void wait_for_rows(struct fault *fault, long long rows)
{
    for (int i = 0; i < 500; i++) {
        if (access(fault->driven.db, F_OK) == 0 &&
            driven_ask(&fault->driven, "SELECT count(*) FROM calls") >= rows)
            return;
        usleep(10000);
    }
    fail_msg("no %lld rows after 5 s", rows);
}

static void db_rename(const struct fault *fault, const char *name)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < 3; i++) {
        char from[400], to[400];
        snprintf(from, sizeof from, "%s%s", fault->driven.db, suffixes[i]);
        snprintf(to, sizeof to, "%s/%s%s", fault->driven.folder, name, suffixes[i]);
        rename(from, to);
    }
}

static enum p11prof_status collect(struct fault *fault, bool adopt, struct p11prof_error *error)
{
    struct p11prof_store *store;
    struct p11prof_collect_result result;
    const struct p11prof_collect_options options = {
        .folder = fault->driven.spool, .adopt = adopt, .wait_ms = 5000};
    assert_int_equal(p11prof_store_open(&store, fault->driven.db, P11PROF_STORE_CREATE, error),
                     P11PROF_OK);
    enum p11prof_status status = p11prof_collect(store, &options, &result, error);
    p11prof_store_close(store);
    return status;
}

/* The database goes away under a process that drains into it; what comes then is for another one,
 * and is taken only if that is asked for. */
static void taken_away(bool replaced)
{
    struct fault fault;
    struct p11prof_error error;
    fault_set_up(&fault);
    fault_start(&fault, "phases", "thread", 1, CALLS);
    wait_for_rows(&fault, CALLS);
    db_rename(&fault, "away.db");
    if (replaced)
        put_ours(fault.driven.db);
    atomic_store(&fault.driven.counts->phase, 1);
    fault_end(&fault);
    fault_said(&fault, "the database was deleted or replaced while it was open");
    assert_int_equal(collect(&fault, false, &error), P11PROF_REFUSED);
    assert_non_null(strstr(error.text, "p11prof collect --adopt"));
    assert_int_equal(driven_ask(&fault.driven, "SELECT count(*) FROM calls"), 0);
    assert_int_equal(fault_spools(&fault), 1);
    assert_int_equal(collect(&fault, true, &error), P11PROF_OK);
    assert_int_equal(fault_spools(&fault), 0);
    /* The second phase, all of it: numbers 1 … CALLS anew. What is in no chunk that was given back
     * comes too. */
    assert_true(driven_ask(&fault.driven,
                           "SELECT count(*) FROM (SELECT out_bytes FROM calls WHERE "
                           "function = 'C_GenerateRandom' ORDER BY start_ns DESC "
                           "LIMIT 2003) GROUP BY out_bytes HAVING count(*) = 1") == 1);
    assert_int_equal(driven_ask(&fault.driven, "SELECT sum(lost_count) FROM runs"), 0);
    fault_tear_down(&fault);
}

static void test_deleted(void **state)
{
    (void)state;
    taken_away(false);
}

static void test_replaced(void **state)
{
    (void)state;
    taken_away(true);
}

static void test_locked_by_sqlite(void **state)
{
    (void)state;
    for (size_t drain = 0; drain < 2; drain++) {
        struct fault fault;
        sqlite3 *db;
        fault_set_up(&fault);
        put_ours(fault.driven.db);
        assert_int_equal(sqlite3_open(fault.driven.db, &db), SQLITE_OK);
        assert_int_equal(sqlite3_exec(db, "BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
        fault_run(&fault, "finalize", drains[drain], 2, CALLS);
        assert_int_equal(fault_spools(&fault), 1);
        assert_int_equal(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
        sqlite3_close(db);
        fault_exact(&fault);
        fault_tear_down(&fault);
    }
}

static void test_locked_by_a_writer(void **state)
{
    (void)state;
    for (size_t drain = 0; drain < 2; drain++) {
        struct fault fault;
        char path[400];
        fault_set_up(&fault);
        put_ours(fault.driven.db);
        snprintf(path, sizeof path, "%s-writer", fault.driven.db);
        int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        assert_true(fd >= 0 && flock(fd, LOCK_EX) == 0);
        fault_run(&fault, "finalize", drains[drain], 2, CALLS);
        assert_int_equal(fault_spools(&fault), 1);
        assert_int_equal(driven_ask(&fault.driven, "SELECT count(*) FROM calls"), 0);
        close(fd);
        fault_exact(&fault);
        fault_tear_down(&fault);
    }
}

/* Whether a process has this file open. */
static bool has_open(pid_t pid, const char *path)
{
    char name[320], target[400];
    bool found = false;
    snprintf(name, sizeof name, "/proc/%d/fd", pid);
    DIR *folder = opendir(name);
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        snprintf(name, sizeof name, "/proc/%d/fd/%.20s", pid, entry->d_name);
        ssize_t bytes = readlink(name, target, sizeof target - 1);
        target[bytes < 0 ? 0 : bytes] = '\0';
        found = found || strcmp(target, path) == 0;
    }
    if (folder)
        closedir(folder);
    return found;
}

/* Whether the end of an application outlasts a writer that needs more than one wait of 100 ms. */
static bool end_outlasts(void)
{
    struct fault fault;
    char path[400];
    fault_set_up(&fault);
    put_ours(fault.driven.db);
    snprintf(path, sizeof path, "%s-writer", fault.driven.db);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0 && flock(fd, LOCK_EX) == 0);
    fault_start(&fault, "exit", "exit", 1, CALLS); /* without C_Finalize: it ends once */
    for (int i = 0; i < 10000 && !has_open(fault.child, path); i++)
        usleep(1000);
    usleep(160000);
    close(fd);
    fault_end(&fault);
    bool outlasted = fault_spools(&fault) == 0;
    fault_exact(&fault);
    fault_tear_down(&fault);
    return outlasted;
}

/* One of a few times: a busy machine is late with anything. */
static void test_end_is_repeated(void **state)
{
    bool outlasted = false;
    (void)state;
    for (int i = 0; i < 8 && !outlasted; i++)
        outlasted = end_outlasts();
    assert_true(outlasted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_other_things),
        cmocka_unit_test(test_path_through_a_file),
        cmocka_unit_test(test_read_only_disk),
        cmocka_unit_test(test_full_disk_without_database),
        cmocka_unit_test(test_full_disk_with_database),
        cmocka_unit_test(test_deleted),
        cmocka_unit_test(test_replaced),
        cmocka_unit_test(test_locked_by_sqlite),
        cmocka_unit_test(test_locked_by_a_writer),
        cmocka_unit_test(test_end_is_repeated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
