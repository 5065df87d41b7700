/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The rate that one producer can keep up without losing a call, its drain thread at work beside it.
 *
 *   paced NULL_MODULE SHIM [CALLS_PER_SECOND] [SECONDS]
 *
 * Pairs of C_SignInit and C_Sign are issued on a schedule; a pair that is late is issued at once.
 * What waits in the spool when the process has ended is collected then, as `p11prof collect` does.
 * Ends with 1 unless every call is in the database exactly once. */
#include "bench.h"

#include <dirent.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the producer tells. */
struct produced {
    uint64_t issued_count, late_count, step_count;
    double taken_s;
    double drain_cpu_s, drain_waited_s; /* of the drain thread: on a processor, ready for one */
};

/* Reads a file of a thread; "" without it. */
static void thread_file(char *text, size_t bytes, const char *thread, const char *name)
{
    char path[320];
    snprintf(path, sizeof path, "/proc/self/task/%s/%s", thread, name);
    FILE *file = fopen(path, "r");
    if (!file || !fgets(text, (int)bytes, file))
        text[0] = '\0';
    if (file)
        fclose(file);
}

static void drain_thread_read(struct produced *produced)
{
    char text[128];
    DIR *threads = opendir("/proc/self/task");
    for (struct dirent *entry; threads && (entry = readdir(threads));) {
        unsigned long long cpu_ns, waited_ns;
        thread_file(text, sizeof text, entry->d_name, "comm");
        if (strcmp(text, "p11prof\n") != 0)
            continue;
        thread_file(text, sizeof text, entry->d_name, "schedstat");
        if (sscanf(text, "%llu %llu", &cpu_ns, &waited_ns) == 2) {
            produced->drain_cpu_s = (double)cpu_ns / 1e9;
            produced->drain_waited_s = (double)waited_ns / 1e9;
        }
    }
    if (threads)
        closedir(threads);
}

static void produce(CK_FUNCTION_LIST *module, uint64_t calls_per_second, uint64_t seconds,
                    struct produced *produced)
{
    CK_MECHANISM mechanism = {CKM_ECDSA, NULL, 0};
    CK_BYTE data[32] = {0}, signature[64];
    CK_ULONG length = sizeof signature;
    uint64_t pairs = calls_per_second * seconds / 2, start_ns = bench_now_ns();
    module->C_Initialize(NULL);
    for (uint64_t i = 0; i < pairs; i++) {
        uint64_t due_ns = start_ns + i * 2000000000u / calls_per_second;
        if (i % 16 == 0) {
            produced->step_count++;
            produced->late_count += bench_now_ns() > due_ns + 1000000;
            while (bench_now_ns() < due_ns)
                ;
        }
        module->C_SignInit(1, &mechanism, 7);
        module->C_Sign(1, data, sizeof data, signature, &length);
    }
    produced->taken_s = (double)(bench_now_ns() - start_ns) / 1e9;
    produced->issued_count = pairs * 2;
    drain_thread_read(produced);
    module->C_Finalize(NULL);
}

static void show(const struct produced *produced)
{
    double millions = (double)produced->issued_count / 1e6;
    printf("issued %.2f M calls/s for %.1f s (%.1f %% of the schedule's steps more than 1 ms "
           "late)\n",
           millions / produced->taken_s, produced->taken_s,
           100.0 * (double)produced->late_count / (double)produced->step_count);
    printf("the drain thread: %.2f s of processor for 1 M calls issued, on one for %.0f %% of the "
           "time, ready but without one for %.0f %%\n",
           produced->drain_cpu_s / millions, 100 * produced->drain_cpu_s / produced->taken_s,
           100 * produced->drain_waited_s / produced->taken_s);
}

/* Whether what was issued is there, once. */
static bool check(const struct bench_place *place, uint64_t issued, uint64_t at_end)
{
    static const char issued_query[] =
        "SELECT count(*) FROM call JOIN function_name ON code = function "
        "WHERE name IN ('C_SignInit', 'C_Sign')";
    uint64_t rows = bench_sum(place, "SELECT count(*) FROM call"), lost = bench_lost(place);
    uint64_t found = bench_sum(place, issued_query);
    printf("issued %llu, in the database at the end of the process %llu, after collecting %llu "
           "(%llu issued, %llu others), lost %llu: %s\n",
           (unsigned long long)issued, (unsigned long long)at_end, (unsigned long long)rows,
           (unsigned long long)found, (unsigned long long)(rows - found), (unsigned long long)lost,
           found == issued && lost == 0 ? "exact" : "NOT EXACT");
    return found == issued && lost == 0;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: paced NULL_MODULE SHIM [CALLS_PER_SECOND] [SECONDS]\n");
        return 2;
    }
    uint64_t rate = argc > 3 ? strtoull(argv[3], NULL, 10) : 1000000;
    uint64_t seconds = argc > 4 ? strtoull(argv[4], NULL, 10) : 60;
    struct produced *produced =
        mmap(NULL, sizeof *produced, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct bench_place place;
    if (produced == MAP_FAILED)
        return 1;
    bench_place_make(&place);
    pid_t child = fork();
    if (child == 0) {
        produce(bench_shim(&place, argv[2], argv[1], "auto", "thread"), rate, seconds, produced);
        exit(0);
    }
    waitpid(child, NULL, 0);
    show(produced);
    uint64_t at_end = bench_sum(&place, "SELECT count(*) FROM call");
    bench_collect(&place);
    bool exact = check(&place, produced->issued_count, at_end);
    bench_place_remove(&place);
    return exact ? 0 : 1;
}
