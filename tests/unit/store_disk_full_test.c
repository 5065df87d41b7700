/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The store on a full disk: nothing half-written, and all of it once there is room. */
#include "store_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

static struct p11prof_error error;

/* Calls of `function` with random numbers, so that pages fill. */
static struct p11prof_row *some_rows(size_t count)
{
    struct p11prof_row *rows = calloc(count, sizeof *rows);
    for (size_t index = 0; index < count; index++) {
        rows[index] = (struct p11prof_row){.known = P11PROF_ROW_SESSION,
                                           .function = P11PROF_C_Sign,
                                           .start_ns = UINT64_C(1000000000000) + index,
                                           .duration_ns = 123456789,
                                           .session = UINT64_MAX / 3};
    }
    return rows;
}

/* One try to write; whether it worked. */
static bool try_write(const struct p11prof_batch *batch)
{
    struct p11prof_process_rows rows;
    bool written = !p11prof_store_begin(fixture_store, 0, &error) &&
                   !p11prof_store_enter(fixture_store, fixture_spool, &rows, &error) &&
                   !p11prof_store_write(fixture_store, &rows, batch, true, &error) &&
                   !p11prof_store_commit(fixture_store, &error);
    p11prof_store_rollback(fixture_store);
    return written;
}

static void survives_a_full_disk(void **state)
{
    (void)state;
    enum { ROWS = 5000 };
    const char *disk = fixture_path("disk");
    char path[300];
    snprintf(path, sizeof path, "%s/p.db", disk);
    assert_int_equal(mkdir(disk, 0700), 0);
    if (mount("tmpfs", disk, "tmpfs", 0, "size=3m")) {
        skip(); /* not root, or in a container */
    }
    p11prof_store_close(fixture_store);
    fixture_store = fixture_open(path, P11PROF_STORE_CREATE);
    struct p11prof_row *rows = some_rows(ROWS);
    struct p11prof_batch batch = {.rows = rows, .row_count = ROWS, .call_count = ROWS};
    int written = 0;
    while (written < 100 && try_write(&batch)) {
        written++;
    }
    assert_in_range(written, 1, 99);
    assert_int_equal(error.status, P11PROF_FAILED);
    assert_non_null(strstr(error.text, "disk is full"));
    assert_int_equal(fixture_integer(fixture_store, "SELECT count(*) FROM calls"), written * ROWS);
    assert_int_equal(mount("tmpfs", disk, "tmpfs", MS_REMOUNT, "size=30m"), 0);
    assert_true(try_write(&batch));
    assert_int_equal(fixture_integer(fixture_store, "SELECT count(*) FROM calls"),
                     (written + 1) * ROWS);
    assert_int_equal(fixture_integer(fixture_store, "SELECT call_count FROM runs"),
                     (written + 1) * ROWS);
    assert_string_equal(fixture_text(fixture_store, "PRAGMA integrity_check"), "ok");
    p11prof_store_close(fixture_store);
    fixture_store = NULL;
    assert_int_equal(umount(disk), 0);
    free(rows);
}

#define TEST(function)                                                                             \
    cmocka_unit_test_setup_teardown(function, fixture_store_setup, fixture_store_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(survives_a_full_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
