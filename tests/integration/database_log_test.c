/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Databases whose write-ahead log was left by a writer that was killed in its transaction, with
 * what else may lie in such a log and its index: the next application and the next command read
 * what was committed, once, and nothing else. */
#include "fault.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CALLS = 1009, LOG_HEAD_BYTES = 32, FRAME_HEAD_BYTES = 24 };

static const char *beside(const struct fault *fault, const char *suffix)
{
    static char path[400];
    snprintf(path, sizeof path, "%s%s", fault->driven.db, suffix);
    return path;
}

static off_t file_bytes(const char *path)
{
    struct stat facts;
    return stat(path, &facts) == 0 ? facts.st_size : 0;
}

/* Pages of a transaction that is too large for the cache are in the log before its commit. */
static void writer_is_killed(const struct fault *fault)
{
    int status;
    off_t before = file_bytes(beside(fault, "-wal"));
    pid_t child = fork();
    if (child == 0) {
        sqlite3 *db;
        if (sqlite3_open(fault->driven.db, &db) == SQLITE_OK &&
            sqlite3_exec(db,
                         "PRAGMA cache_size = 5; BEGIN IMMEDIATE; "
                         "CREATE TABLE left (bytes); "
                         "INSERT INTO left SELECT randomblob(2000) FROM call; "
                         "UPDATE call SET duration_ns = duration_ns + 1; DELETE FROM call",
                         NULL, NULL, NULL) == SQLITE_OK)
            kill(getpid(), SIGKILL);
        _exit(1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_true(before > LOG_HEAD_BYTES); /* what was committed is in the log, too */
    assert_true(file_bytes(beside(fault, "-wal")) > before);
}

/* --- what else is wrong --- */

static void nothing_else(const struct fault *fault)
{
    (void)fault;
}

static void last_frame_torn(const struct fault *fault)
{
    const char *log = beside(fault, "-wal");
    assert_int_equal(truncate(log, file_bytes(log) - 1000), 0);
}

static void last_frame_is_a_head(const struct fault *fault)
{
    const char *log = beside(fault, "-wal");
    off_t frame = FRAME_HEAD_BYTES + 16384;
    off_t whole = (file_bytes(log) - LOG_HEAD_BYTES) / frame;
    assert_int_equal(truncate(log, LOG_HEAD_BYTES + (whole - 1) * frame + FRAME_HEAD_BYTES / 2), 0);
}

static void noise_append(const char *path, off_t offset, size_t bytes)
{
    char noise[65536];
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0 && bytes <= sizeof noise);
    for (size_t i = 0; i < bytes; i++)
        noise[i] = (char)rand();
    assert_int_equal(pwrite(fd, noise, bytes, offset), bytes);
    close(fd);
}

static void noise_behind(const struct fault *fault)
{
    const char *log = beside(fault, "-wal");
    noise_append(log, file_bytes(log), 40000);
}

static void index_is_noise(const struct fault *fault)
{
    noise_append(beside(fault, "-shm"), 0, 32768);
}

static void index_is_gone(const struct fault *fault)
{
    unlink(beside(fault, "-shm"));
}

/* Of another database of ours: whole frames with good sums, but of another log. */
static void frames_of_another(const struct fault *fault)
{
    struct fault other;
    static char frames[1 << 20];
    fault_set_up(&other);
    fault_run(&other, "finalize", "exit", 1, CALLS);
    int from = open(beside(&other, "-wal"), O_RDONLY | O_CLOEXEC);
    ssize_t bytes = pread(from, frames, sizeof frames, LOG_HEAD_BYTES);
    close(from);
    assert_true(bytes > FRAME_HEAD_BYTES);
    off_t frame = FRAME_HEAD_BYTES + 16384;
    const char *log = beside(fault, "-wal");
    off_t whole = (file_bytes(log) - LOG_HEAD_BYTES) / frame;
    int to = open(log, O_WRONLY | O_CLOEXEC);
    assert_int_equal(pwrite(to, frames, (size_t)bytes, LOG_HEAD_BYTES + whole * frame), bytes);
    close(to);
    close(other.driven.end);
    fault_tear_down(&other);
}

static const struct {
    const char *name;
    void (*make)(const struct fault *fault);
} cases[] = {
    {"the log of a killed writer", nothing_else},
    {"a torn last frame", last_frame_torn},
    {"half the head of a frame", last_frame_is_a_head},
    {"noise behind the log", noise_behind},
    {"frames of another log behind it", frames_of_another},
    {"an index of noise", index_is_noise},
    {"no index", index_is_gone},
};

/* --- who comes next --- */

static void command_counts(const struct fault *fault)
{
    char line[1200], said[64] = "";
    snprintf(line, sizeof line,
             "P11PROF_DB='%s' P11PROF_SPOOL='%s' '%s' sql 'SELECT sum(call_count) FROM runs' "
             "2>/dev/null | tr -dc '0-9'",
             fault->driven.db, fault->driven.spool, getenv("P11PROF_TEST_COMMAND"));
    FILE *pipe = popen(line, "r");
    assert_non_null(pipe);
    assert_non_null(fgets(said, sizeof said, pipe));
    assert_int_equal(pclose(pipe), 0);
    unsigned long long returned = driven_returned(&fault->driven);
    /* C_GetFunctionList, C_Initialize and C_Finalize are calls, too. */
    assert_true(strtoull(said, NULL, 10) >= returned);
    assert_true(strtoull(said, NULL, 10) <= returned + 10);
}

static void one_case(size_t number, const char *next)
{
    struct fault fault;
    printf("%s, then %s\n", cases[number].name, next);
    fault_set_up(&fault);
    fault_run(&fault, "finalize", "exit", 2, CALLS);
    assert_int_equal(fault_spools(&fault), 0);
    close(fault.driven.end);
    writer_is_killed(&fault);
    cases[number].make(&fault);
    if (strcmp(next, "command") == 0)
        command_counts(&fault);
    fault_run(&fault, "finalize", strcmp(next, "command") == 0 ? "exit" : next, 2, CALLS);
    assert_int_equal(fault_spools(&fault), 0);
    fault_exact(&fault);
    assert_int_equal(driven_ask(&fault.driven, "SELECT count(*) FROM sqlite_schema WHERE "
                                               "name = 'left'"),
                     0);
    assert_int_equal(driven_ask(&fault.driven, "SELECT count(*) FROM pragma_integrity_check WHERE "
                                               "integrity_check = 'ok'"),
                     1);
    fault_tear_down(&fault);
}

static void test_thread_next(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        one_case(i, "thread");
}

static void test_exit_next(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        one_case(i, "exit");
}

static void test_command_next(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        one_case(i, "command");
}

/* The log of another database instead of one's own, which SQLite believes: what an application does
 * then is in the database or stays in its spool. */
static void test_log_of_another(void **state)
{
    (void)state;
    for (int exits = 0; exits < 2; exits++) {
        struct fault fault, other;
        char command[1000];
        fault_set_up(&fault);
        fault_set_up(&other);
        fault_run(&fault, "finalize", "exit", 2, CALLS);
        close(fault.driven.end);
        fault_run(&other, "finalize", "exit", 1, CALLS);
        snprintf(command, sizeof command, "cp '%s-wal' '%s-wal' && rm -f '%s-shm'", other.driven.db,
                 fault.driven.db, fault.driven.db);
        assert_int_equal(system(command), 0);
        fault_run(&fault, "finalize", exits ? "exit" : "thread", 2, CALLS);
        close(other.driven.end);
        close(fault.driven.end);
        fault_tear_down(&other);
        fault_tear_down(&fault);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_thread_next),
        cmocka_unit_test(test_exit_next),
        cmocka_unit_test(test_command_next),
        cmocka_unit_test(test_log_of_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
