/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Merging databases, and deleting runs: all of a run arrives, and all of it goes. */
#include "retention/delete.h"
#include "retention/merge.h"
#include "retention_fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const uint64_t second_ns = 1000000000;

static struct p11prof_error error;
static char said[4096]; /* why something was left out */

static void say(void *payload, const char *text)
{
    (void)payload;
    strncat(said, text, sizeof said - strlen(said) - 1);
    strncat(said, "\n", sizeof said - strlen(said) - 1);
}

static enum p11prof_status merge_into(struct p11prof_store *store, const char *source,
                                      struct p11prof_merge_result *result)
{
    struct p11prof_merge merge = {.store = store, .source = source, .say = say};
    *result = (struct p11prof_merge_result){.baseline_count = 0};
    said[0] = '\0';
    return p11prof_merge(&merge, result, &error);
}

/* Merges and expects one run to have come out so. */
static void merges(struct p11prof_store *store, const char *source,
                   enum p11prof_merge_outcome outcome)
{
    struct p11prof_merge_result result;
    if (merge_into(store, source, &result) != P11PROF_OK)
        fail_msg("%s", error.text);
    for (size_t i = 0; i < P11PROF_MERGE_OUTCOMES; i++)
        assert_int_equal(result.run_counts[i], i == outcome);
    assert_int_equal(said[0] != '\0', outcome == P11PROF_MERGE_REFUSED);
    retention_expect_sound(store);
}

static struct p11prof_store *new_store(const char *name)
{
    return fixture_open(fixture_path(name), P11PROF_STORE_CREATE | P11PROF_STORE_MIGRATE);
}

/* One batch of a spool, process and run. */
static void write_batch(struct p11prof_store *store, uint8_t run, uint8_t spool, unsigned batch,
                        bool last)
{
    retention_write(store, &(struct retention_calls){.run = run,
                                                     .process = spool,
                                                     .spool = spool,
                                                     .first_ns = batch * 10 * second_ns,
                                                     .step_ns = second_ns / 10,
                                                     .count = 100,
                                                     .last = last});
}

/* Two runs with something in every table; the second is called "bench". */
static void write_all(struct p11prof_store *store)
{
    int64_t id;
    write_batch(store, 1, 1, 0, false);
    write_batch(store, 1, 2, 0, true);
    write_batch(store, 1, 1, 1, true);
    retention_write_bench(store, 9, &id);
    sqlite3_exec(p11prof_store_sqlite(store),
                 "INSERT INTO baseline VALUES ('good', 1); "
                 "INSERT INTO baseline_run SELECT 'good', id FROM run WHERE name = 'run-1'",
                 NULL, NULL, NULL);
}

static void everything_arrives(void **state)
{
    (void)state;
    struct p11prof_merge_result result;
    struct p11prof_store *into = new_store("into.db");
    write_all(fixture_store);
    retention_expect_filled(fixture_store);
    assert_int_equal(merge_into(into, fixture_path("p.db"), &result), P11PROF_OK);
    assert_int_equal(result.run_counts[P11PROF_MERGE_COPIED], 2);
    assert_int_equal(result.baseline_count, 1);
    retention_expect_sound(into);
    retention_expect_same(retention_dump(fixture_store), retention_dump(into));
    p11prof_store_close(into);
}

/* What the views say of a run, without numbers of rows. */
static char *views_of(struct p11prof_store *store, const char *run)
{
    static const char *const views[][2] = {{"runs", "run_id"},
                                           {"processes", "process_id"},
                                           {"calls", "call_id"},
                                           {"operations", "operation_id"},
                                           {"windows", "window_id"},
                                           {"histogram", "window_id"},
                                           {"run_histogram", "group_id"},
                                           {"function_stats", "p50_ns"},
                                           {"operation_stats", "p50_ns"},
                                           {"errors", "rv"},
                                           {"sessions", "opened_ns"},
                                           {"threads", "thread_id"},
                                           {"losses", "cause"},
                                           {"in_flight", "start_ns"},
                                           {"loads", "load"},
                                           {"load_threads", "thread"},
                                           {"skipped", "test"}};
    char *text = NULL;
    size_t bytes;
    FILE *stream = open_memstream(&text, &bytes);
    for (size_t i = 0; i < sizeof views / sizeof views[0]; i++) {
        char *sql = sqlite3_mprintf(
            "SELECT 'SELECT ''%s'', ' || group_concat(iif(name = 'parent_process_id', 'NULL', "
            "name), "
            "', ') || ' FROM %s WHERE run_id = (SELECT run_id FROM runs WHERE name = ''%s'') "
            "ORDER BY ' || group_concat(name, ', ') FROM pragma_table_info('%s') WHERE name NOT IN "
            "('run_id', 'process_id', 'call_id', 'operation_id', 'window_id', 'group_id')",
            views[i][0], views[i][0], run, views[i][0]);
        char *rows = retention_rows(store, fixture_text(store, sql));
        fputs(rows, stream);
        free(rows);
        sqlite3_free(sql);
    }
    fclose(stream);
    return text;
}

static void numbers_are_made_anew(void **state)
{
    (void)state;
    struct p11prof_merge_result result;
    struct p11prof_store *into = new_store("into.db");
    int64_t id;
    write_all(fixture_store);
    for (uint8_t i = 0; i < 3; i++)
        write_batch(into, 20 + i, 20 + i, i, true);
    retention_write_bench(into, 30, &id);
    sqlite3_exec(p11prof_store_sqlite(into), "UPDATE run SET name = 'other' WHERE name = 'bench'",
                 NULL, NULL, NULL);
    char *before = views_of(into, "run-21");
    assert_int_equal(merge_into(into, fixture_path("p.db"), &result), P11PROF_OK);
    retention_expect_sound(into);
    retention_expect_same(before, views_of(into, "run-21"));
    retention_expect_same(views_of(fixture_store, "run-1"), views_of(into, "run-1"));
    retention_expect_same(views_of(fixture_store, "bench"), views_of(into, "bench"));
    fixture_expect("SELECT count(*) FROM baselines", "1");
    p11prof_store_close(into);
}

static void twice_is_once(void **state)
{
    (void)state;
    struct p11prof_merge_result result;
    struct p11prof_store *into = new_store("into.db");
    write_all(fixture_store);
    assert_int_equal(merge_into(into, fixture_path("p.db"), &result), P11PROF_OK);
    char *once = retention_dump(into);
    assert_int_equal(merge_into(into, fixture_path("p.db"), &result), P11PROF_OK);
    assert_int_equal(result.run_counts[P11PROF_MERGE_SAME], 2);
    assert_int_equal(result.baseline_count, 0);
    assert_string_equal(said, "");
    retention_expect_same(once, retention_dump(into));
    p11prof_store_close(into);
}

static void what_went_on_takes_the_place(void **state)
{
    (void)state;
    struct p11prof_store *into = new_store("into.db");
    write_batch(fixture_store, 1, 1, 0, false);
    merges(into, fixture_path("p.db"), P11PROF_MERGE_COPIED);
    sqlite3_exec(p11prof_store_sqlite(into), "UPDATE run SET name = 'mine'", NULL, NULL, NULL);
    int64_t id = fixture_integer(into, "SELECT id FROM run");
    write_batch(fixture_store, 1, 1, 1, false);
    write_batch(fixture_store, 1, 2, 1, true);
    merges(into, fixture_path("p.db"), P11PROF_MERGE_REPLACED);
    assert_int_equal(fixture_integer(into, "SELECT id FROM run WHERE name = 'mine'"), id);
    sqlite3_exec(p11prof_store_sqlite(into), "UPDATE run SET name = 'run-1'", NULL, NULL, NULL);
    retention_expect_same(views_of(fixture_store, "run-1"), views_of(into, "run-1"));
    /* The other way round there is less. */
    char *before = retention_dump(fixture_store);
    struct p11prof_store *first = new_store("first.db");
    write_batch(first, 1, 1, 0, false);
    merges(fixture_store, fixture_path("first.db"), P11PROF_MERGE_OLDER);
    retention_expect_same(before, retention_dump(fixture_store));
    p11prof_store_close(first);
    p11prof_store_close(into);
}

/* A run without spools: only what a bench counted itself tells which is newer. */
static void a_bench_that_ended_takes_the_place(void **state)
{
    (void)state;
    int64_t id;
    struct p11prof_store *into = new_store("into.db");
    retention_write_bench(fixture_store, 9, &id);
    sqlite3_exec(p11prof_store_sqlite(fixture_store), "UPDATE run SET state = NULL", NULL, NULL,
                 NULL);
    merges(into, fixture_path("p.db"), P11PROF_MERGE_COPIED);
    sqlite3_exec(p11prof_store_sqlite(fixture_store), "UPDATE run SET state = 'finished'", NULL,
                 NULL, NULL);
    merges(into, fixture_path("p.db"), P11PROF_MERGE_REPLACED);
    retention_expect_same(retention_dump(fixture_store), retention_dump(into));
    p11prof_store_close(into);
}

/* Two halves of a run, or all of it in one database: the same. */
static void parts_come_together(void **state)
{
    (void)state;
    struct p11prof_store *into = new_store("into.db"), *whole = new_store("whole.db");
    struct p11prof_store *writers[] = {into, whole};
    for (size_t i = 0; i < 2; i++)
        write_batch(writers[i], 1, 1, 0, true);
    write_batch(whole, 1, 2, 3, true);
    write_batch(fixture_store, 1, 2, 3, true);
    merges(into, fixture_path("p.db"), P11PROF_MERGE_ADDED);
    retention_expect_same(views_of(whole, "run-1"), views_of(into, "run-1"));
    merges(into, fixture_path("p.db"), P11PROF_MERGE_OLDER);
    retention_expect_same(views_of(whole, "run-1"), views_of(into, "run-1"));
    p11prof_store_close(whole);
    p11prof_store_close(into);
}

/* Times count from the start of the run, as the database knows it. */
static void parts_with_other_starts_come_together(void **state)
{
    (void)state;
    struct p11prof_store *into = new_store("into.db");
    write_batch(into, 1, 1, 0, true);
    write_batch(fixture_store, 1, 2, 0, true);
    sqlite3_exec(p11prof_store_sqlite(fixture_store),
                 "UPDATE run SET start_wall_ns = start_wall_ns + 7000, "
                 "start_monotonic_ns = start_monotonic_ns + 7000",
                 NULL, NULL, NULL);
    char *there =
        retention_rows(fixture_store, "SELECT start_ns + 7000, operation_start_ns + 7000, "
                                      "intended_start_ns + 7000 FROM call ORDER BY id");
    int64_t end_ns = fixture_integer(fixture_store, "SELECT end_ns + 7000 FROM process");
    merges(into, fixture_path("p.db"), P11PROF_MERGE_ADDED);
    retention_expect_same(
        there, retention_rows(
                   into, "SELECT start_ns, operation_start_ns, intended_start_ns "
                         "FROM call WHERE id > (SELECT min(last_call) FROM segment) ORDER BY id"));
    assert_int_equal(fixture_integer(into, "SELECT max(end_ns) FROM process"), end_ns);
    struct p11prof_store *other = new_store("other.db");
    write_batch(other, 1, 3, 0, true);
    merges(fixture_store, fixture_path("other.db"), P11PROF_MERGE_REFUSED);
    assert_non_null(strstr(said, "the other way round"));
    p11prof_store_close(other);
    p11prof_store_close(into);
}

static void what_went_on_in_both_is_left_out(void **state)
{
    (void)state;
    struct p11prof_merge_result result;
    struct p11prof_store *into = new_store("into.db");
    write_batch(into, 1, 1, 0, true);
    write_batch(into, 1, 2, 0, true);
    write_batch(fixture_store, 1, 1, 0, true);
    write_batch(fixture_store, 1, 3, 0, true);
    write_batch(fixture_store, 2, 4, 0, true);
    char *before = views_of(into, "run-1");
    assert_int_equal(merge_into(into, fixture_path("p.db"), &result), P11PROF_OK);
    assert_int_equal(result.run_counts[P11PROF_MERGE_REFUSED], 1);
    assert_int_equal(result.run_counts[P11PROF_MERGE_COPIED], 1);
    assert_non_null(strstr(said, "run 1 run-1 of"));
    assert_non_null(strstr(said, "each copy has calls that the other has not"));
    retention_expect_same(before, views_of(into, "run-1"));
    retention_expect_sound(into);
    p11prof_store_close(into);
}

/* The same, of the same two processes. */
static void processes_that_went_on_in_turns_are_left_out(void **state)
{
    (void)state;
    struct p11prof_store *into = new_store("into.db");
    struct p11prof_store *both[] = {into, fixture_store};
    for (uint8_t i = 0; i < 2; i++) {
        write_batch(both[i], 1, 1, 0, false);
        write_batch(both[i], 1, 2, 0, false);
        write_batch(both[i], 1, 1 + i, 1, true);
    }
    char *before = retention_dump(into);
    merges(into, fixture_path("p.db"), P11PROF_MERGE_REFUSED);
    retention_expect_same(before, retention_dump(into));
    p11prof_store_close(into);
}

/* The same process in another run: nothing of that run arrives. */
static void a_process_of_another_run_is_left_out(void **state)
{
    (void)state;
    struct p11prof_store *into = new_store("into.db");
    write_batch(into, 1, 1, 0, true);
    write_batch(fixture_store, 2, 1, 0, true);
    char *before = retention_dump(into);
    merges(into, fixture_path("p.db"), P11PROF_MERGE_REFUSED);
    retention_expect_same(before, retention_dump(into));
    p11prof_store_close(into);
}

/* A live process: what its next drain needs comes along. */
static void state_of_live_processes_arrives(void **state)
{
    (void)state;
    struct p11prof_store *into = new_store("into.db");
    write_batch(fixture_store, 1, 1, 0, false);
    merges(into, fixture_path("p.db"), P11PROF_MERGE_COPIED);
    retention_expect_same(retention_dump(fixture_store), retention_dump(into));
    fixture_expect("SELECT state FROM runs", "running");
    p11prof_store_close(into);
}

static void names_and_baselines(void **state)
{
    (void)state;
    struct p11prof_merge_result result;
    struct p11prof_store *into = new_store("into.db");
    write_all(fixture_store);
    write_batch(into, 5, 5, 0, true);
    sqlite3_exec(p11prof_store_sqlite(fixture_store),
                 "INSERT INTO rv_name VALUES (123456, 'CKR_NEW'); "
                 "UPDATE rv_name SET name = 'CKR_THERE' WHERE code = 0",
                 NULL, NULL, NULL);
    sqlite3_exec(
        p11prof_store_sqlite(into),
        "INSERT INTO baseline VALUES ('good', 1); INSERT INTO baseline_run VALUES ('good', 1)",
        NULL, NULL, NULL);
    assert_int_equal(merge_into(into, fixture_path("p.db"), &result), P11PROF_OK);
    assert_int_equal(result.baseline_count, 0);
    assert_non_null(strstr(said, "baseline 'good'"));
    assert_int_equal(fixture_integer(into,
                                     "SELECT count(*) FROM rv_name WHERE "
                                     "(code, name) IN (VALUES (123456, 'CKR_NEW'), (0, 'CKR_OK'))"),
                     2);
    assert_int_equal(fixture_integer(into, "SELECT count(*) FROM baseline_run"), 1);
    p11prof_store_close(into);
}

static void refuses(struct p11prof_store *into, const char *path, enum p11prof_status status,
                    const char *text)
{
    struct p11prof_merge_result result;
    char *before = retention_dump(into);
    assert_int_equal(merge_into(into, path, &result), status);
    if (!strstr(error.text, text))
        fail_msg("'%s' does not say '%s'", error.text, text);
    retention_expect_same(before, retention_dump(into));
}

static void set_version(const char *path, const char *sql)
{
    sqlite3 *sqlite;
    assert_int_equal(sqlite3_open(path, &sqlite), SQLITE_OK);
    assert_int_equal(sqlite3_exec(sqlite, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(sqlite);
}

static void other_files_are_refused(void **state)
{
    (void)state;
    struct p11prof_store *into = new_store("into.db");
    const char *path = fixture_path("p.db");
    char user_version[64];
    write_all(fixture_store);
    write_batch(into, 1, 1, 0, true);
    refuses(into, fixture_path("into.db"), P11PROF_REFUSED, "that is merged into");
    refuses(into, fixture_path("none.db"), P11PROF_MISSING, "No such file");
    refuses(into, fixture_folder, P11PROF_REFUSED, "folder");
    p11prof_store_close(fixture_store);
    fixture_store = NULL;
    set_version(path, "PRAGMA user_version = 1");
    refuses(into, path, P11PROF_REFUSED, "p11prof runs");
    set_version(path, "PRAGMA user_version = 99");
    refuses(into, path, P11PROF_REFUSED, "update p11prof");
    snprintf(user_version, sizeof user_version, "PRAGMA user_version = %d", P11PROF_SCHEMA_VERSION);
    set_version(path, user_version);
    set_version(path, "PRAGMA application_id = 1");
    refuses(into, path, P11PROF_REFUSED, "another program's");
    p11prof_store_close(into);
}

/* Each page but the first is overwritten in turn: nothing, or whole runs arrive. */
static void damaged_files_are_refused(void **state)
{
    (void)state;
    enum { PAGE = 16384, PAGES_MAX = 64 };
    const char *path = fixture_path("p.db");
    static char page[PAGE], damage[PAGE];
    unsigned refused = 0;
    write_all(fixture_store);
    p11prof_store_close(fixture_store);
    fixture_store = NULL;
    memset(damage, 0xa5, sizeof damage);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    for (off_t at = PAGE; at < PAGES_MAX * PAGE && pread(fd, page, PAGE, at) == PAGE; at += PAGE) {
        struct p11prof_merge_result result;
        struct p11prof_store *into = new_store("into.db");
        char *before = retention_dump(into);
        assert_int_equal(pwrite(fd, damage, PAGE, at), PAGE);
        enum p11prof_status status = merge_into(into, path, &result);
        assert_int_equal(pwrite(fd, page, PAGE, at), PAGE);
        if (status != P11PROF_OK) {
            refused++;
            assert_true(strncmp(error.text, path, strlen(path)) == 0);
            retention_expect_same(before, retention_dump(into));
        } else {
            free(before);
        }
        retention_expect_sound(into);
        p11prof_store_close(into);
        unlink(fixture_path("into.db"));
    }
    close(fd);
    assert_true(refused > 10);
}

static void a_path_is_no_uri(void **state)
{
    (void)state;
    struct p11prof_store *into = new_store("into.db");
    struct p11prof_store *source = new_store("a b?mode=rwc&x#%41.db");
    write_batch(source, 1, 1, 0, true);
    merges(into, fixture_path("a b?mode=rwc&x#%41.db"), P11PROF_MERGE_COPIED);
    p11prof_store_close(source);
    p11prof_store_close(into);
}

/* The source is not changed, in what it has or in what it is. */
static void the_source_is_only_read(void **state)
{
    (void)state;
    struct p11prof_store *into = new_store("into.db");
    write_all(fixture_store);
    char *before = retention_dump(fixture_store);
    int64_t version = fixture_integer(fixture_store, "PRAGMA data_version");
    struct p11prof_merge_result result;
    assert_int_equal(merge_into(into, fixture_path("p.db"), &result), P11PROF_OK);
    assert_int_equal(fixture_integer(fixture_store, "PRAGMA data_version"), version);
    retention_expect_same(before, retention_dump(fixture_store));
    p11prof_store_close(into);
}

static void all_of_a_deleted_run_goes(void **state)
{
    (void)state;
    int64_t bench;
    uint64_t calls = 0;
    write_batch(fixture_store, 7, 7, 0, true);
    char *before = retention_dump(fixture_store);
    write_all(fixture_store);
    bench = fixture_integer(fixture_store, "SELECT id FROM run WHERE name = 'bench'");
    int64_t run = fixture_integer(fixture_store, "SELECT id FROM run WHERE name = 'run-1'");
    assert_int_equal(p11prof_run_delete(fixture_store, run, &calls, &error), P11PROF_BAD_INPUT);
    assert_non_null(strstr(error.text, "'good'"));
    sqlite3_exec(p11prof_store_sqlite(fixture_store),
                 "DELETE FROM baseline_run; DELETE FROM baseline", NULL, NULL, NULL);
    assert_int_equal(p11prof_run_delete(fixture_store, run, &calls, &error), P11PROF_OK);
    assert_int_equal(calls, 300);
    retention_expect_sound(fixture_store);
    assert_int_equal(p11prof_run_delete(fixture_store, bench, &calls, &error), P11PROF_OK);
    retention_expect_sound(fixture_store);
    retention_expect_same(before, retention_dump(fixture_store));
}

#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, fixture_store_setup, fixture_store_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(everything_arrives),
        TEST(numbers_are_made_anew),
        TEST(twice_is_once),
        TEST(what_went_on_takes_the_place),
        TEST(a_bench_that_ended_takes_the_place),
        TEST(parts_come_together),
        TEST(parts_with_other_starts_come_together),
        TEST(what_went_on_in_both_is_left_out),
        TEST(processes_that_went_on_in_turns_are_left_out),
        TEST(a_process_of_another_run_is_left_out),
        TEST(state_of_live_processes_arrives),
        TEST(names_and_baselines),
        TEST(other_files_are_refused),
        TEST(damaged_files_are_refused),
        TEST(a_path_is_no_uri),
        TEST(the_source_is_only_read),
        TEST(all_of_a_deleted_run_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
