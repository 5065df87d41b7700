/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The store: several processes at once, and files that vanish. */
#include "store_fixture.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Opens, writes one call, closes; several do so at once. */
static int write_one(uint8_t number)
{
    struct p11prof_error error = {0};
    struct p11prof_store *store;
    struct p11prof_process_rows rows;
    struct p11prof_spool_header *header = fixture_header(number, number);
    struct p11prof_row row = {.function = P11PROF_C_Sign, .known = P11PROF_ROW_RV};
    struct p11prof_batch batch = {.rows = &row, .row_count = 1, .call_count = 1};
    int failed = p11prof_store_open(&store, fixture_path("p.db"), P11PROF_STORE_CREATE, &error) ||
                 p11prof_store_begin(store, 10000, &error) ||
                 p11prof_store_enter(store, header, &rows, &error) ||
                 p11prof_store_write(store, &rows, &batch, true, &error) ||
                 p11prof_store_commit(store, &error);
    if (failed) {
        print_error("%s\n", error.text);
    }
    p11prof_store_close(store);
    free(header);
    return failed;
}

static void many_create_at_once(void **state)
{
    (void)state;
    enum { PROCESSES = 8 };
    int ready[2], status;
    char byte;
    assert_int_equal(pipe(ready), 0);
    for (uint8_t number = 1; number <= PROCESSES; number++) {
        if (fork() == 0) {
            close(ready[1]);
            (void)!read(ready[0], &byte, 1); /* until the parent closes its end */
            _exit(write_one(number));
        }
    }
    close(ready[1]);
    close(ready[0]);
    for (int process = 0; process < PROCESSES; process++) {
        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }
    struct p11prof_store *store = fixture_open(fixture_path("p.db"), P11PROF_STORE_READ_ONLY);
    assert_int_equal(fixture_integer(store, "SELECT count(*) FROM processes"), PROCESSES);
    assert_int_equal(fixture_integer(store, "SELECT count(*) FROM calls"), PROCESSES);
    assert_int_equal(fixture_integer(store, "SELECT call_count FROM runs"), PROCESSES);
    p11prof_store_close(store);
    assert_int_equal(fixture_files_with(".new-"), 0);
}

static void waits_for_other_writers(void **state)
{
    (void)state;
    struct p11prof_error error;
    struct p11prof_store *one = fixture_open(fixture_path("p.db"), P11PROF_STORE_CREATE);
    struct p11prof_store *two = fixture_open(fixture_path("p.db"), 0);
    assert_int_equal(p11prof_store_begin(one, 0, &error), P11PROF_OK);
    assert_int_equal(p11prof_store_begin(two, 5, &error), P11PROF_BUSY);
    assert_non_null(strstr(error.text, "another process is writing"));
    p11prof_store_rollback(one);
    assert_int_equal(p11prof_store_begin(two, 5, &error), P11PROF_OK);
    p11prof_store_close(two);
    /* One that knows nothing of our lock. */
    sqlite3 *other;
    assert_int_equal(sqlite3_open(fixture_path("p.db"), &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(p11prof_store_begin(one, 5, &error), P11PROF_BUSY);
    sqlite3_close(other);
    assert_int_equal(p11prof_store_begin(one, 5, &error), P11PROF_OK);
    p11prof_store_close(one);
}

static void exclusive_holds_the_lock(void **state)
{
    (void)state;
    struct p11prof_error error;
    struct p11prof_store *one =
        fixture_open(fixture_path("p.db"), P11PROF_STORE_CREATE | P11PROF_STORE_EXCLUSIVE);
    fixture_refused(fixture_path("p.db"), P11PROF_STORE_EXCLUSIVE, P11PROF_BUSY, "another process");
    assert_int_equal(p11prof_store_begin(one, 0, &error), P11PROF_OK);
    assert_int_equal(p11prof_store_commit(one, &error), P11PROF_OK);
    fixture_refused(fixture_path("p.db"), P11PROF_STORE_EXCLUSIVE, P11PROF_BUSY, "another process");
    p11prof_store_close(one);
    p11prof_store_close(fixture_open(fixture_path("p.db"), P11PROF_STORE_EXCLUSIVE));
}

static void notices_replacement(void **state)
{
    (void)state;
    struct p11prof_error error;
    const char *path = fixture_path("p.db");
    struct p11prof_store *store = fixture_open(path, P11PROF_STORE_CREATE);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(p11prof_store_begin(store, 0, &error), P11PROF_CHANGED);
    p11prof_store_close(fixture_open(path, P11PROF_STORE_CREATE));
    assert_int_equal(p11prof_store_begin(store, 0, &error), P11PROF_CHANGED);
    p11prof_store_close(store);
}

static void survives_loss_of_the_lock_file(void **state)
{
    (void)state;
    struct p11prof_error error;
    struct p11prof_store *one = fixture_open(fixture_path("p.db"), P11PROF_STORE_CREATE);
    struct p11prof_store *two = fixture_open(fixture_path("p.db"), 0);
    assert_int_equal(p11prof_store_begin(one, 0, &error), P11PROF_OK);
    assert_int_equal(p11prof_store_commit(one, &error), P11PROF_OK);
    assert_int_equal(unlink(fixture_path("p.db-writer")), 0);
    assert_int_equal(p11prof_store_begin(two, 0, &error), P11PROF_OK);
    assert_int_equal(p11prof_store_begin(one, 5, &error), P11PROF_BUSY);
    p11prof_store_close(two);
    p11prof_store_close(one);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(many_create_at_once),
        TEST(waits_for_other_writers),
        TEST(exclusive_holds_the_lock),
        TEST(notices_replacement),
        TEST(survives_loss_of_the_lock_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
