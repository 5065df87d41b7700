/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Databases that run out of room at any byte, lose files, change places, are written by many at
 * once, have flipped bits or foreign contents: applications end well, what they did is in the
 * database or in a spool, and no command crashes. $P11PROF_TEST_ROUNDS is how many sizes and seeds
 * are tried. */
#include "damage.h"
#include "fault.h"
#include "p11prof/drain.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CALLS = 1009, WRITERS = 8, FLIPS = 8 };

static const char *const drains[] = {"thread", "exit"};

static unsigned rounds(unsigned otherwise)
{
    const char *text = getenv("P11PROF_TEST_ROUNDS");
#ifdef __SANITIZE_ADDRESS__
    otherwise /= 3; /* its programs start slowly */
#endif
    return text ? (unsigned)atoi(text) : otherwise;
}

/* --- room --- */

/* From too little for an empty database to enough for all, in odd steps. */
static void test_disk_of_any_size(void **state)
{
    unsigned count = rounds(16), kept = 0;
    (void)state;
    for (unsigned i = 0; i < count; i++) {
        struct fault fault;
        char size[32];
        snprintf(size, sizeof size, "size=%uk", 500 + 3600 * i / count / 4 * 4);
        fault_set_up(&fault);
        if (!fault_disk(&fault, size)) {
            fault_tear_down(&fault);
            skip();
        }
        fault_db(&fault, fault.disk, "test.db");
        fault_run(&fault, "finalize", drains[i % 2], 3, CALLS);
        kept += fault_spools(&fault) > 0;
        fault_disk_change(&fault, 0, "size=64m");
        fault_exact(&fault);
        fault_tear_down(&fault);
    }
    printf("%u of %u disks were too small\n", kept, count);
    assert_true(kept > 0 && kept < count);
}

/* --- places --- */

/* As the first version made it: an application leaves it alone, a command brings it up. */
static void test_older_schema(void **state)
{
    (void)state;
    for (size_t drain = 0; drain < 2; drain++) {
        struct fault fault;
        char *text = NULL;
        size_t bytes = 0;
        FILE *file = fopen(P11PROF_TEST_DATA "/schema-1.sql", "r");
        assert_non_null(file);
        assert_true(getdelim(&text, &bytes, '\0', file) > 0);
        fclose(file);
        fault_set_up(&fault);
        damage_sql(fault.driven.db, text);
        free(text);
        fault_run(&fault, "finalize", drains[drain], 2, CALLS);
        fault_said(&fault, "run `p11prof runs` once to bring it up to date");
        assert_int_equal(fault_spools(&fault), 1);
        assert_int_equal(driven_ask(&fault.driven, "PRAGMA user_version"), 1);
        driven_collect(&fault.driven);
        assert_int_equal(fault_spools(&fault), 0);
        assert_true(driven_ask(&fault.driven, "PRAGMA user_version") > 1);
        driven_assert_exact(&fault.driven, false);
        fault_tear_down(&fault);
    }
}

static void wait_for_rows(struct fault *fault, long long rows)
{
    for (int i = 0; i < 1000; i++) {
        if (access(fault->driven.db, F_OK) == 0 &&
            driven_ask(&fault->driven, "SELECT count(*) FROM calls") >= rows)
            return;
        usleep(10000);
    }
    fail_msg("no %lld rows after 10 s", rows);
}

static void folder_gone(const char *path, const char *away)
{
    (void)path, (void)away;
}

static void folder_is_file(const char *path, const char *away)
{
    (void)away;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_true(fd >= 0);
    close(fd);
}

static void folder_is_link(const char *path, const char *away)
{
    char elsewhere[400];
    snprintf(elsewhere, sizeof elsewhere, "%s-elsewhere", away);
    assert_int_equal(mkdir(elsewhere, 0700), 0);
    assert_int_equal(symlink(elsewhere, path), 0);
}

static void folder_is_loop(const char *path, const char *away)
{
    (void)away;
    assert_int_equal(symlink(path, path), 0);
}

/* The folder of the database changes under an application that writes into it; what it recorded
 * before is in the old one, what comes after is in the spool, or in what stands there now. */
static void test_folder_changes(void **state)
{
    static const struct {
        void (*make)(const char *path, const char *away);
        const char *says;
    } changes[] = {
        {folder_gone, "was deleted or replaced while it was open"},
        {folder_is_file, "was deleted or replaced while it was open"},
        {folder_is_link, "was deleted or replaced while it was open"},
        {folder_is_loop, "the database cannot be reached any more: "},
    };
    (void)state;
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        struct fault fault;
        char path[400], away[400];
        fault_set_up(&fault);
        snprintf(path, sizeof path, "%s/place", fault.driven.folder);
        snprintf(away, sizeof away, "%s/away", fault.driven.folder);
        assert_int_equal(mkdir(path, 0700), 0);
        fault_db(&fault, path, "test.db");
        fault_start(&fault, "phases", "thread", 1, CALLS);
        wait_for_rows(&fault, CALLS);
        assert_int_equal(rename(path, away), 0);
        changes[i].make(path, away);
        atomic_store(&fault.driven.counts->phase, 1);
        fault_end(&fault);
        if (fault_spoke(&fault)) /* a slow machine's thread may not get so far in 250 ms */
            fault_said(&fault, changes[i].says);
        remove(path);
        assert_int_equal(rename(away, path), 0);
        fault_exact(&fault);
        fault_tear_down(&fault);
    }
}

/* --- files beside the database --- */

/* Between two applications nobody needs them. */
static void test_lost_index(void **state)
{
    struct fault fault;
    char path[400];
    (void)state;
    fault_set_up(&fault);
    for (int i = 0; i < 4; i++) {
        fault_run(&fault, "finalize", drains[i % 2], 2, CALLS);
        close(fault.driven.end);
        snprintf(path, sizeof path, "%s-shm", fault.driven.db);
        unlink(path);
        snprintf(path, sizeof path, "%s-writer", fault.driven.db);
        unlink(path);
    }
    fault_run(&fault, "finalize", "thread", 2, CALLS);
    fault_exact(&fault);
    fault_tear_down(&fault);
}

/* Whoever cleans up beside a running application: what was written so far is not lost with it. */
static void test_log_removed_in_use(void **state)
{
    static const char *const suffixes[] = {"-wal", "-shm"};
    (void)state;
    for (unsigned which = 1; which <= 3; which++) {
        struct fault fault;
        fault_set_up(&fault);
        fault_start(&fault, "phases", "thread", 2, CALLS);
        wait_for_rows(&fault, 2 * CALLS);
        for (unsigned i = 0; i < 2; i++) {
            char path[400];
            snprintf(path, sizeof path, "%s%s", fault.driven.db, suffixes[i]);
            if (which & 1u << i)
                assert_int_equal(unlink(path), 0);
        }
        atomic_store(&fault.driven.counts->phase, 1);
        fault_end(&fault);
        fault_exact(&fault);
        fault_tear_down(&fault);
    }
}

/* --- many writers --- */

static void test_many_writers(void **state)
{
    struct driven places[WRITERS];
    pid_t children[WRITERS];
    int status;
    (void)state;
    unsigned long calls = getenv("P11PROF_TEST_ROUNDS") ? 400009 : 20011;
    for (unsigned i = 0; i < WRITERS; i++) {
        driven_set_up(&places[i]);
        if (i > 0)
            snprintf(places[i].db, sizeof places[i].db, "%s", places[0].db);
        children[i] = driven_start(&places[i], i % 4 == 3 ? "again" : "finalize", drains[i % 2], 2,
                                   i % 4 == 3 ? calls / 3 : calls);
    }
    for (unsigned i = 0; i < WRITERS; i++) {
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
    unsigned long long returned = 0;
    for (unsigned i = 0; i < WRITERS; i++) {
        driven_collect(&places[i]);
        driven_assert_exact(&places[i], false);
        returned += driven_returned(&places[i]);
    }
    assert_int_equal(
        driven_ask(&places[0], "SELECT count(*) FROM calls WHERE function = 'C_GenerateRandom'"),
        returned);
    assert_int_equal(driven_ask(&places[0], "SELECT sum(lost_count) FROM runs"), 0);
    assert_int_equal(driven_ask(&places[0], "SELECT count(*) FROM pragma_integrity_check WHERE "
                                            "integrity_check = 'ok'"),
                     1);
    for (unsigned i = WRITERS; i-- > 0;)
        driven_tear_down(&places[i]);
}

/* --- flipped bits --- */

static uint64_t random_next(uint64_t *seed)
{
    *seed ^= *seed << 13, *seed ^= *seed >> 7, *seed ^= *seed << 17;
    return *seed;
}

/* Seeds 0, 3, …: anywhere; 1, 4, …: in the heads of pages; 2, 5, …: in the first page. */
static void flip(char *held, size_t bytes, unsigned number)
{
    uint64_t seed = UINT64_C(88172645463325252) + number * UINT64_C(0x9e3779b97f4a7c15);
    for (unsigned i = 0; i < FLIPS; i++) {
        uint64_t random = random_next(&seed) >> 8;
        size_t place = number % 3 == 0   ? random % bytes
                       : number % 3 == 1 ? random % (bytes >> 14) << 14 | random_next(&seed) % 128
                                         : random % 16384;
        held[place] = (char)(held[place] ^ 1 << random_next(&seed) % 8);
    }
}

static const char *const commands[] = {
    "runs",
    "report",
    "report --format json",
    "export --format json",
    "calls",
    "errors",
    "advise --all",
    "timeline",
    "histogram",
    "export --format prometheus",
    "export --format trace",
    "compare 1 1",
    "prune --dry-run --rows 1d",
    "doctor",
    "sql 'SELECT count(*), sum(duration_ns) FROM calls'",
};

enum { COMMANDS = sizeof commands / sizeof *commands };

/* What SQLite itself finds; a damaged head counts too. */
static bool is_whole(const char *path)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    bool whole =
        sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW &&
        strcmp((const char *)sqlite3_column_text(statement, 0), "ok") == 0;
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return whole;
}

/* Removes what a database has beside it. */
struct flips {
    unsigned whole_count, damaged_count, kept_count, different_count;
};

static void commands_try(const struct fault *fault, unsigned number,
                         char (*reference)[DAMAGE_SAID_BYTES], struct flips *flips)
{
    static char said[DAMAGE_SAID_BYTES];
    bool whole = is_whole(fault->driven.db);
    flips->whole_count += whole;
    flips->damaged_count += !whole;
    for (unsigned i = 0; i < COMMANDS; i++) {
        int status = damage_command(fault, commands[i], said, sizeof said);
        if (!damage_ended_well(status, said))
            fail_msg("seed %u: p11prof %s: status 0x%x: %s", number, commands[i], (unsigned)status,
                     said);
        if (WEXITSTATUS(status) >= 2 && !said[0])
            fail_msg("seed %u: p11prof %s fails and says nothing", number, commands[i]);
        if (strcmp(commands[i], "doctor") == 0 && !whole && WEXITSTATUS(status) != 1)
            fail_msg("seed %u: doctor finds nothing", number);
        if (strstr(commands[i], "sql") && whole && status == 0)
            flips->different_count += strcmp(said, reference[i]) != 0;
    }
}

/* An application that drains into it ends well; what is not in the database is in the spool. */
static void application_try(struct fault *fault, unsigned number, struct flips *flips)
{
    close(fault->driven.end);
    memset(fault->driven.counts, 0, sizeof *fault->driven.counts);
    fault_run(fault, "finalize", drains[number % 2], 1, CALLS);
    if (fault_spools(fault) == 0) {
        if (is_whole(fault->driven.db))
            driven_assert_exact(&fault->driven, false);
        return;
    }
    struct p11prof_store *store;
    struct p11prof_collect_result result;
    struct p11prof_error error;
    const struct p11prof_collect_options options = {
        .folder = fault->driven.spool, .adopt = true, .wait_ms = 5000};
    flips->kept_count++;
    damage_db_remove(fault);
    assert_int_equal(p11prof_store_open(&store, fault->driven.db, P11PROF_STORE_CREATE, &error),
                     P11PROF_OK);
    assert_int_equal(p11prof_collect(store, &options, &result, &error), P11PROF_OK);
    p11prof_store_close(store);
    assert_int_equal(fault_spools(fault), 0);
    driven_assert_exact(&fault->driven, false);
}

static void test_flipped_bits(void **state)
{
    static char reference[COMMANDS][DAMAGE_SAID_BYTES];
    struct fault fault;
    struct flips flips = {0};
    unsigned count = rounds(12);
    size_t bytes;
    (void)state;
    fault_set_up(&fault);
    for (int i = 0; i < 3; i++) {
        fault_run(&fault, "finalize", drains[i % 2], 2, CALLS);
        if (i < 2)
            close(fault.driven.end);
    }
    damage_sql(fault.driven.db, "PRAGMA wal_checkpoint(TRUNCATE)");
    for (unsigned i = 0; i < COMMANDS; i++)
        damage_command(&fault, commands[i], reference[i], DAMAGE_SAID_BYTES);
    char *original = damage_file_read(fault.driven.db, &bytes), *held = malloc(bytes);
    for (unsigned number = 0; number < count; number++) {
        memcpy(held, original, bytes);
        flip(held, bytes, number);
        damage_db_remove(&fault);
        damage_file_write(fault.driven.db, held, bytes);
        commands_try(&fault, number, reference, &flips);
        damage_db_remove(&fault);
        damage_file_write(fault.driven.db, held, bytes);
        application_try(&fault, number, &flips);
    }
    printf("%u databases: SQLite finds %u damaged; %u spools were kept; %u of the %u others answer "
           "otherwise\n",
           count, flips.damaged_count, flips.kept_count, flips.different_count, flips.whole_count);
    free(original);
    free(held);
    fault_tear_down(&fault);
}

/* --- contents that p11prof never writes --- */

static const char *const values[] = {
    "9223372036854775807",
    "-9223372036854775807 - 1",
    "-1",
    "1e308",
    "NULL",
    "'a text'",
    "x'00ff00'",
    "printf('%.*c', 300000, 'x')",
    "char(27) || '[31m' || char(10)",
    "(SELECT max(id) FROM run)", /* where a parent is asked for: itself */
};

/* What went wrong once: tried every time. */
static const char *const known_changes[] = {"UPDATE run SET duration_ns = -1"};
enum { KNOWN_CHANGES = sizeof known_changes / sizeof *known_changes };

/* Without its rules: no type, no NOT NULL. */
static sqlite3 *lawless_open(const char *path)
{
    sqlite3 *db = NULL;
    damage_sql(path, "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = "
                     "replace(replace(sql, ') STRICT', ')'), 'NOT NULL', '') WHERE type = 'table'");
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_exec(db, "PRAGMA ignore_check_constraints = ON", NULL, NULL, NULL);
    return db;
}

/* One column of one table. */
static bool column_choose(sqlite3 *db, uint64_t number, char *table, char *column)
{
    sqlite3_stmt *row = NULL;
    const char *query = "SELECT t.name, c.name FROM sqlite_schema AS t, pragma_table_info(t.name) "
                        "AS c WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%' LIMIT 1 "
                        "OFFSET ?1 % (SELECT count(*) FROM sqlite_schema AS t, "
                        "pragma_table_info(t.name) WHERE t.type = 'table' AND t.name NOT LIKE "
                        "'sqlite%')";
    assert_int_equal(sqlite3_prepare_v2(db, query, -1, &row, NULL), SQLITE_OK);
    sqlite3_bind_int64(row, 1, (sqlite3_int64)(number >> 1));
    bool found = sqlite3_step(row) == SQLITE_ROW;
    if (found) {
        snprintf(table, 64, "%s", (const char *)sqlite3_column_text(row, 0));
        snprintf(column, 64, "%s", (const char *)sqlite3_column_text(row, 1));
    }
    sqlite3_finalize(row);
    return found;
}

/* Puts a value into a column: into one row, or all. Describes it in `what`. */
static void contents_change(const char *path, unsigned number, char *what, size_t what_bytes)
{
    uint64_t seed = UINT64_C(88172645463325252) + number * UINT64_C(0x9e3779b97f4a7c15);
    char table[64], column[64];
    random_next(&seed);
    sqlite3 *db = lawless_open(path);
    assert_true(column_choose(db, random_next(&seed), table, column));
    if (number < KNOWN_CHANGES)
        snprintf(what, what_bytes, "%s", known_changes[number]);
    else
        snprintf(what, what_bytes, "UPDATE OR IGNORE \"%s\" SET \"%s\" = %s %s", table, column,
                 values[random_next(&seed) / 7 % (sizeof values / sizeof *values)],
                 number % 2 ? "" : "WHERE rowid = 1");
    sqlite3_exec(db, what, NULL, NULL, NULL);
    sqlite3_exec(db, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL);
    sqlite3_close(db);
}

static void test_hostile_contents(void **state)
{
    static char said[DAMAGE_SAID_BYTES];
    struct fault fault;
    char what[300];
    unsigned count = rounds(12);
    size_t bytes;
    (void)state;
    fault_set_up(&fault);
    for (int i = 0; i < 3; i++) {
        fault_run(&fault, "finalize", drains[i % 2], 2, CALLS);
        close(fault.driven.end);
    }
    damage_sql(fault.driven.db, "PRAGMA wal_checkpoint(TRUNCATE)");
    char *original = damage_file_read(fault.driven.db, &bytes);
    for (unsigned number = 0; number < count; number++) {
        damage_db_remove(&fault);
        damage_file_write(fault.driven.db, original, bytes);
        contents_change(fault.driven.db, number, what, sizeof what);
        for (unsigned i = 0; i < COMMANDS; i++) {
            int status = damage_command(&fault, commands[i], said, sizeof said);
            if (!damage_ended_well(status, said))
                fail_msg("%s; p11prof %s: status 0x%x: %s", what, commands[i], (unsigned)status,
                         said);
            if (strchr(said, '\033'))
                fail_msg("%s; p11prof %s: prints control characters", what, commands[i]);
        }
    }
    free(original);
    fault_tear_down(&fault);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_disk_of_any_size),   cmocka_unit_test(test_older_schema),
        cmocka_unit_test(test_folder_changes),     cmocka_unit_test(test_lost_index),
        cmocka_unit_test(test_log_removed_in_use), cmocka_unit_test(test_many_writers),
        cmocka_unit_test(test_flipped_bits),       cmocka_unit_test(test_hostile_contents),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
