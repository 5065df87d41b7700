/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* An open loop on a token that stalls: what it reports is what a queue gives that is computed from
 * the schedule and from the durations that the token itself logged. A closed loop on the same token
 * does not see it. And a token that is too slow for the rate is said to be. */
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

#define MS 1e6

enum { OPERATIONS = 600, LOGGED_MOST = 4096, RATE = 200, STALL_MS = 100 };
static const double gap_ns = 1e9 / RATE, stall_ns = STALL_MS * MS;
static const char *const records[] = {"calls", "summary", "off"};

/* What is compared. */
struct figures {
    double mean_ns, p50_ns, p95_ns, p99_ns, max_ns, service_p50_ns, service_p99_ns;
    double count, missed_count, ops_per_s, total_ns;
};

/* --- what is right --- */

/* Durations of C_SignInit and C_Sign as the token logged them: the last ones, those before were
 * tries. */
static void services_read(const char *path, double *services, size_t count)
{
    static struct call_log_entry entries[2 * LOGGED_MOST];
    static double all[LOGGED_MOST];
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t entry_count = fread(entries, sizeof *entries, 2 * LOGGED_MOST, file), found = 0;
    fclose(file);
    for (size_t i = 0; i + 1 < entry_count; i++)
        if (entries[i].function == P11PROF_C_SignInit &&
            entries[i + 1].function == P11PROF_C_Sign && found < LOGGED_MOST)
            all[found++] = (double)(entries[i].duration_ns + entries[i + 1].duration_ns);
    assert_true(found >= count);
    memcpy(services, all + found - count, count * sizeof *services);
}

static int by_size(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return a < b ? -1 : a > b;
}

static double percentile(const double *sorted, size_t count, unsigned percent)
{
    return sorted[(count * percent + 99) / 100 - 1];
}

/* One server, and an arrival every gap: each waits for what is left of the one before it. */
static struct figures queue_figures(double *services, size_t count)
{
    static double latencies[OPERATIONS];
    double left_ns = 0, sum = 0;
    for (size_t i = 0; i < count; i++) {
        latencies[i] = fmax(left_ns, 0) + services[i];
        left_ns = latencies[i] - gap_ns;
        sum += latencies[i];
    }
    qsort(latencies, count, sizeof *latencies, by_size);
    qsort(services, count, sizeof *services, by_size);
    return (struct figures){.mean_ns = sum / (double)count,
                            .p50_ns = percentile(latencies, count, 50),
                            .p95_ns = percentile(latencies, count, 95),
                            .p99_ns = percentile(latencies, count, 99),
                            .max_ns = latencies[count - 1],
                            .service_p50_ns = percentile(services, count, 50),
                            .service_p99_ns = percentile(services, count, 99)};
}

/* --- what the bench says --- */

static const char json_query[] =
    "SELECT r ->> 'mean_ns', r ->> 'p50_ns', r ->> 'p95_ns', r ->> 'p99_ns', r ->> 'max_ns', "
    "r ->> 'service_p50_ns', r ->> 'service_p99_ns', r ->> 'count', r ->> 'missed_count', "
    "r ->> 'ops_per_s', r ->> 'total_ns' FROM (SELECT json_extract(?, '$.results[0]') AS r)";
/* The same from the rows. */
static const char rows_query[] =
    "WITH o AS (SELECT start_ns + elapsed_ns - intended_start_ns AS ns, duration_ns "
    "FROM operations WHERE phase = 'measured'), "
    "l AS (SELECT ns, row_number() OVER (ORDER BY ns) AS n, count(*) OVER () AS c FROM o), "
    "s AS (SELECT duration_ns AS ns, row_number() OVER (ORDER BY duration_ns) AS n, "
    "count(*) OVER () AS c FROM o) "
    "SELECT sum(ns) / count(*), min(ns) FILTER (WHERE n * 100 >= c * 50), "
    "min(ns) FILTER (WHERE n * 100 >= c * 95), min(ns) FILTER (WHERE n * 100 >= c * 99), max(ns), "
    "(SELECT min(ns) FILTER (WHERE n * 100 >= c * 50) FROM s), "
    "(SELECT min(ns) FILTER (WHERE n * 100 >= c * 99) FROM s), count(*), "
    "(SELECT missed_count FROM loads), 0, (SELECT sum(ns) FROM s) FROM l";
/* Whether what is kept beside the rows is what they add up to. */
static const char sums_query[] =
    "SELECT (SELECT sum(start_ns + elapsed_ns - intended_start_ns) FROM operations "
    "WHERE phase = 'measured') = (SELECT sum_ns FROM operation_stats WHERE phase = 'measured') AND "
    "(SELECT sum(duration_ns) FROM operations WHERE phase = 'measured') = "
    "(SELECT sum_ns FROM operation_stats WHERE phase = 'service') AND "
    "(SELECT count(*) FROM operations WHERE phase = 'measured') = "
    "(SELECT sum(count) FROM run_histogram WHERE phase = 'service' AND operation = 'sign') AND "
    "(SELECT sum(sum_ns) FROM windows WHERE phase = 'measured' AND operation IS NOT NULL) = "
    "(SELECT sum_ns FROM operation_stats WHERE phase = 'measured')";

static struct figures ask(const char *db, const char *query, const char *text)
{
    sqlite3 *connection = NULL;
    sqlite3_stmt *statement = NULL;
    double values[sizeof(struct figures) / sizeof(double)];
    struct figures figures;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    int result = sqlite3_open_v2(db, &connection, flags, NULL);
    if (result == SQLITE_OK)
        result = sqlite3_prepare_v2(connection, query, -1, &statement, NULL);
    if (result == SQLITE_OK)
        sqlite3_bind_text(statement, 1, text, -1, SQLITE_STATIC);
    if (result != SQLITE_OK || sqlite3_step(statement) != SQLITE_ROW)
        fail_msg("%s: %s", query, sqlite3_errmsg(connection));
    for (int i = 0; i < (int)(sizeof values / sizeof values[0]); i++)
        values[i] = sqlite3_column_double(statement, i);
    memcpy(&figures, values, sizeof figures);
    sqlite3_finalize(statement);
    sqlite3_close(connection);
    return figures;
}

static struct figures json_figures(const char *path)
{
    static char text[1 << 20];
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t length = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[length] = '\0';
    return ask(":memory:", json_query, text);
}

/* --- running --- */

struct bench {
    struct driven driven;
    char out[320], notes[320], log[320];
};

static void bench_open(struct bench *bench)
{
    driven_set_up(&bench->driven);
    snprintf(bench->out, sizeof bench->out, "%s/out", bench->driven.folder);
    snprintf(bench->notes, sizeof bench->notes, "%s/notes", bench->driven.folder);
    snprintf(bench->log, sizeof bench->log, "%s/delays", bench->driven.folder);
}

/* more: options, ended by NULL. */
static void bench_run(const struct bench *bench, const char *token, const char *const *more)
{
    const char *command = getenv("P11PROF_TEST_COMMAND");
    const char *arguments[48] = {command,
                                 "bench",
                                 "--module",
                                 getenv("P11PROF_TEST_TOKEN_MODULE"),
                                 "--token-label",
                                 "fake",
                                 "--pin-source",
                                 "env:FAKE_PIN",
                                 "--db",
                                 bench->driven.db,
                                 "--quiet",
                                 "--test",
                                 "rsa-2048-sign",
                                 "--warmup",
                                 "0",
                                 "--verify",
                                 "none",
                                 "--slices",
                                 "1",
                                 "--format",
                                 "json",
                                 NULL};
    size_t count = 0;
    int status;
    while (arguments[count])
        count++;
    while (*more)
        arguments[count++] = *more++;
    pid_t child = fork();
    if (child == 0) {
        setenv("P11PROF_SPOOL", bench->driven.spool, 1);
        setenv("P11PROF_TEST_DELAY_LOG", bench->log, 1);
        setenv("P11PROF_TEST_TOKEN", token, 1);
        setenv("FAKE_PIN", "1234", 1);
        dup2(open(bench->out, O_WRONLY | O_CREAT | O_TRUNC, 0600), STDOUT_FILENO);
        dup2(open(bench->notes, O_WRONLY | O_CREAT | O_TRUNC, 0600), STDERR_FILENO);
        execv(command, (char *const *)arguments);
        _exit(98);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static bool notes_have(const struct bench *bench, const char *text)
{
    char notes[4096];
    FILE *file = fopen(bench->notes, "rb");
    assert_non_null(file);
    notes[fread(notes, 1, sizeof notes - 1, file)] = '\0';
    fclose(file);
    return strstr(notes, text) != NULL;
}

/* --- stalls --- */

/* Sleeping a little too long a little too often adds up behind a stall: a part of its length. */
static bool agrees(const char *what, double right_ns, double found_ns)
{
    bool fine = found_ns >= right_ns * 0.99 - 10000 && found_ns <= right_ns * 1.01 + stall_ns / 10;
    printf("  %s: %.2f ms computed, %.2f ms reported%s\n", what, right_ns / MS, found_ns / MS,
           fine ? "" : " <--");
    return fine;
}

static bool all_agree(const struct figures *right, const struct figures *found)
{
    bool fine = agrees("mean", right->mean_ns, found->mean_ns);
    fine &= agrees("p50", right->p50_ns, found->p50_ns);
    fine &= agrees("p95", right->p95_ns, found->p95_ns);
    fine &= agrees("p99", right->p99_ns, found->p99_ns);
    fine &= agrees("max", right->max_ns, found->max_ns);
    fine &= agrees("service p50", right->service_p50_ns, found->service_p50_ns);
    fine &= agrees("service p99", right->service_p99_ns, found->service_p99_ns);
    return fine;
}

static void rows_check(const struct bench *bench, const struct figures *found)
{
    const struct figures rows = ask(bench->driven.db, rows_query, NULL);
    assert_true(fabs(rows.mean_ns - found->mean_ns) <= 1);
    assert_true(rows.p50_ns == found->p50_ns && rows.p95_ns == found->p95_ns);
    assert_true(rows.p99_ns == found->p99_ns && rows.max_ns == found->max_ns);
    assert_true(rows.service_p50_ns == found->service_p50_ns);
    assert_true(rows.service_p99_ns == found->service_p99_ns);
    assert_true(rows.count == found->count && rows.total_ns == found->total_ns);
    assert_true(rows.missed_count == found->missed_count);
}

static bool stalls_run(const char *record)
{
    static const char *const stalls = "stalls=200:1ms-100ms";
    static double services[OPERATIONS];
    const char *const more[] = {"--iterations", "600", "--rate", "200/s", "--record", record, NULL};
    struct bench bench;
    bench_open(&bench);
    bench_run(&bench, stalls, more);
    struct figures found = json_figures(bench.out);
    assert_true(found.count == OPERATIONS && found.missed_count == 0);
    services_read(bench.log, services, OPERATIONS);
    const struct figures right = queue_figures(services, OPERATIONS);
    printf("open loop, --record %s\n", record);
    bool fine = all_agree(&right, &found);
    /* Three stalls of 100 ms each keep one in eight waiting. */
    fine = fine && found.p99_ns > stall_ns / 2 && found.p95_ns > stall_ns / 4 &&
           found.service_p99_ns < stall_ns / 2;
    if (strcmp(record, "calls") == 0)
        rows_check(&bench, &found);
    if (strcmp(record, "off") != 0)
        assert_int_equal(driven_ask(&bench.driven, strcmp(record, "calls") == 0
                                                       ? sums_query
                                                       : "SELECT count(*) = 2 FROM operation_stats "
                                                         "WHERE phase IN ('measured', 'service')"),
                         1);
    driven_tear_down(&bench.driven);
    return fine;
}

/* A machine that does not let a thread run when it is due gets another chance. */
static void stalls_are_waited_for(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof records / sizeof records[0]; i++)
        assert_true(stalls_run(records[i]) || stalls_run(records[i]) || stalls_run(records[i]));
}

static bool closed_run(void)
{
    static const char *const more[] = {"--iterations", "600", "--record", "calls", NULL};
    struct bench bench;
    bench_open(&bench);
    bench_run(&bench, "stalls=200:1ms-100ms", more);
    const struct figures found = json_figures(bench.out);
    printf("closed loop: p95 %.2f ms, p99 %.2f ms, max %.2f ms\n", found.p95_ns / MS,
           found.p99_ns / MS, found.max_ns / MS);
    assert_true(found.max_ns >= stall_ns && found.service_p99_ns == 0 && found.missed_count == 0);
    driven_tear_down(&bench.driven);
    return found.p99_ns < stall_ns / 2 && found.p95_ns < stall_ns / 4;
}

/* What an open loop is for: here the same stalls are beyond p99. */
static void a_closed_loop_leaves_them_out(void **state)
{
    (void)state;
    assert_true(closed_run() || closed_run() || closed_run());
}

/* --- saturation --- */

/* 20 ms each are 50/s at most: after 2 s, and 0.2 s more for those that were due, 290 of 400 are
 * left over. */
static void saturated_run(const char *record)
{
    const char *const more[] = {"--duration", "2s", "--rate", "200/s", "--record", record, NULL};
    static double services[OPERATIONS];
    struct bench bench;
    bench_open(&bench);
    bench_run(&bench, "stalls=1000:20ms-21ms", more);
    const struct figures found = json_figures(bench.out);
    size_t count = (size_t)found.count;
    double busy_ns = 0;
    printf("saturated, --record %s: %zu done, %.0f missed, %.1f/s\n", record, count,
           found.missed_count, found.ops_per_s);
    assert_true(found.count + found.missed_count == 400);
    assert_true(count > 10 && count <= 111);
    services_read(bench.log, services, count);
    for (size_t i = 0; i < count; i++)
        busy_ns += services[i];
    double capacity = (double)count / busy_ns * 1e9;
    assert_true(found.ops_per_s <= capacity * 1.02 && found.ops_per_s >= capacity * 0.7);
    assert_true(fabs(found.total_ns / busy_ns - 1) < 0.05);
    assert_true(found.max_ns > 1e9 && found.service_p50_ns < found.p50_ns / 5);
    assert_true(notes_have(&bench, "200 operations/s are not held"));
    driven_tear_down(&bench.driven);
}

static void a_rate_that_is_too_high_is_said(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof records / sizeof records[0]; i++)
        saturated_run(records[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stalls_are_waited_for),
        cmocka_unit_test(a_closed_loop_leaves_them_out),
        cmocka_unit_test(a_rate_that_is_too_high_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
