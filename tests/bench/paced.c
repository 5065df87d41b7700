/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The rate that one producer can keep up without losing a call, its drain thread at work beside it.
 *
 *   paced NULL_MODULE SHIM [CALLS_PER_SECOND] [SECONDS]
 *
 * Pairs of C_SignInit and C_Sign are issued on a schedule; a pair that is late is issued at once.
 */
#include "bench.h"

#include <sys/wait.h>
#include <unistd.h>

static void produce(CK_FUNCTION_LIST *module, uint64_t calls_per_second, uint64_t seconds)
{
    CK_MECHANISM mechanism = {CKM_ECDSA, NULL, 0};
    CK_BYTE data[32] = {0}, signature[64];
    CK_ULONG length = sizeof signature;
    uint64_t pairs = calls_per_second * seconds / 2, start_ns = bench_now_ns(), late = 0;
    module->C_Initialize(NULL);
    for (uint64_t i = 0; i < pairs; i++) {
        uint64_t due_ns = start_ns + i * 2000000000u / calls_per_second;
        if (i % 16 == 0) {
            late += bench_now_ns() > due_ns + 1000000;
            while (bench_now_ns() < due_ns)
                ;
        }
        module->C_SignInit(1, &mechanism, 7);
        module->C_Sign(1, data, sizeof data, signature, &length);
    }
    double taken_s = (double)(bench_now_ns() - start_ns) / 1e9;
    printf(
        "issued %.2f M calls/s for %.1f s (%.1f %% of the schedule's steps more than 1 ms late)\n",
        (double)pairs * 2 / taken_s / 1e6, taken_s, 1600.0 * (double)late / (double)pairs);
    fflush(stdout);
    module->C_Finalize(NULL);
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: paced NULL_MODULE SHIM [CALLS_PER_SECOND] [SECONDS]\n");
        return 2;
    }
    uint64_t rate = argc > 3 ? strtoull(argv[3], NULL, 10) : 1000000;
    uint64_t seconds = argc > 4 ? strtoull(argv[4], NULL, 10) : 60;
    struct bench_place place;
    bench_place_make(&place);
    pid_t child = fork();
    if (child == 0) {
        produce(bench_shim(&place, argv[2], argv[1], "auto", "thread"), rate, seconds);
        exit(0);
    }
    waitpid(child, NULL, 0);
    printf("calls counted %llu, lost %llu\n", (unsigned long long)bench_counted(&place),
           (unsigned long long)bench_lost(&place));
    bench_place_remove(&place);
    return 0;
}
