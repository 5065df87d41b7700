/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* An hour of a busy server in minutes: what a recorded process has of everything stays as it is,
 * and every call is in the database once.
 *
 *   soak NULL_MODULE SHIM P11PROF [CALLS] [CALLS_PER_SECOND] [MODE …]
 *
 * CALLS is 36 000 000 by default, 10 000 a second for an hour, made as fast as CALLS_PER_SECOND
 * says, once for each way to drain; `external` has a `p11prof collect --follow` beside it, which is
 * watched like the application. Ends with 1 if something grows or is missing. */
#include "soak.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SAMPLES_MOST = 20000, SAMPLE_EVERY_MS = 250 };

/* A child whose end falls into a transaction of another process leaves its spool. */
enum { CHILDREN_A_SPOOL = 10 };

/* A process that is watched. */
struct watched {
    const char *name;
    pid_t pid;
    size_t count;
    struct soak_sample *samples;
};

static struct soak_told *told;
static const char *null_module, *shim, *command;
static uint64_t call_count = 36000000, calls_per_s = 120000;

static struct watched watched_make(const char *name, pid_t pid)
{
    struct watched watched = {.name = name, .pid = pid};
    watched.samples = calloc(SAMPLES_MOST, sizeof *watched.samples);
    if (pid < 0 || !watched.samples)
        exit(1);
    return watched;
}

static pid_t follower_start(const struct bench_place *place)
{
    pid_t pid = fork();
    if (pid == 0) {
        if (!freopen("/dev/null", "w", stdout))
            _exit(98);
        execl(command, "p11prof", "collect", "--follow", "--db", place->db, "--spool", place->spool,
              (char *)NULL);
        _exit(98);
    }
    return pid;
}

static pid_t application_start(struct bench_place *place, const char *mode)
{
    pid_t pid = fork();
    if (pid == 0)
        soak_application(bench_shim(place, shim, null_module, "auto", mode), told, call_count,
                         calls_per_s);
    return pid;
}

/* Until the application, the first of them, is through with its calls. */
static void watch(const struct bench_place *place, struct watched *all, size_t count)
{
    uint64_t calls;
    while ((calls = atomic_load(&told->call_count)) < call_count &&
           waitpid(all[0].pid, NULL, WNOHANG) == 0) {
        for (size_t i = 0; i < count && all[i].count < SAMPLES_MOST; i++) {
            all[i].samples[all[i].count] = soak_sample_take(place, all[i].pid);
            all[i].samples[all[i].count++].call_count = (double)calls;
        }
        bench_sleep_ms(SAMPLE_EVERY_MS);
    }
}

/* Whether every call that returned is there, once, and none is counted as lost. */
static bool calls_check(const struct bench_place *place, uint64_t left_count)
{
    uint64_t returned = atomic_load(&told->call_count), lost = bench_lost(place);
    uint64_t rows = bench_sum(place, "SELECT count(*) FROM call JOIN function_name ON "
                                     "code = function WHERE name != 'C_GetFunctionList'");
    printf("  %llu calls returned, %llu rows, %llu lost; %llu of them were left to collect; "
           "C_Finalize %.0f ms\n",
           (unsigned long long)returned, (unsigned long long)rows, (unsigned long long)lost,
           (unsigned long long)left_count, (double)atomic_load(&told->finalize_ns) / 1e6);
    return rows == returned && lost == 0;
}

static bool spools_check(const struct watched *application)
{
    uint64_t children = atomic_load(&told->child_count);
    double files = application->samples[application->count - 1].quantity[SOAK_SPOOL_FILES];
    bool few = files <= 2 + (double)children / CHILDREN_A_SPOOL;
    printf("  %.0f spools, of %llu children and the application%s\n", files,
           (unsigned long long)children, few ? "" : ": TOO MANY");
    return few;
}

static bool soak(const char *mode)
{
    struct bench_place place;
    struct watched all[2];
    size_t count = 1;
    int status = 0;
    bool good = true;
    bench_place_make(&place);
    memset(told, 0, sizeof *told);
    uint64_t start_ns = bench_now_ns();
    all[0] = watched_make("the application", application_start(&place, mode));
    if (strcmp(mode, "external") == 0)
        all[count++] = watched_make("p11prof collect --follow", follower_start(&place));
    watch(&place, all, count);
    if (waitpid(all[0].pid, &status, 0) == all[0].pid && status != 0)
        good = false;
    double taken_s = (double)(bench_now_ns() - start_ns) / 1e9;
    if (count > 1) {
        kill(all[1].pid, SIGINT);
        waitpid(all[1].pid, NULL, 0);
    }
    printf("%s: %.0f s, %llu threads, %llu sessions, %llu children%s\n", mode, taken_s,
           (unsigned long long)atomic_load(&told->thread_count),
           (unsigned long long)atomic_load(&told->session_count),
           (unsigned long long)atomic_load(&told->child_count), good ? "" : ": A PROCESS FAILED");
    for (size_t i = 0; i < count; i++)
        good = soak_judge(all[i].name, all[i].samples, all[i].count) && good;
    good = spools_check(&all[0]) && good;
    for (size_t i = 0; i < count; i++)
        free(all[i].samples);
    good = calls_check(&place, bench_collect(&place)) && good;
    printf("  %s\n", good ? "constant, exact" : "NOT AS IT SHOULD BE");
    fflush(stdout);
    bench_place_remove(&place);
    return good;
}

int main(int argc, char **argv)
{
    static const char *const modes[] = {"thread", "exit", "external"};
    bool good = true;
    if (argc < 4) {
        fprintf(stderr, "usage: soak NULL_MODULE SHIM P11PROF [CALLS] [CALLS_PER_SECOND] "
                        "[MODE …]\n");
        return 2;
    }
    null_module = argv[1], shim = argv[2], command = argv[3];
    call_count = argc > 4 ? strtoull(argv[4], NULL, 10) : call_count;
    calls_per_s = argc > 5 ? strtoull(argv[5], NULL, 10) : calls_per_s;
    told = mmap(NULL, sizeof *told, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (told == MAP_FAILED)
        return 1;
    for (int i = 6; i < argc; i++)
        good = soak(argv[i]) && good;
    for (size_t i = 0; argc <= 6 && i < sizeof modes / sizeof *modes; i++)
        good = soak(modes[i]) && good;
    return good ? 0 : 1;
}
