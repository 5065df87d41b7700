/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What a report costs, against a plain scan of the same rows: SELECT sum(duration_ns) FROM call.
 *
 *   report P11PROF [CALLS …]
 *
 * For each number of calls: a database with that many (sign, encrypt, find and random of a token
 * with log-normal times, in four threads) as run 1, and with their histograms only as run 2. Every
 * report is a process of its own; its time contains its start. */
#include "bench.h"
#include "fill.h"

#include <sqlite3.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROUNDS = 5 };

/* Run 1 with the rows, run 2 without. */
static void database_fill(const char *path, size_t calls)
{
    struct p11prof_store *store;
    struct p11prof_error error;
    struct p11prof_spool_header *headers[2] = {bench_header(1), bench_header(2)};
    if (p11prof_store_open(&store, path, P11PROF_STORE_CREATE, &error) != P11PROF_OK) {
        fprintf(stderr, "%s\n", error.text);
        exit(1);
    }
    bench_fill(store, headers, 2, calls, false);
    p11prof_store_close(store);
    free(headers[0]);
    free(headers[1]);
}

static double plain_scan(const char *path)
{
    sqlite3 *db;
    sqlite3_stmt *sum;
    uint64_t start_ns = bench_now_ns();
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(db, "SELECT sum(duration_ns) FROM call", -1, &sum, NULL) != SQLITE_OK ||
        sqlite3_step(sum) != SQLITE_ROW) {
        fprintf(stderr, "%s: %s\n", path, sqlite3_errmsg(db));
        exit(1);
    }
    sqlite3_finalize(sum);
    sqlite3_close(db);
    return (double)(bench_now_ns() - start_ns);
}

struct report {
    const char *name;
    const char *arguments[6];
};
static const struct report reports[] = {
    {"exact", {"report", "1"}},
    {"histograms", {"report", "2"}},
    {"--by thread,function", {"report", "1", "--by", "thread,function"}},
    {"--function C_Sign", {"report", "1", "--function", "C_Sign"}},
    {"--slower-than 1ms", {"report", "1", "--slower-than", "1ms"}},
};
enum { REPORTS = sizeof reports / sizeof *reports };

/* Time of one report; *memory_bytes is the most it had. */
static double report_run(const char *program, const char *path, const struct report *report,
                         double *memory_bytes)
{
    uint64_t start_ns = bench_now_ns();
    struct rusage usage;
    int state;
    fflush(stdout); /* the child's freopen() would print it again */
    pid_t child = fork();
    if (child == 0) {
        char *arguments[12] = {(char *)program};
        size_t count = 1;
        for (size_t i = 0; report->arguments[i]; i++)
            arguments[count++] = (char *)report->arguments[i];
        arguments[count++] = (char *)"--db";
        arguments[count++] = (char *)path;
        arguments[count++] = (char *)"--no-collect";
        if (!freopen("/dev/null", "w", stdout))
            _exit(1);
        execv(program, arguments);
        _exit(127);
    }
    if (wait4(child, &state, 0, &usage) != child || state != 0) {
        fprintf(stderr, "p11prof %s failed\n", report->name);
        exit(1);
    }
    *memory_bytes = (double)usage.ru_maxrss * 1024;
    return (double)(bench_now_ns() - start_ns);
}

static void measure(const char *program, const char *path, size_t calls)
{
    double plain[ROUNDS], times[REPORTS][ROUNDS], memory[REPORTS][ROUNDS];
    for (unsigned round = 0; round < ROUNDS; round++) {
        plain[round] = plain_scan(path);
        for (unsigned i = 0; i < REPORTS; i++)
            times[i][round] = report_run(program, path, &reports[i], &memory[i][round]);
    }
    double plain_ns = bench_quantile(plain, ROUNDS, 0.5);
    printf("%zu calls: plain scan %.0f ms\n", calls, plain_ns / 1e6);
    for (unsigned i = 0; i < REPORTS; i++) {
        double median_ns = bench_quantile(times[i], ROUNDS, 0.5);
        printf("  %-22s %7.0f ms  %6.3f x  %4.0f MB\n", reports[i].name, median_ns / 1e6,
               median_ns / plain_ns, bench_quantile(memory[i], ROUNDS, 0.5) / 0x1p20);
    }
}

int main(int argc, char **argv)
{
    static const char *const sizes[] = {"100000", "1000000", "10000000"};
    int count = argc > 2 ? argc - 2 : (int)(sizeof sizes / sizeof *sizes);
    if (argc < 2) {
        fputs("usage: report P11PROF [CALLS ...]\n", stderr);
        return 2;
    }
    for (int i = 0; i < count; i++) {
        struct bench_place place;
        size_t calls = strtoull(argc > 2 ? argv[i + 2] : sizes[i], NULL, 10);
        bench_place_make(&place);
        database_fill(place.db, calls);
        measure(argv[1], place.db, calls);
        bench_place_remove(&place);
    }
    return 0;
}
