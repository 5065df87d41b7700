/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The operations of a mix are, one by one, those that the token itself logged, in this order, and
 * the same seed draws them again. */
#include "../modules/call_log.h"
#include "driven.h"

#include "p11prof/calls.h"

#include <fcntl.h>
#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EACH = 900, THREADS = 2, OPERATIONS = EACH * THREADS, ENTRIES_MOST = 32768 };

struct operation {
    uint64_t thread_id, start_ns, duration_ns;
    char letter; /* of its test: s, v, h, r */
};

/* What begins an operation, and how many calls it is. */
static const struct {
    uint64_t function;
    char letter;
    unsigned call_count;
} kinds[] = {{P11PROF_C_SignInit, 's', 2},
             {P11PROF_C_VerifyInit, 'v', 2},
             {P11PROF_C_DigestInit, 'h', 2},
             {P11PROF_C_GenerateRandom, 'r', 1}};

static int by_thread_and_start(const void *left, const void *right)
{
    const struct operation *a = left, *b = right;
    if (a->thread_id != b->thread_id)
        return a->thread_id < b->thread_id ? -1 : 1;
    return (a->start_ns > b->start_ns) - (a->start_ns < b->start_ns);
}

/* --- what the token says --- */

static bool operation_read(const struct call_log_entry *entries, size_t entry_count, size_t first,
                           struct operation *out)
{
    for (size_t kind = 0; kind < sizeof kinds / sizeof kinds[0]; kind++) {
        if (entries[first].function != kinds[kind].function)
            continue;
        *out = (struct operation){entries[first].thread_id, entries[first].start_ns,
                                  entries[first].duration_ns, kinds[kind].letter};
        size_t next = first + 1;
        while (kinds[kind].call_count > 1 && next < entry_count &&
               entries[next].thread_id != entries[first].thread_id)
            next++;
        if (kinds[kind].call_count > 1 && next < entry_count)
            out->duration_ns += entries[next].duration_ns;
        return true;
    }
    return false;
}

/* The last ones of each thread were measured, those before only tried. */
static void log_read(const char *path, struct operation out[OPERATIONS])
{
    static struct call_log_entry entries[ENTRIES_MOST];
    static struct operation all[ENTRIES_MOST];
    size_t count = 0, kept = 0;
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t entry_count = fread(entries, sizeof *entries, ENTRIES_MOST, file);
    fclose(file);
    for (size_t i = 0; i < entry_count; i++)
        count += operation_read(entries, entry_count, i, &all[count]);
    qsort(all, count, sizeof *all, by_thread_and_start);
    for (size_t i = 0; i < count; i++) {
        bool last = i + EACH >= count || all[i + EACH].thread_id != all[i].thread_id;
        assert_true(!last || kept < OPERATIONS);
        if (last)
            out[kept++] = all[i];
    }
    assert_int_equal(kept, OPERATIONS);
}

/* --- what the bench says --- */

static sqlite3 *open_db(const struct driven *driven)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open_v2(driven->db, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    return db;
}

static const char operations_sql[] =
    "SELECT thread_id, start_ns, duration_ns, CASE test WHEN 'rsa-2048-sign' THEN 's' "
    "WHEN 'rsa-2048-verify' THEN 'v' WHEN 'sha-256' THEN 'h' WHEN 'random-32' THEN 'r' ELSE '?' "
    "END FROM operations WHERE phase = 'measured' ORDER BY thread_id, start_ns";

static void db_read(const struct driven *driven, struct operation out[OPERATIONS])
{
    sqlite3_stmt *rows;
    size_t count = 0;
    int result;
    sqlite3 *db = open_db(driven);
    assert_int_equal(sqlite3_prepare_v2(db, operations_sql, -1, &rows, NULL), SQLITE_OK);
    while ((result = sqlite3_step(rows)) == SQLITE_ROW && count < OPERATIONS)
        out[count++] = (struct operation){
            (uint64_t)sqlite3_column_int64(rows, 0), (uint64_t)sqlite3_column_int64(rows, 1),
            (uint64_t)sqlite3_column_int64(rows, 2), *(const char *)sqlite3_column_text(rows, 3)};
    assert_int_equal(result, SQLITE_DONE);
    assert_int_equal(count, OPERATIONS);
    sqlite3_finalize(rows);
    sqlite3_close(db);
}

static const char share_sql[] =
    "SELECT sum(duration_ns) FILTER (WHERE test = 'rsa-2048-sign') * 1.0 / sum(duration_ns) "
    "FROM operations WHERE phase = 'measured'";

static double number(const struct driven *driven, const char *sql)
{
    sqlite3_stmt *row;
    sqlite3 *db = open_db(driven);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &row, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(row), SQLITE_ROW);
    double value = sqlite3_column_double(row, 0);
    sqlite3_finalize(row);
    sqlite3_close(db);
    return value;
}

/* --- running --- */

static void run_bench(const struct driven *driven, const char *seed)
{
    const char *command = getenv("P11PROF_TEST_COMMAND");
    char log[320];
    int status;
    snprintf(log, sizeof log, "%s/delays", driven->folder);
    pid_t child = fork();
    if (child == 0) {
        setenv("P11PROF_SPOOL", driven->spool, 1);
        setenv("P11PROF_TEST_DELAY_LOG", log, 1);
        setenv("P11PROF_TEST_TOKEN", "delays=shuffled:50us-500us", 1);
        setenv("FAKE_PIN", "1234", 1);
        dup2(open("/dev/null", O_WRONLY), STDOUT_FILENO);
        execl(command, command, "bench", "--module", getenv("P11PROF_TEST_TOKEN_MODULE"),
              "--token-label", "fake", "--pin-source", "env:FAKE_PIN", "--db", driven->db,
              "--quiet", "--mix", "sign:40%,verify:30%,sha-256:20%,random:10%", "--warmup", "0",
              "--verify", "none", "--slices", "7", "--record", "calls", "--threads", "2",
              "--iterations", "900", "--seed", seed, NULL);
        _exit(98);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

/* The letters of both threads; threads are told apart by what they do, not by their ids. */
static void letters(const struct operation operations[OPERATIONS], char out[OPERATIONS + 1])
{
    char first[EACH + 1] = "", second[EACH + 1] = "";
    for (unsigned i = 0; i < EACH; i++) {
        first[i] = operations[i].letter;
        second[i] = operations[EACH + i].letter;
    }
    bool swapped = memcmp(first, second, EACH) > 0;
    snprintf(out, OPERATIONS + 1, "%.*s%.*s", EACH, swapped ? second : first, EACH,
             swapped ? first : second);
}

static void measure(const char *seed, char sequence[OPERATIONS + 1])
{
    static struct operation logged[OPERATIONS], found[OPERATIONS];
    struct driven driven;
    char log[320];
    uint64_t logged_ns = 0, sign_ns = 0;
    driven_set_up(&driven);
    snprintf(log, sizeof log, "%s/delays", driven.folder);
    run_bench(&driven, seed);
    log_read(log, logged);
    db_read(&driven, found);
    for (unsigned i = 0; i < OPERATIONS; i++) {
        assert_int_equal(found[i].thread_id, logged[i].thread_id);
        assert_int_equal(found[i].letter, logged[i].letter);
        assert_true(found[i].duration_ns >= logged[i].duration_ns);
        logged_ns += logged[i].duration_ns;
        sign_ns += logged[i].letter == 's' ? logged[i].duration_ns : 0;
    }
    double share = number(&driven, share_sql);
    assert_true(fabs(share - (double)sign_ns / (double)logged_ns) < 0.02);
    letters(found, sequence);
    driven_tear_down(&driven);
}

static void test_sequence(void **state)
{
    char first[OPERATIONS + 1], again[OPERATIONS + 1], other[OPERATIONS + 1];
    (void)state;
    measure("5", first);
    measure("5", again);
    measure("6", other);
    assert_string_equal(first, again);
    assert_string_not_equal(first, other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_sequence)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
