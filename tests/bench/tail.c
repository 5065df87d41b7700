/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The tail of what a recorder adds, and what the first call of a thread costs.
 *
 *   tail NULL_MODULE SHIM [CALLS] [ROUNDS]
 *
 * CALLS calls of each variant, one every 2 µs, each timed from outside; added is its quantile less
 * the direct call's median. The rounds are printed one by one: a preempted round says more of the
 * machine than of the recorder. */
#include "bench.h"

#include <pthread.h>
#include <string.h>
#include <sys/mman.h>

enum { BUCKETS = 200000, PERIOD_NS = 2000, FIRST_THREADS = 200, RING_RECORDS = 16384 };

static uint32_t counts[BUCKETS];
static struct p11prof_record *ring;

static CK_RV sign(CK_FUNCTION_LIST *module)
{
    static CK_BYTE data[32], signature[64];
    CK_ULONG length = sizeof signature;
    return module->C_Sign(1, data, sizeof data, signature, &length);
}

static CK_RV sign_with_floor(CK_FUNCTION_LIST *module)
{
    static unsigned next;
    uint64_t start_ns = bench_now_ns();
    CK_RV rv = sign(module);
    uint64_t end_ns = bench_now_ns();
    struct p11prof_record *record = &ring[next++ % RING_RECORDS];
    record->start_ticks = start_ns;
    record->duration_ticks = end_ns - start_ns;
    record->rv = rv;
    atomic_store_explicit(&record->head, 1, memory_order_release);
    return rv;
}

/* Fills `counts` with the ns of each call. */
static void calls_time(CK_FUNCTION_LIST *module, CK_RV (*call)(CK_FUNCTION_LIST *), unsigned calls)
{
    memset(counts, 0, sizeof counts);
    uint64_t due_ns = bench_now_ns();
    for (unsigned i = 0; i < calls; i++) {
        uint64_t start_ns, end_ns;
        due_ns += PERIOD_NS;
        while ((start_ns = bench_now_ns()) < due_ns)
            ;
        call(module);
        end_ns = bench_now_ns();
        if (end_ns > due_ns + 100 * PERIOD_NS)
            due_ns = end_ns; /* preempted: no burst afterwards */
        uint64_t taken_ns = end_ns - start_ns;
        counts[taken_ns < BUCKETS ? taken_ns : BUCKETS - 1]++;
    }
}

/* The ⌈n·p⌉-th smallest; p in thousandths. */
static uint64_t quantile_ns(unsigned calls, unsigned thousandths)
{
    uint64_t rank = ((uint64_t)calls * thousandths + 999) / 1000, seen = 0;
    uint64_t value = 0;
    while (value < BUCKETS && (seen += counts[value]) < rank)
        value++;
    return value;
}

static void *first_call(void *payload)
{
    CK_FUNCTION_LIST *module = payload;
    uint64_t start_ns = bench_now_ns();
    sign(module);
    return (void *)(uintptr_t)(bench_now_ns() - start_ns);
}

static void first_calls_print(const char *name, CK_FUNCTION_LIST *module)
{
    double taken[FIRST_THREADS];
    for (int i = 0; i < FIRST_THREADS; i++) {
        pthread_t thread;
        void *taken_ns;
        pthread_create(&thread, NULL, first_call, module);
        pthread_join(thread, &taken_ns);
        taken[i] = (double)(uintptr_t)taken_ns / 1000;
    }
    printf("  %-10s median %.1f us, 95 %% %.1f us\n", name,
           bench_quantile(taken, FIRST_THREADS, 0.5), bench_quantile(taken, FIRST_THREADS, 0.95));
}

/* First calls of threads that are alive together: each takes a ring that was never used. */
static pthread_barrier_t together;
static void *first_call_together(void *payload)
{
    void *taken_ns = first_call(payload);
    pthread_barrier_wait(&together);
    return taken_ns;
}

static void new_rings_print(CK_FUNCTION_LIST *module)
{
    pthread_t threads[FIRST_THREADS];
    double taken[FIRST_THREADS];
    pthread_barrier_init(&together, NULL, FIRST_THREADS);
    for (int i = 0; i < FIRST_THREADS; i++) {
        pthread_create(&threads[i], NULL, first_call_together, module);
        bench_sleep_ms(1);
    }
    for (int i = 0; i < FIRST_THREADS; i++) {
        void *taken_ns;
        pthread_join(threads[i], &taken_ns);
        taken[i] = (double)(uintptr_t)taken_ns / 1000;
    }
    printf("  %-10s median %.1f us, 95 %% %.1f us\n", "new ring",
           bench_quantile(taken, FIRST_THREADS, 0.5), bench_quantile(taken, FIRST_THREADS, 0.95));
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: tail NULL_MODULE SHIM [CALLS] [ROUNDS]\n");
        return 2;
    }
    unsigned calls = argc > 3 ? (unsigned)atoi(argv[3]) : 5000000;
    unsigned rounds = argc > 4 ? (unsigned)atoi(argv[4]) : 3;
    struct bench_place place;
    bench_place_make(&place);
    ring = mmap(NULL, RING_RECORDS * sizeof *ring, PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    CK_FUNCTION_LIST *direct = bench_load(argv[1]);
    CK_FUNCTION_LIST *shim = bench_shim(&place, argv[2], argv[1], "auto", "thread");
    CK_FUNCTION_LIST *monotonic = bench_shim(&place, argv[2], argv[1], "monotonic", "thread");
    shim->C_Initialize(NULL);
    monotonic->C_Initialize(NULL);
    double best = 1e9, best_monotonic = 1e9;
    for (unsigned round = 0; round < rounds; round++) {
        calls_time(direct, sign, calls / 10);
        uint64_t direct_ns = quantile_ns(calls / 10, 500);
        calls_time(direct, sign_with_floor, calls);
        uint64_t floor_ns = quantile_ns(calls, 999) - direct_ns;
        calls_time(shim, sign, calls);
        uint64_t shim_ns = quantile_ns(calls, 999) - direct_ns;
        calls_time(monotonic, sign, calls);
        uint64_t monotonic_ns = quantile_ns(calls, 999) - direct_ns;
        double ratio = (double)shim_ns / (double)floor_ns;
        double ratio_monotonic = (double)monotonic_ns / (double)floor_ns;
        printf("round %u: p99.9 of the added time: floor %llu ns, p11prof %llu ns (%.2f), "
               "monotonic %llu ns (%.2f)\n",
               round + 1, (unsigned long long)floor_ns, (unsigned long long)shim_ns, ratio,
               (unsigned long long)monotonic_ns, ratio_monotonic);
        best = ratio < best ? ratio : best;
        best_monotonic = ratio_monotonic < best_monotonic ? ratio_monotonic : best_monotonic;
    }
    printf("best ratio to floor: %.2f, monotonic %.2f\nfirst call of a thread:\n", best,
           best_monotonic);
    first_calls_print("direct", direct);
    first_calls_print("p11prof", shim);
    new_rings_print(shim);
    shim->C_Finalize(NULL);
    monotonic->C_Finalize(NULL);
    printf("calls lost: %llu\n", (unsigned long long)bench_lost(&place));
    bench_place_remove(&place);
    return 0;
}
