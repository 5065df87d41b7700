/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What a bench reports is what the token itself logged of the same operations, each of them the
 * C_SignInit and C_Sign of one thread: mean, p50, p95, p99 within 2 % and the clock reads, and, of
 * one thread, the rate within 2 %. */
#include "../modules/call_log.h"
#include "driven.h"

#include "p11prof/calls.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OPERATIONS_MOST = 8192 };

struct truth_case {
    const char *record, *threads, *processes, *iterations;
    unsigned thread_count, iteration_count; /* the same as numbers, over all processes */
};

static const struct truth_case cases[] = {
    {"calls", "1", "1", "1000", 1, 1000}, {"calls", "2", "1", "500", 2, 500},
    {"calls", "1", "2", "500", 2, 500},   {"summary", "1", "1", "1000", 1, 1000},
    {"summary", "2", "1", "500", 2, 500}, {"off", "1", "1", "1000", 1, 1000},
};

/* What is compared. */
struct figures {
    double mean_ns, p50_ns, p95_ns, p99_ns, rate;
};

/* --- what the token says --- */

struct operation {
    uint64_t thread_id, duration_ns, start_ns, end_ns;
};

static int by_thread_and_end(const void *left, const void *right)
{
    const struct operation *a = left, *b = right;
    if (a->thread_id != b->thread_id)
        return a->thread_id < b->thread_id ? -1 : 1;
    return a->start_ns < b->start_ns ? -1 : a->start_ns > b->start_ns;
}

static int by_duration(const void *left, const void *right)
{
    const struct operation *a = left, *b = right;
    return a->duration_ns < b->duration_ns ? -1 : a->duration_ns > b->duration_ns;
}

/* Calls of one thread stand in their order in the log; threads take turns. */
static size_t log_read(const char *path, struct operation *operations)
{
    static struct call_log_entry entries[4 * OPERATIONS_MOST];
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t entry_count = fread(entries, sizeof *entries, 4 * OPERATIONS_MOST, file), count = 0;
    fclose(file);
    for (size_t i = 0; i < entry_count; i++) {
        if (entries[i].function != P11PROF_C_SignInit)
            continue;
        size_t sign = i + 1;
        while (sign < entry_count && entries[sign].thread_id != entries[i].thread_id)
            sign++;
        assert_true(sign < entry_count && entries[sign].function == P11PROF_C_Sign);
        assert_true(count < OPERATIONS_MOST);
        operations[count++] = (struct operation){
            entries[i].thread_id, entries[i].duration_ns + entries[sign].duration_ns,
            entries[i].start_ns, entries[sign].start_ns + entries[sign].duration_ns};
    }
    return count;
}

/* The last ones of each thread were measured, those before only tried. */
static size_t measured_keep(struct operation *operations, size_t count, size_t each)
{
    size_t kept = 0;
    qsort(operations, count, sizeof *operations, by_thread_and_end);
    for (size_t i = 0; i < count; i++) {
        bool last = i + each >= count || operations[i + each].thread_id != operations[i].thread_id;
        if (last)
            operations[kept++] = operations[i];
    }
    return kept;
}

static double percentile(const struct operation *operations, size_t count, unsigned percent)
{
    return (double)operations[(count * percent + 99) / 100 - 1].duration_ns;
}

static struct figures log_figures(const char *path, const struct truth_case *truth)
{
    static struct operation operations[OPERATIONS_MOST];
    size_t each = truth->iteration_count;
    size_t count = measured_keep(operations, log_read(path, operations), each);
    assert_int_equal(count, each * truth->thread_count);
    double seconds = (double)(operations[each - 1].end_ns - operations[0].start_ns) / 1e9, sum = 0;
    qsort(operations, count, sizeof *operations, by_duration);
    for (size_t i = 0; i < count; i++)
        sum += (double)operations[i].duration_ns;
    return (struct figures){.mean_ns = sum / (double)count,
                            .p50_ns = percentile(operations, count, 50),
                            .p95_ns = percentile(operations, count, 95),
                            .p99_ns = percentile(operations, count, 99),
                            .rate = (double)count / seconds};
}

/* --- what the bench says --- */

static const char rows_query[] =
    "WITH o AS (SELECT duration_ns, row_number() OVER (ORDER BY duration_ns) AS n,"
    "    count(*) OVER () AS c FROM operations WHERE phase = 'measured')"
    "SELECT avg(duration_ns), min(duration_ns) FILTER (WHERE n * 100 >= c * 50),"
    "  min(duration_ns) FILTER (WHERE n * 100 >= c * 95),"
    "  min(duration_ns) FILTER (WHERE n * 100 >= c * 99),"
    "  (SELECT sum(count) * 1e9 / sum(duration_ns) FROM windows"
    "   WHERE phase = 'measured' AND operation IS NOT NULL) FROM o";
static const char stats_query[] = "SELECT mean_ns, p50_ns, p95_ns, p99_ns,"
                                  "  (SELECT sum(count) * 1e9 / sum(duration_ns) FROM windows"
                                  "   WHERE phase = 'measured' AND operation IS NOT NULL)"
                                  "FROM operation_stats WHERE phase = 'measured'";
static const char json_query[] =
    "SELECT r ->> 'mean_ns', r ->> 'p50_ns', r ->> 'p95_ns', r ->> 'p99_ns', r ->> 'ops_per_s'"
    "FROM (SELECT json_extract(?, '$.results[0]') AS r)";

/* The query's one row; `text` is what its parameter, if it has one, stands for. */
static struct figures ask(const char *db, const char *query, const char *text)
{
    sqlite3 *connection = NULL;
    sqlite3_stmt *statement = NULL;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    int result = sqlite3_open_v2(db, &connection, flags, NULL);
    if (result == SQLITE_OK)
        result = sqlite3_prepare_v2(connection, query, -1, &statement, NULL);
    if (result == SQLITE_OK)
        sqlite3_bind_text(statement, 1, text, -1, SQLITE_STATIC);
    if (result != SQLITE_OK || sqlite3_step(statement) != SQLITE_ROW)
        fail_msg("%s: %s", query, sqlite3_errmsg(connection));
    const struct figures figures = {
        sqlite3_column_double(statement, 0), sqlite3_column_double(statement, 1),
        sqlite3_column_double(statement, 2), sqlite3_column_double(statement, 3),
        sqlite3_column_double(statement, 4)};
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

/* --- comparing --- */

/* Between what the token sees of one operation and what we see lie two clock reads of ours and its
 * own log; buckets are within 0.5 %. */
static bool agrees(const char *what, double said, double found, double bucket)
{
    bool fine = found >= said * (1 - bucket) && found <= said * 1.02 + 1000;
    printf("  %s: %.0f in the token's log, %.0f reported (%+.2f %%)%s\n", what, said, found,
           100 * (found / said - 1), fine ? "" : " <--");
    return fine;
}

/* Both ends of it: a rate may be too good. */
static bool rates_agree(double said, double found)
{
    bool fine = found >= said * 0.98 && found <= said * 1.02;
    printf("  rate: %.1f/s in the token's log, %.1f/s reported%s\n", said, found,
           fine ? "" : " <--");
    return fine;
}

static bool compare(const struct truth_case *truth, const struct figures *said,
                    const struct figures *found)
{
    bool rows = strcmp(truth->record, "calls") == 0, fine = true;
    double bucket = rows ? 0 : 0.005;
    printf("record %s, %s threads, %s processes\n", truth->record, truth->threads,
           truth->processes);
    fine &= agrees("mean", said->mean_ns, found->mean_ns, 0);
    fine &= agrees("p50", said->p50_ns, found->p50_ns, bucket);
    fine &= agrees("p95", said->p95_ns, found->p95_ns, bucket);
    fine &= agrees("p99", said->p99_ns, found->p99_ns, bucket);
    if (truth->thread_count == 1)
        fine &= rates_agree(said->rate, found->rate);
    return fine;
}

/* --- running --- */

static void run_bench(const struct driven *driven, const struct truth_case *truth, const char *out)
{
    const char *command = getenv("P11PROF_TEST_COMMAND");
    char log[320];
    int status;
    snprintf(log, sizeof log, "%s/delays", driven->folder);
    pid_t child = fork();
    if (child == 0) {
        setenv("P11PROF_SPOOL", driven->spool, 1);
        setenv("P11PROF_TEST_DELAY_LOG", log, 1);
        setenv("P11PROF_TEST_TOKEN", "delays=shuffled:100us-2ms", 1);
        setenv("FAKE_PIN", "1234", 1);
        dup2(open(out, O_WRONLY | O_CREAT | O_TRUNC, 0600), STDOUT_FILENO);
        execl(command, command, "bench", "--module", getenv("P11PROF_TEST_TOKEN_MODULE"),
              "--token-label", "fake", "--pin-source", "env:FAKE_PIN", "--db", driven->db,
              "--quiet", "--test", "rsa-2048-sign", "--warmup", "0", "--verify", "none", "--slices",
              "1", "--format", "json", "--record", truth->record, "--threads", truth->threads,
              "--processes", truth->processes, "--iterations", truth->iterations, NULL);
        _exit(98);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static bool run_once(const struct truth_case *truth)
{
    struct driven driven;
    struct figures found;
    char out[320], log[320];
    driven_set_up(&driven);
    snprintf(out, sizeof out, "%s/out", driven.folder);
    snprintf(log, sizeof log, "%s/delays", driven.folder);
    run_bench(&driven, truth, out);
    if (strcmp(truth->record, "calls") == 0)
        found = ask(driven.db, rows_query, NULL);
    else if (strcmp(truth->record, "summary") == 0)
        found = ask(driven.db, stats_query, NULL);
    else
        found = json_figures(out);
    const struct figures said = log_figures(log, truth);
    bool fine = compare(truth, &said, &found);
    driven_tear_down(&driven);
    return fine;
}

/* A machine that preempts us between the token's clock reads and ours gets another chance. */
static void test_truth(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_true(run_once(&cases[i]) || run_once(&cases[i]) || run_once(&cases[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_truth)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
