/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The store: making, opening and refusing databases; several processes at once. */
#include "store_fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Changes a closed database with plain SQL. */
static void change(const char *path, const char *sql)
{
    sqlite3 *sqlite;
    assert_int_equal(sqlite3_open(path, &sqlite), SQLITE_OK);
    assert_int_equal(sqlite3_exec(sqlite, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(sqlite), SQLITE_OK);
}

static void put(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static unsigned mode_of(const char *path)
{
    struct stat file;
    assert_int_equal(lstat(path, &file), 0);
    return file.st_mode & 07777;
}

static void creates_once(void **state)
{
    (void)state;
    uint64_t first[2], second[2];
    mode_t before = umask(0277);
    struct p11prof_store *store = fixture_open(fixture_path("a/b/p.db"), P11PROF_STORE_CREATE);
    p11prof_store_id(store, first);
    assert_true(first[0] != 0 && first[1] != 0);
    assert_int_equal(p11prof_store_begin(store, 0, NULL), P11PROF_OK);
    assert_int_equal(p11prof_store_commit(store, NULL), P11PROF_OK);
    assert_int_equal(umask(before), 0277);
    assert_int_equal(mode_of(fixture_path("a")), 0700);
    assert_int_equal(mode_of(fixture_path("a/b")), 0700);
    assert_int_equal(mode_of(fixture_path("a/b/p.db")), 0600);
    assert_int_equal(mode_of(fixture_path("a/b/p.db-wal")), 0600);
    assert_int_equal(mode_of(fixture_path("a/b/p.db-shm")), 0600);
    assert_int_equal(mode_of(fixture_path("a/b/p.db-writer")), 0600);
    assert_int_equal(fixture_integer(store, "PRAGMA page_size"), 16384);
    assert_string_equal(fixture_text(store, "PRAGMA journal_mode"), "wal");
    assert_string_equal(fixture_text(store, "PRAGMA integrity_check"), "ok");
    p11prof_store_close(store);
    store = fixture_open(fixture_path("a/b/p.db"), P11PROF_STORE_CREATE | P11PROF_STORE_MIGRATE);
    p11prof_store_id(store, second);
    assert_memory_equal(first, second, sizeof first);
    p11prof_store_close(store);
}

static void write_process(struct p11prof_store *store, uint8_t number)
{
    struct p11prof_spool_header *header = fixture_header(number, number);
    const struct p11prof_batch batch = {.process_ended = true};
    fixture_write(store, header, &batch);
    free(header);
}

/* As the drain thread does: it opens like a long-lived writer and ends like a short one. */
static void trims_the_log_of_who_became_short(void **state)
{
    (void)state;
    struct stat log;
    struct p11prof_store *store = fixture_open(fixture_path("p.db"), P11PROF_STORE_CREATE);
    for (uint8_t number = 1; number <= 20; number++)
        write_process(store, number);
    p11prof_store_no_checkpoint(store);
    assert_int_equal(fixture_integer(store, "PRAGMA synchronous"), 0);
    write_process(store, 21);
    p11prof_store_trim(store);
    p11prof_store_close(store);
    assert_int_equal(stat(fixture_path("p.db-wal"), &log), 0);
    assert_int_equal(log.st_size, 0);
}

static void goes_through_linked_folders(void **state)
{
    (void)state;
    assert_int_equal(mkdir(fixture_path("real"), 0700), 0);
    assert_int_equal(symlink("real", fixture_path("link")), 0);
    p11prof_store_close(fixture_open(fixture_path("link/p.db"), P11PROF_STORE_CREATE));
    assert_int_equal(access(fixture_path("real/p.db"), F_OK), 0);
}

static void refuses_what_is_not_ours(void **state)
{
    (void)state;
    const char *path = fixture_path("p.db");
    fixture_refused(path, 0, P11PROF_MISSING, "No such file");
    fixture_refused(fixture_path("none/p.db"), 0, P11PROF_MISSING, "folder");
    change(path, "CREATE TABLE t (a); PRAGMA application_id = 7");
    fixture_refused(path, P11PROF_STORE_CREATE, P11PROF_REFUSED, "another program's");
    put(fixture_path("junk"), "This is no database at all, but a text of some length.\n");
    fixture_refused(fixture_path("junk"), P11PROF_STORE_CREATE, P11PROF_REFUSED, "not a database");
    put(fixture_path("empty"), "");
    fixture_refused(fixture_path("empty"), P11PROF_STORE_CREATE, P11PROF_REFUSED, "empty");
    fixture_refused(fixture_folder, P11PROF_STORE_CREATE, P11PROF_REFUSED, "folder");
    assert_int_equal(mkfifo(fixture_path("fifo"), 0600), 0);
    fixture_refused(fixture_path("fifo"), P11PROF_STORE_CREATE, P11PROF_REFUSED, "regular file");
    assert_int_equal(symlink("p.db", fixture_path("link")), 0);
    fixture_refused(fixture_path("link"), P11PROF_STORE_CREATE, P11PROF_REFUSED, "symbolic link");
    assert_int_equal(fixture_files_with("-writer"), 0);
}

static void refuses_other_versions(void **state)
{
    (void)state;
    const char *path = fixture_path("p.db");
    p11prof_store_close(fixture_open(path, P11PROF_STORE_CREATE));
    change(path, "PRAGMA user_version = 9");
    fixture_refused(path, P11PROF_STORE_MIGRATE, P11PROF_REFUSED, "version 9");
    fixture_refused(path, P11PROF_STORE_READ_ONLY, P11PROF_REFUSED, "update p11prof");
    change(path, "PRAGMA user_version = 6; DELETE FROM meta");
    fixture_refused(path, P11PROF_STORE_MIGRATE, P11PROF_FAILED, "incomplete");
    change(path, "PRAGMA user_version = 0");
    fixture_refused(path, P11PROF_STORE_CREATE, P11PROF_REFUSED, "older");
    fixture_refused(path, P11PROF_STORE_MIGRATE, P11PROF_REFUSED, "no way");
}

static void describes_damage(void **state)
{
    (void)state;
    const char *path = fixture_path("p.db");
    p11prof_store_close(fixture_open(path, P11PROF_STORE_CREATE));
    int fd = open(path, O_WRONLY);
    char junk[4096];
    memset(junk, 0x5a, sizeof junk);
    assert_int_equal(pwrite(fd, junk, sizeof junk, 100), sizeof junk);
    close(fd);
    fixture_refused(path, 0, P11PROF_FAILED, "damaged");
}

/* Root may write everywhere: an ordinary user tries. */
static void describes_missing_rights(void **state)
{
    (void)state;
    assert_int_equal(mkdir(fixture_path("closed"), 0555), 0);
    assert_int_equal(chmod(fixture_folder, 0755), 0);
    pid_t child = fork();
    if (child == 0) {
        struct p11prof_error error = {0};
        struct p11prof_store *store;
        bool ordinary = geteuid() != 0 || setuid(65534) == 0;
        p11prof_store_open(&store, fixture_path("closed/p.db"), P11PROF_STORE_CREATE, &error);
        bool one = error.status == P11PROF_FAILED && strstr(error.text, "Permission denied");
        p11prof_store_open(&store, fixture_path("closed/a/p.db"), P11PROF_STORE_CREATE, &error);
        bool two = error.status == P11PROF_FAILED && strstr(error.text, "closed/a: cannot make");
        _exit(ordinary && one && two ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

/* A command of a newer p11prof brings views and names up to date. */
static void refreshes_views(void **state)
{
    (void)state;
    const char *path = fixture_path("p.db");
    p11prof_store_close(fixture_open(path, P11PROF_STORE_CREATE));
    change(path, "DROP VIEW errors; DELETE FROM rv_name; CREATE VIEW old AS SELECT 1;"
                 "UPDATE meta SET tool_version = '0.0.1'");
    struct p11prof_store *store = fixture_open(path, P11PROF_STORE_MIGRATE);
    assert_int_equal(fixture_integer(store, "SELECT count(*) FROM errors"), 0);
    assert_true(fixture_integer(store, "SELECT count(*) FROM rv_name") > 90);
    assert_string_equal(fixture_text(store, "SELECT tool_version FROM meta"), P11PROF_VERSION);
    p11prof_store_close(store);
    change(path, "DROP VIEW errors; UPDATE meta SET tool_version = '99.0.0'");
    p11prof_store_close(fixture_open(path, P11PROF_STORE_MIGRATE));
    change(path, "CREATE VIEW errors AS SELECT 1"); /* still gone: a newer one's views stay */
}

/* Its own author may be anybody: a command has views of its own, and nothing runs by itself. */
static void believes_no_program_in_a_file(void **state)
{
    (void)state;
    static const unsigned flags[] = {P11PROF_STORE_READ_ONLY, P11PROF_STORE_MIGRATE};
    const char *path = fixture_path("p.db");
    p11prof_store_close(fixture_open(path, P11PROF_STORE_CREATE));
    change(path, "DROP VIEW runs; CREATE VIEW runs AS SELECT 7 AS run_id;"
                 "CREATE TRIGGER t AFTER UPDATE ON meta BEGIN DELETE FROM rv_name; END;"
                 "DROP TABLE baseline_run; CREATE VIEW baseline_run AS SELECT 1 AS run");
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        struct p11prof_store *store = NULL;
        struct p11prof_error error;
        assert_int_equal(p11prof_store_open(&store, path, flags[i], &error), P11PROF_OK);
        sqlite3 *db = p11prof_store_sqlite(store);
        assert_int_equal(fixture_integer(store, "SELECT count(*) FROM runs"), 0);
        assert_int_equal(sqlite3_exec(db, "SELECT * FROM baseline_run", NULL, NULL, NULL),
                         SQLITE_ERROR);
        assert_non_null(strstr(sqlite3_errmsg(db), "prohibited"));
        sqlite3_exec(db, "UPDATE meta SET tool_version = tool_version", NULL, NULL, NULL);
        assert_true(fixture_integer(store, "SELECT count(*) FROM rv_name") > 90);
        p11prof_store_close(store);
    }
}

/* A view's name is text, not SQL, wherever an older file's views are removed. */
static void quotes_names_of_views(void **state)
{
    (void)state;
    const char *path = fixture_path("p.db");
    p11prof_store_close(fixture_open(path, P11PROF_STORE_CREATE));
    change(path, "CREATE VIEW \"a\"\"; DELETE FROM kind_name; --\" AS SELECT 1;"
                 "CREATE VIEW a AS SELECT 1; UPDATE meta SET tool_version = '0.0.1'");
    struct p11prof_store *store = fixture_open(path, P11PROF_STORE_MIGRATE);
    assert_int_equal(fixture_integer(store, "SELECT count(*) FROM sqlite_schema "
                                            "WHERE type = 'view' AND name LIKE 'a%'"),
                     0);
    assert_true(fixture_integer(store, "SELECT count(*) FROM kind_name") > 0);
    p11prof_store_close(store);
}

/* All columns of all tables and views, the lists of UNIQUE, the references and what kind of table
 * each is. The caller frees it. */
static char *shape(struct p11prof_store *store)
{
    static const char sql[] =
        "SELECT group_concat(line, char(10)) FROM (SELECT s.name || ' ' || s.strict || s.wr || ' ' "
        "|| c.cid || ' ' || c.name || ' ' || c.type || ' ' || c.\"notnull\" || ' ' || "
        "ifnull(c.dflt_value, '-') || ' ' || c.pk || ' ' || (SELECT count(*) FROM "
        "pragma_index_list(s.name) AS i JOIN pragma_index_info(i.name)) || ' ' || ifnull((SELECT "
        "f.\"table\" || ' ' || f.on_delete FROM pragma_foreign_key_list(s.name) AS f WHERE "
        "f.\"from\" = c.name), '-') AS line FROM pragma_table_list AS s, "
        "pragma_table_info(s.name) AS c WHERE s.type IN ('table', 'view') ORDER BY 1)";
    sqlite3_stmt *statement;
    assert_int_equal(sqlite3_prepare_v2(p11prof_store_sqlite(store), sql, -1, &statement, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    char *text = strdup((const char *)sqlite3_column_text(statement, 0));
    assert_true(strlen(text) > 10000);
    sqlite3_finalize(statement);
    return text;
}

/* Brings the database that the SQL file describes up to date and compares it with a new one. */
static struct p11prof_store *migrate(const char *data)
{
    const char *path = fixture_path("old.db");
    char sql[32768];
    FILE *file = fopen(data, "r");
    assert_non_null(file);
    sql[fread(sql, 1, sizeof sql - 1, file)] = '\0';
    fclose(file);
    change(path, sql);
    fixture_refused(path, P11PROF_STORE_CREATE, P11PROF_REFUSED, "older");
    p11prof_store_close(fixture_open(path, P11PROF_STORE_MIGRATE));
    struct p11prof_store *old = fixture_open(path, P11PROF_STORE_CREATE);
    struct p11prof_store *new = fixture_open(fixture_path("new.db"), P11PROF_STORE_CREATE);
    char *old_shape = shape(old), *new_shape = shape(new);
    if (strcmp(old_shape, new_shape) != 0) {
        size_t same = 0;
        while (old_shape[same] && old_shape[same] == new_shape[same])
            same++;
        fail_msg("migrated: %.200s\nnew: %.200s", old_shape + same, new_shape + same);
    }
    free(old_shape);
    free(new_shape);
    p11prof_store_close(new);
    assert_int_equal(fixture_integer(old, "PRAGMA user_version"), P11PROF_SCHEMA_VERSION);
    assert_string_equal(fixture_text(old, "PRAGMA integrity_check"), "ok");
    assert_int_equal(fixture_integer(old, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
    assert_string_equal(
        fixture_text(old, "SELECT operation || ' ' || count || ' ' || p50_ns FROM operation_stats"),
        "sign 1 20");
    assert_int_equal(fixture_integer(old, "SELECT count(*) FROM threads"), 0); /* never invented */
    return old;
}

static void migrates_version_1(void **state)
{
    (void)state;
    struct p11prof_store *old = migrate(P11PROF_TEST_DATA "/schema-1.sql");
    assert_string_equal(
        fixture_text(old, "SELECT run_id || ' ' || operation || ' ' || duration_ns || ' ' || "
                          "(test IS NULL) FROM operations"),
        "7 sign 20 1");
    p11prof_store_close(old);
}

static void migrates_version_2(void **state)
{
    (void)state;
    struct p11prof_store *old = migrate(P11PROF_TEST_DATA "/schema-2.sql");
    assert_string_equal(
        fixture_text(old, "SELECT run_id || ' ' || operation || ' ' || duration_ns || ' ' || test "
                          "|| ' ' || step || ' ' || phase FROM operations"),
        "7 sign 20 aes-128-sign 2 measured");
    assert_int_equal(fixture_integer(old, "SELECT thread_id FROM load_threads"), 99);
    p11prof_store_close(old);
}

static void migrates_version_3(void **state)
{
    (void)state;
    struct p11prof_store *old = migrate(P11PROF_TEST_DATA "/schema-3.sql");
    assert_string_equal(
        fixture_text(old, "SELECT count || ' ' || mean_ns || ' ' || max_ns FROM errors"),
        "2 15 20");
    assert_string_equal(
        fixture_text(old,
                     "SELECT test || ' ' || (mix IS NULL) || ' ' || (weight IS NULL) || ' ' || "
                     "(suite IS NULL) FROM loads"),
        "aes-128-sign 1 1 1");
    p11prof_store_close(old);
}

static void migrates_version_4(void **state)
{
    (void)state;
    struct p11prof_store *old = migrate(P11PROF_TEST_DATA "/schema-4.sql");
    assert_string_equal(
        fixture_text(old, "SELECT suite || ' ' || weight || ' ' || (rate IS NULL) || ' ' || "
                          "(missed_count IS NULL) FROM loads"),
        "Suite 0.5 1 1");
    assert_int_equal(fixture_integer(old, "SELECT intended_start_ns IS NULL FROM operations"), 1);
    assert_int_equal(
        fixture_integer(old, "SELECT item_count IS NULL AND detail IS NULL FROM calls"), 1);
    p11prof_store_close(old);
}

static void migrates_version_5(void **state)
{
    (void)state;
    struct p11prof_store *old = migrate(P11PROF_TEST_DATA "/schema-5.sql");
    assert_string_equal(
        fixture_text(old, "SELECT caller || ' ' || (caller_offset_bytes IS NULL) || ' ' || "
                          "(caller_symbol IS NULL) || ' ' || item_count FROM calls"),
        "engine.so 1 1 2");
    assert_string_equal(
        fixture_text(old, "SELECT rate || ' ' || arrivals || ' ' || ramp FROM loads"),
        "100.0 poisson 3");
    p11prof_store_close(old);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(creates_once),
        TEST(trims_the_log_of_who_became_short),
        TEST(goes_through_linked_folders),
        TEST(refuses_what_is_not_ours),
        TEST(refuses_other_versions),
        TEST(describes_damage),
        TEST(describes_missing_rights),
        TEST(refreshes_views),
        TEST(believes_no_program_in_a_file),
        TEST(quotes_names_of_views),
        TEST(migrates_version_1),
        TEST(migrates_version_2),
        TEST(migrates_version_3),
        TEST(migrates_version_4),
        TEST(migrates_version_5),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
