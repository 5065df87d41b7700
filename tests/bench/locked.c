/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What calls take while somebody else holds the database, against the same calls while nobody does.
 *
 *   locked NULL_MODULE SHIM [SECONDS] [CALLS_PER_SECOND] [MODE …]
 *
 * One process has two copies of the shim, each with a database of its own, one of which is held for
 * all of the time; it calls one after the other, so that both meet the same machine. For each way
 * to drain and to hold: quantiles of both, their ratio, what the ends took, and what became of the
 * calls after the lock. With more calls than a spool has records ($P11PROF_SPOOL_LIMIT), the end of
 * the run is with a full spool. */
#include "bench.h"

#include "p11prof/store.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FREE, HELD, SIDES, BUCKETS = 1 << 20, BUCKET_NS = 256, CALLER_BOUND_MS = 250 };

/* What the application measured, in shared memory. */
static struct measured {
    uint32_t counts[SIDES][BUCKETS];
    uint64_t most_ns[SIDES], finalize_ns[SIDES], exit_start_ns;
} * measured;

/* --- who holds the database --- */

static void store_make(const char *path)
{
    struct p11prof_store *store;
    struct p11prof_error error;
    if (p11prof_store_open(&store, path, P11PROF_STORE_CREATE, &error) != P11PROF_OK) {
        fprintf(stderr, "%s\n", error.text);
        exit(1);
    }
    p11prof_store_close(store);
}

static bool lock_writer(const char *path)
{
    char name[200];
    snprintf(name, sizeof name, "%s-writer", path);
    int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    return fd >= 0 && flock(fd, LOCK_EX) == 0;
}

static bool lock_sqlite(const char *path)
{
    sqlite3 *db;
    return sqlite3_open(path, &db) == SQLITE_OK &&
           sqlite3_exec(db,
                        "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; "
                        "CREATE TABLE theirs (value)",
                        NULL, NULL, NULL) == SQLITE_OK;
}

/* In the middle of a transaction like ours. */
static bool lock_and_stop(const char *path)
{
    return lock_writer(path) && lock_sqlite(path);
}

static const struct holder {
    const char *name;
    bool (*lock)(const char *path);
    bool stops;
} holders[] = {
    {"flock of the writer's file", lock_writer, false},
    {"SQLite's exclusive lock", lock_sqlite, false},
    {"a writer that is stopped", lock_and_stop, true},
};

static pid_t holder_start(const struct holder *holder, const char *path)
{
    int ready[2];
    char byte = 0;
    store_make(path);
    if (pipe(ready) != 0)
        exit(1);
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        byte = holder->lock(path);
        if (write(ready[1], &byte, 1) != 1)
            _exit(1);
        if (holder->stops)
            raise(SIGSTOP);
        for (;;)
            pause();
    }
    if (read(ready[0], &byte, 1) != 1 || !byte) {
        fprintf(stderr, "locked: cannot hold %s\n", path);
        exit(1);
    }
    close(ready[0]);
    close(ready[1]);
    return pid;
}

/* --- the application --- */

static void call_time(CK_FUNCTION_LIST *module, unsigned side)
{
    static CK_BYTE data[32], signature[64];
    CK_ULONG length = sizeof signature;
    uint64_t start_ns = bench_now_ns();
    module->C_Sign(1, data, sizeof data, signature, &length);
    uint64_t taken_ns = bench_now_ns() - start_ns, bucket = taken_ns / BUCKET_NS;
    measured->counts[side][bucket < BUCKETS ? bucket : BUCKETS - 1]++;
    if (taken_ns > measured->most_ns[side])
        measured->most_ns[side] = taken_ns;
}

static void application_run(CK_FUNCTION_LIST *const *modules, uint64_t seconds,
                            uint64_t calls_per_s)
{
    uint64_t period_ns = UINT64_C(1000000000) / calls_per_s, due_ns = bench_now_ns();
    uint64_t end_ns = due_ns + seconds * UINT64_C(1000000000);
    for (unsigned side = 0; side < SIDES; side++)
        modules[side]->C_Initialize(NULL);
    for (unsigned n = 0; due_ns < end_ns; n++) {
        while (bench_now_ns() < due_ns)
            if (n % 64 == 0) /* between bursts, others have the processor */
                usleep(50);
        call_time(modules[n % SIDES], n % SIDES);
        call_time(modules[(n + 1) % SIDES], (n + 1) % SIDES);
        due_ns += period_ns;
    }
    for (unsigned side = 0; side < SIDES; side++) {
        uint64_t start_ns = bench_now_ns();
        modules[side]->C_Finalize(NULL);
        measured->finalize_ns[side] = bench_now_ns() - start_ns;
    }
    measured->exit_start_ns = bench_now_ns();
    exit(0);
}

/* --- what it says --- */

static double quantile_us(unsigned side, double q)
{
    uint64_t sum = 0, seen = 0, bucket = 0;
    for (unsigned i = 0; i < BUCKETS; i++)
        sum += measured->counts[side][i];
    while (bucket < BUCKETS - 1 &&
           (double)(seen += measured->counts[side][bucket]) < q * (double)sum)
        bucket++;
    return (double)(bucket + 1) * BUCKET_NS / 1000;
}

static void quantiles_print(void)
{
    static const double quantiles[] = {0.5, 0.99, 0.999, 0.9999};
    for (size_t i = 0; i < sizeof quantiles / sizeof *quantiles; i++)
        printf("    p%-6g %9.1f us held, %9.1f us free: %.2f\n", quantiles[i] * 100,
               quantile_us(HELD, quantiles[i]), quantile_us(FREE, quantiles[i]),
               quantile_us(HELD, quantiles[i]) / quantile_us(FREE, quantiles[i]));
    printf("    longest %9.1f us held, %9.1f us free\n", (double)measured->most_ns[HELD] / 1000,
           (double)measured->most_ns[FREE] / 1000);
}

/* Every call that returned is a row or is counted, now that the database is free. */
static bool calls_check(const struct bench_place *place)
{
    uint64_t returned = 0;
    for (unsigned i = 0; i < BUCKETS; i++)
        returned += measured->counts[HELD][i];
    bench_collect(place);
    uint64_t rows = bench_sum(place, "SELECT count(*) FROM calls WHERE function = 'C_Sign'");
    uint64_t lost = bench_sum(place, "SELECT sum(count) FROM losses WHERE function = 'C_Sign'");
    printf("    %llu calls while it was held: %llu rows, %llu counted as lost%s\n",
           (unsigned long long)returned, (unsigned long long)rows, (unsigned long long)lost,
           rows + lost == returned ? "" : ": THE OTHERS ARE LOST UNCOUNTED");
    return rows + lost == returned;
}

static bool measure(const char *argv_module, const char *shim, const char *mode,
                    const struct holder *holder, uint64_t seconds, uint64_t calls_per_s)
{
    struct bench_place places[SIDES];
    int status;
    memset(measured, 0, sizeof *measured);
    bench_place_make(&places[FREE]);
    bench_place_make(&places[HELD]);
    store_make(places[FREE].db);
    pid_t held_by = holder_start(holder, places[HELD].db);
    pid_t pid = fork();
    if (pid == 0) {
        CK_FUNCTION_LIST *modules[SIDES];
        for (unsigned side = 0; side < SIDES; side++)
            modules[side] = bench_shim(&places[side], shim, argv_module, "auto", mode);
        application_run(modules, seconds, calls_per_s);
    }
    waitpid(pid, &status, 0);
    uint64_t exit_ns = bench_now_ns() - measured->exit_start_ns;
    kill(held_by, SIGKILL);
    waitpid(held_by, NULL, 0);
    printf("%s, %s%s:\n", mode, holder->name, status ? ": IT FAILED" : "");
    quantiles_print();
    printf("    C_Finalize %.0f ms held, %.0f ms free; exit %.0f ms (bounds %d ms each)\n",
           (double)measured->finalize_ns[HELD] / 1e6, (double)measured->finalize_ns[FREE] / 1e6,
           (double)exit_ns / 1e6, CALLER_BOUND_MS);
    bool counted = calls_check(&places[HELD]);
    fflush(stdout);
    bench_place_remove(&places[FREE]);
    bench_place_remove(&places[HELD]);
    return counted && status == 0;
}

int main(int argc, char **argv)
{
    static char *const all[] = {"thread", "exit", "external"};
    if (argc < 3) {
        fprintf(stderr, "usage: locked NULL_MODULE SHIM [SECONDS] [CALLS_PER_SECOND] [MODE …]\n");
        return 2;
    }
    uint64_t seconds = argc > 3 ? strtoull(argv[3], NULL, 10) : 40;
    uint64_t calls_per_s = argc > 4 ? strtoull(argv[4], NULL, 10) : 30000;
    char *const *modes = argc > 5 ? argv + 5 : all;
    int mode_count = argc > 5 ? argc - 5 : 3;
    bool good = true;
    measured =
        mmap(NULL, sizeof *measured, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (measured == MAP_FAILED)
        return 1;
    for (int i = 0; i < mode_count; i++)
        for (size_t k = 0; k < sizeof holders / sizeof *holders; k++)
            good &= measure(argv[1], argv[2], modes[i], &holders[k], seconds, calls_per_s);
    return !good;
}
