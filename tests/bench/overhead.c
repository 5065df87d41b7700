/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What a recorder adds to a call, side by side in one process over the null module.
 *
 *   overhead NULL_MODULE SHIM [SPY] [rounds]
 *
 * direct  the module itself
 * floor   an indirect call, two clock_gettime(CLOCK_MONOTONIC), one 64-byte record into a mapped
 * ring shim    p11prof with its drain thread running, once per clock spy     pkcs11-spy writing to
 * /dev/null log     p11-kit's log-calls, its stderr to /dev/null
 *
 * Each round runs one block of every variant; a variant's cost is its block's mean time a call less
 * the direct one's of the same round. Printed are the median over the rounds, the spread (10th to
 * 90th percentile) and the ratio to floor. */
#include "bench.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

enum { BLOCK_CALLS = 40000, SLOW_BLOCK_CALLS = 400, THREADS_MOST = 4, ROUNDS_MOST = 200 };

struct variant {
    const char *name;
    CK_FUNCTION_LIST *module; /* NULL: not here */
    bool slow;
    bool floor;
    double added_ns[ROUNDS_MOST];
};

struct block {
    const struct variant *variant;
    pthread_barrier_t *barrier;
    uint64_t taken_ns;
    unsigned calls;
};

/* The floor's ring: one writer a thread. */
static __thread struct p11prof_record *ring, *ring_next, *ring_end;

static void ring_make(void)
{
    size_t bytes = 1 << 20;
    ring =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    ring_next = ring;
    ring_end = ring + bytes / sizeof *ring;
}

static __attribute__((noinline)) CK_RV floor_sign(CK_FUNCTION_LIST *module,
                                                  CK_SESSION_HANDLE session, CK_BYTE_PTR data,
                                                  CK_ULONG data_length, CK_BYTE_PTR signature,
                                                  CK_ULONG_PTR signature_length)
{
    uint64_t start_ns = bench_now_ns();
    CK_RV rv = module->C_Sign(session, data, data_length, signature, signature_length);
    uint64_t end_ns = bench_now_ns();
    struct p11prof_record *record = ring_next;
    record->start_ticks = start_ns;
    record->duration_ticks = end_ns - start_ns;
    record->session = session;
    record->rv = rv;
    record->fact[0] = data_length;
    record->fact[1] = *signature_length;
    record->fact[2] = 0;
    atomic_store_explicit(&record->head,
                          p11prof_record_head(P11PROF_C_Sign, P11PROF_RECORD_CALL, 0, 0),
                          memory_order_release);
    ring_next = record + 1 == ring_end ? ring : record + 1;
    return rv;
}

static void *block_run(void *payload)
{
    struct block *block = payload;
    CK_FUNCTION_LIST *module = block->variant->module;
    CK_BYTE data[32] = {0}, signature[64];
    CK_ULONG length = sizeof signature;
    if (block->variant->floor)
        ring_make();
    for (int i = 0; i < 64;
         i++) /* the thread's first call and its chunk are not what is measured */
        module->C_Sign(1, data, sizeof data, signature, &length);
    pthread_barrier_wait(block->barrier);
    uint64_t start_ns = bench_now_ns();
    if (block->variant->floor)
        for (unsigned i = 0; i < block->calls; i++)
            floor_sign(module, 1, data, sizeof data, signature, &length);
    else
        for (unsigned i = 0; i < block->calls; i++)
            module->C_Sign(1, data, sizeof data, signature, &length);
    block->taken_ns = bench_now_ns() - start_ns;
    if (block->variant->floor)
        munmap(ring, 1 << 20);
    return NULL;
}

/* Mean ns a call of one block, all threads at once. */
static double block_ns(const struct variant *variant, unsigned threads)
{
    struct block blocks[THREADS_MOST];
    pthread_t ids[THREADS_MOST];
    pthread_barrier_t barrier;
    double sum = 0;
    unsigned calls = (variant->slow ? SLOW_BLOCK_CALLS : BLOCK_CALLS) / threads;
    pthread_barrier_init(&barrier, NULL, threads);
    for (unsigned i = 0; i < threads; i++) {
        blocks[i] = (struct block){.variant = variant, .barrier = &barrier, .calls = calls};
        pthread_create(&ids[i], NULL, block_run, &blocks[i]);
    }
    for (unsigned i = 0; i < threads; i++) {
        pthread_join(ids[i], NULL);
        sum += (double)blocks[i].taken_ns / calls;
    }
    pthread_barrier_destroy(&barrier);
    return sum / threads;
}

static void round_run(struct variant *variants, size_t count, unsigned threads, unsigned round)
{
    double direct_ns = 0;
    for (size_t i = 0; i < count; i++) {
        if (!variants[i].module)
            continue;
        double ns = block_ns(&variants[i], threads);
        if (i == 0)
            direct_ns = ns;
        variants[i].added_ns[round] = i == 0 ? ns : ns - direct_ns;
        bench_sleep_ms(15); /* the drain catches up outside the measured block */
    }
}

static void table_print(struct variant *variants, size_t count, unsigned threads, unsigned rounds)
{
    double floor_ns = bench_quantile(variants[1].added_ns, rounds, 0.5);
    printf("\n%u thread%s, %u rounds          added ns a call (10 %% … 90 %%)     ratio to floor\n",
           threads, threads == 1 ? "" : "s", rounds);
    for (size_t i = 0; i < count; i++) {
        if (!variants[i].module) {
            printf("  %-22s not here: left out\n", variants[i].name);
            continue;
        }
        double *added = variants[i].added_ns, median = bench_quantile(added, rounds, 0.5);
        printf("  %-22s %10.1f  (%.1f … %.1f)", variants[i].name, median,
               bench_quantile(added, rounds, 0.1), bench_quantile(added, rounds, 0.9));
        if (i > 0)
            printf("%*s%8.2f", 12, "", median / floor_ns);
        printf("\n");
    }
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: overhead NULL_MODULE SHIM [SPY] [ROUNDS]\n");
        return 2;
    }
    const char *spy = argc > 3 && argv[3][0] ? argv[3] : NULL;
    unsigned rounds = argc > 4 ? (unsigned)atoi(argv[4]) : 40;
    rounds = rounds < 1 ? 1 : rounds > ROUNDS_MOST ? ROUNDS_MOST : rounds;
    struct bench_place place;
    bench_place_make(&place);
    struct variant variants[] = {
        {.name = "direct (time a call)", .module = bench_load(argv[1])},
        {.name = "floor", .module = bench_load(argv[1]), .floor = true},
        {.name = "p11prof, monotonic",
         .module = bench_shim(&place, argv[2], argv[1], "monotonic", "thread")},
        {.name = "p11prof, TSC",
         .module = p11prof_clock_has_tsc() ? bench_shim(&place, argv[2], argv[1], "tsc", "thread")
                                           : NULL},
        {.name = "pkcs11-spy", .module = spy ? bench_spy(spy, argv[1]) : NULL, .slow = true},
        {.name = "p11-kit log-calls", .module = bench_log_calls(&place, argv[1]), .slow = true},
    };
    size_t count = sizeof variants / sizeof *variants;
    int null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    dup2(null_fd, STDERR_FILENO); /* log-calls writes there */
    for (size_t i = 0; i < count; i++)
        if (variants[i].module && i != 1)
            variants[i].module->C_Initialize(NULL);
    for (unsigned threads = 1; threads <= THREADS_MOST; threads *= 2) {
        for (unsigned round = 0; round < 3; round++) /* warm-up */
            round_run(variants, count, threads, round);
        for (unsigned round = 0; round < rounds; round++)
            round_run(variants, count, threads, round);
        table_print(variants, count, threads, rounds);
    }
    for (size_t i = 0; i < count; i++)
        if (variants[i].module && i != 1)
            variants[i].module->C_Finalize(NULL);
    printf("\ncalls lost: %llu\n", (unsigned long long)bench_lost(&place));
    bench_place_remove(&place);
    return 0;
}
