/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* A store whose descriptors an application has, too, and reuses while a transaction is open. */
#include "store/internal.h"
#include "store_fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LAST_DESCRIPTOR = 1023, BYTES = 200000 };

static int theirs_make(const char *path)
{
    static char bytes[BYTES];
    memset(bytes, 'a', sizeof bytes);
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0640);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, BYTES), BYTES);
    return fd;
}

/* All numbers that are in use lead to the file of `fd` now; returns how many. */
static unsigned take_all(int fd)
{
    unsigned count = 0;
    for (int other = 3; other <= LAST_DESCRIPTOR; other++)
        if (other != fd && fcntl(other, F_GETFD) >= 0) {
            assert_int_equal(dup2(fd, other), other);
            count++;
        }
    return count;
}

static void assert_whole(int fd)
{
    static char bytes[BYTES];
    struct stat facts;
    assert_int_equal(fstat(fd, &facts), 0);
    assert_int_equal(facts.st_size, BYTES);
    assert_int_equal(facts.st_mode & 0777, 0640);
    assert_int_equal(lseek(fd, 0, SEEK_CUR), BYTES);
    assert_int_equal(pread(fd, bytes, BYTES, 0), BYTES);
    for (int i = 0; i < BYTES; i++)
        assert_int_equal(bytes[i], 'a');
}

static void leaves_the_applications_files_alone(void **state)
{
    (void)state;
    int before = fcntl(STDOUT_FILENO, F_DUPFD, 3); /* the next free number */
    close(before);
    p11prof_store_share_descriptors(true);
    struct p11prof_store *store =
        fixture_open(fixture_path("p.db"),
                     P11PROF_STORE_CREATE | P11PROF_STORE_EXCLUSIVE | P11PROF_STORE_NO_CHECKPOINT);
    int theirs = theirs_make(fixture_path("theirs"));
    assert_int_equal(theirs, before); /* low numbers are left to the application */
    assert_int_equal(p11prof_store_begin(store, 0, NULL), P11PROF_OK);
    assert_int_equal(
        sqlite3_exec(p11prof_store_sqlite(store), "CREATE TABLE new (x)", NULL, NULL, NULL),
        SQLITE_OK);
    unsigned taken = take_all(theirs);
    assert_true(taken >= 4); /* database, log, its index, lock */
    assert_int_not_equal(p11prof_store_commit(store, NULL), P11PROF_OK);
    p11prof_store_close(store);
    assert_int_equal(take_all(theirs), taken); /* none was closed */
    assert_whole(theirs);
    for (int fd = theirs; fd <= LAST_DESCRIPTOR; fd++)
        close(fd);

    p11prof_store_share_descriptors(false);
    store = fixture_open(fixture_path("p.db"), 0);
    assert_string_equal(fixture_text(store, "PRAGMA integrity_check"), "ok");
    assert_int_equal(
        fixture_integer(store, "SELECT count(*) FROM sqlite_schema WHERE name = 'new'"), 0);
    p11prof_store_close(store);
}

/* A daemon that closed its standard input, and may have few descriptors. */
static void leaves_standard_input_free(void **state)
{
    (void)state;
    struct rlimit before, few;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    few = (struct rlimit){.rlim_cur = 64, .rlim_max = before.rlim_max};
    int input = fcntl(STDIN_FILENO, F_DUPFD, 32);
    close(STDIN_FILENO);
    setrlimit(RLIMIT_NOFILE, &few);
    p11prof_store_share_descriptors(true);
    struct p11prof_store *store =
        fixture_open(fixture_path("p.db"),
                     P11PROF_STORE_CREATE | P11PROF_STORE_EXCLUSIVE | P11PROF_STORE_NO_CHECKPOINT);
    assert_int_equal(p11prof_store_begin(store, 0, NULL), P11PROF_OK);
    bool is_free = fcntl(STDIN_FILENO, F_GETFD) < 0;
    assert_int_equal(p11prof_store_commit(store, NULL), P11PROF_OK);
    p11prof_store_close(store);
    p11prof_store_share_descriptors(false);
    setrlimit(RLIMIT_NOFILE, &before);
    is_free = is_free && fcntl(STDIN_FILENO, F_GETFD) < 0;
    if (input >= 0) {
        dup2(input, STDIN_FILENO);
        close(input);
    }
    assert_true(is_free);
}

/* After it was looked at, before SQLite opens it: what others put there is not opened. */
static void opens_no_planted_file(void **state)
{
    (void)state;
    static const char *const names[] = {"p.db-wal", "p.db-shm", "p.db-journal", "p.db-writer"};
    p11prof_store_close(fixture_open(fixture_path("p.db"), P11PROF_STORE_CREATE));
    close(theirs_make(fixture_path("theirs")));
    for (size_t i = 0; i < 2 * sizeof names / sizeof *names; i++) {
        const char *path = fixture_path(names[i / 2]);
        p11prof_store_share_descriptors(i % 2);
        unlink(path);
        assert_int_equal(symlink("theirs", path), 0);
        assert_int_equal(p11prof_store_file_open(path, O_RDWR | O_CREAT, 0600), -1);
        assert_int_equal(unlink(path), 0);
        assert_int_equal(link(fixture_path("theirs"), path), 0);
        assert_int_equal(p11prof_store_file_open(path, O_RDWR | O_CREAT, 0600), -1);
        assert_int_equal(unlink(path), 0);
        assert_int_equal(mkfifo(path, 0600), 0);
        assert_int_equal(p11prof_store_file_open(path, O_RDONLY, 0600), -1);
        assert_int_equal(unlink(path), 0);
        int fd = p11prof_store_file_open(path, O_RDWR | O_CREAT, 0600);
        assert_true(fd >= 0);
        p11prof_store_file_close(fd);
    }
    p11prof_store_share_descriptors(false);
}

/* Another database of ours, there for the moment in which SQLite opens it. */
static void opens_no_database_that_was_put_there(void **state)
{
    (void)state;
    p11prof_store_close(fixture_open(fixture_path("p.db"), P11PROF_STORE_CREATE));
    p11prof_store_close(fixture_open(fixture_path("o.db"), P11PROF_STORE_CREATE));
    for (int shared = 0; shared < 2; shared++) {
        p11prof_store_share_descriptors(shared);
        assert_int_equal(rename(fixture_path("p.db"), fixture_path("away")), 0);
        assert_int_equal(rename(fixture_path("o.db"), fixture_path("p.db")), 0);
        assert_int_equal(p11prof_store_file_open(fixture_path("p.db"), O_RDWR, 0600), -1);
        assert_int_equal(rename(fixture_path("p.db"), fixture_path("o.db")), 0);
        assert_int_equal(rename(fixture_path("away"), fixture_path("p.db")), 0);
        int fd = p11prof_store_file_open(fixture_path("p.db"), O_RDWR, 0600);
        assert_true(fd >= 0);
        p11prof_store_file_close(fd);
    }
    p11prof_store_share_descriptors(false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(opens_no_database_that_was_put_there, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(opens_no_planted_file, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(leaves_the_applications_files_alone, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(leaves_standard_input_free, fixture_setup,
                                        fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
