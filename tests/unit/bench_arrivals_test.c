/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* When the operations of an open loop are to begin, and which of them never do. */
#include "bench/amounts.h"
#include "bench/arrivals.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define START   UINT64_C(5000000000)
#define SECOND  UINT64_C(1000000000)
#define TOO_FAR UINT64_C(1000000)

enum { MANY = 200000, THREADS_MOST = 8, EACH_MOST = 20000 };

static struct bench_arrivals arrivals;

static void begin(double rate, bool poisson, struct bench_amount warmup,
                  struct bench_amount measured)
{
    const struct bench_arrivals_plan plan = {.rate = rate,
                                             .poisson = poisson,
                                             .seed = 42,
                                             .start_ns = START,
                                             .warmup = warmup,
                                             .measured = measured};
    assert_true(bench_arrivals_init(&arrivals));
    bench_arrivals_begin(&arrivals, &plan);
}

/* As a thread that is never late. */
static bool take(struct bench_arrival *out)
{
    return bench_arrivals_take(&arrivals, START, out) == BENCH_ARRIVALS_ONE;
}

static void rates_are_read(void **state)
{
    static const struct {
        const char *text;
        double rate;
    } good[] = {{"500/s", 500}, {"500", 500},       {"2.5/s", 2.5},      {"0.5", 0.5},
                {"30/m", 0.5},  {"30/min", 0.5},    {"900/h", 0.25},     {"10k/s", 10000},
                {"1.5k", 1500}, {"1000000/s", 1e6}, {"1/h", 1.0 / 3600}, {"60000000/m", 1e6}};
    static const char *const bad[] = {
        "",    "0",       "0/s",   "-5",    "+5", "5/", "/s", "5/d", "5s",   "1e3", "0x5",  "inf",
        "nan", "1000001", "2000k", "0.5/h", ".5", "5.", " 5", "5 ",  "5/s ", "5,5", "1k/k", "5/ss"};
    double rate;
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        if (!amounts_rate(good[i].text, &rate) || rate != good[i].rate)
            fail_msg("%s: %g", good[i].text, rate);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (amounts_rate(bad[i], &rate))
            fail_msg("'%s' is read as %g", bad[i], rate);
}

static void constant_arrivals_are_exact(void **state)
{
    static const double rates[] = {1, 3, 7, 500, 333.3, 1.0 / 3, 1e6};
    struct bench_arrival one;
    (void)state;
    for (size_t r = 0; r < sizeof rates / sizeof rates[0]; r++) {
        begin(rates[r], false, (struct bench_amount){0}, (struct bench_amount){.count = MANY});
        for (uint64_t i = 0; i < MANY; i++) {
            assert_true(take(&one));
            long double due_ns = (long double)i * 1e9L / (long double)rates[r];
            assert_true(fabsl((long double)(one.intended_ns - START) - due_ns) <= 0.5L);
            assert_int_equal(one.phase, P11PROF_PHASE_MEASURED);
        }
        assert_false(take(&one));
        assert_int_equal(bench_arrivals_missed(&arrivals), 0);
    }
}

/* Mean and variance of exponential gaps are known: 4 sigma. The sixth of all that are longer than
 * 1.79 times the mean shows the shape. */
static void random_arrivals_are_a_poisson_process(void **state)
{
    static const double rate = 250, beyond = 1.791759469228055;
    struct bench_arrival one;
    double sum = 0, squares = 0, longer = 0;
    uint64_t before_ns = START;
    (void)state;
    begin(rate, true, (struct bench_amount){0}, (struct bench_amount){.count = MANY});
    for (unsigned i = 0; i < MANY; i++) {
        assert_true(take(&one));
        assert_true(one.intended_ns >= before_ns);
        double gap = (double)(one.intended_ns - before_ns) / 1e9 * rate;
        before_ns = one.intended_ns;
        sum += gap;
        squares += gap * gap;
        longer += gap > beyond;
    }
    double mean = sum / MANY, variance = squares / MANY - mean * mean;
    assert_true(fabs(mean - 1) < 4 / sqrt(MANY));
    assert_true(fabs(variance - 1) < 4 * sqrt(8.0 / MANY));
    assert_true(fabs(longer / MANY - 1.0 / 6) < 4 * sqrt(5.0 / 36 / MANY));
}

/* --- threads --- */

struct taker {
    pthread_t thread;
    uint64_t taken[EACH_MOST];
    size_t count;
};

static void *taker_run(void *payload)
{
    struct taker *taker = payload;
    struct bench_arrival one;
    while (bench_arrivals_take(&arrivals, START, &one) == BENCH_ARRIVALS_ONE)
        taker->taken[taker->count++] = one.intended_ns;
    return NULL;
}

static int by_time(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return a < b ? -1 : a > b;
}

/* Those of all threads together, in their order; the caller frees them. */
static uint64_t *taken_by(unsigned threads, bool poisson, size_t *count)
{
    static struct taker takers[THREADS_MOST];
    uint64_t *all = calloc(EACH_MOST, sizeof *all);
    begin(1000, poisson, (struct bench_amount){0}, (struct bench_amount){.ns = 10 * SECOND});
    *count = 0;
    for (unsigned i = 0; i < threads; i++) {
        takers[i].count = 0;
        assert_int_equal(pthread_create(&takers[i].thread, NULL, taker_run, &takers[i]), 0);
    }
    for (unsigned i = 0; i < threads; i++) {
        pthread_join(takers[i].thread, NULL);
        assert_true(*count + takers[i].count <= EACH_MOST);
        memcpy(all + *count, takers[i].taken, takers[i].count * sizeof *all);
        *count += takers[i].count;
    }
    qsort(all, *count, sizeof *all, by_time);
    return all;
}

static void threads_share_one_schedule(void **state)
{
    (void)state;
    for (int poisson = 0; poisson < 2; poisson++) {
        size_t count, other_count;
        uint64_t *alone = taken_by(1, poisson, &count);
        assert_true(poisson ? count > 9000 && count < 11000 : count == 10000);
        for (unsigned threads = 2; threads <= THREADS_MOST; threads *= 2) {
            uint64_t *shared = taken_by(threads, poisson, &other_count);
            assert_int_equal(other_count, count);
            assert_memory_equal(shared, alone, count * sizeof *alone);
            free(shared);
        }
        free(alone);
    }
}

/* --- phases and what is missed --- */

static void phases_are_one_schedule(void **state)
{
    static const struct bench_amount warmups[] = {{.ns = SECOND}, {.count = 100}};
    struct bench_arrival one;
    uint64_t start_ns, end_ns;
    (void)state;
    for (size_t w = 0; w < 2; w++) {
        begin(100, false, warmups[w], (struct bench_amount){.ns = 2 * SECOND});
        for (unsigned i = 0; i < 300; i++) {
            assert_true(take(&one));
            assert_int_equal(one.intended_ns, START + i * SECOND / 100);
            assert_int_equal(one.phase, i < 100 ? P11PROF_PHASE_WARMUP : P11PROF_PHASE_MEASURED);
        }
        assert_false(take(&one));
        bench_arrivals_measured(&arrivals, &start_ns, &end_ns);
        assert_int_equal(start_ns, START + SECOND);
        assert_int_equal(end_ns, START + 3 * SECOND);
    }
}

/* Slices begin where those before them ended: as many are due in all as the rate says, one by one,
 * and none twice. */
static void slices_are_one_schedule(void **state)
{
    static const double rates[] = {13, 7, 2.5, 1.0 / 3, 37, 333.3, 1e4};
    static const uint64_t slices_ns[] = {833333334, 833333333, 500000000, 1, 1700000000};
    struct bench_arrival one;
    (void)state;
    for (size_t r = 0; r < sizeof rates / sizeof rates[0]; r++) {
        uint64_t before_ns = 0, number = 0;
        for (size_t s = 0; s < sizeof slices_ns / sizeof slices_ns[0]; s++) {
            struct bench_arrivals_plan plan = {.rate = rates[r],
                                               .start_ns = START,
                                               .warmup.ns = slices_ns[s] / 10,
                                               .measured.ns = slices_ns[s]};
            plan.first_s = bench_arrivals_first_s(&plan, before_ns);
            bench_arrivals_begin(&arrivals, &plan);
            while (take(&one)) {
                if (one.phase != P11PROF_PHASE_MEASURED)
                    continue;
                double since_ns =
                    (double)(one.intended_ns - START - plan.warmup.ns) + (double)before_ns;
                assert_true(fabs(since_ns - ((double)number++ + 0.5) / rates[r] * 1e9) < 2);
            }
            before_ns += slices_ns[s];
        }
        assert_true(fabs((double)number - (double)before_ns / 1e9 * rates[r]) <= 0.5);
    }
}

/* A thread that comes back after so long: what is due is begun, until a tenth after the end. */
static void what_never_begins_is_counted(void **state)
{
    struct bench_arrival one;
    (void)state;
    begin(100, false, (struct bench_amount){0}, (struct bench_amount){.ns = 2 * SECOND});
    for (unsigned i = 0; i < 50; i++)
        assert_true(take(&one));
    assert_int_equal(bench_arrivals_take(&arrivals, START + 2 * SECOND + SECOND / 10, &one),
                     BENCH_ARRIVALS_ONE);
    assert_int_equal(one.intended_ns, START + 50 * SECOND / 100);
    assert_int_equal(bench_arrivals_take(&arrivals, START + 2 * SECOND + SECOND / 3, &one),
                     BENCH_ARRIVALS_END);
    assert_int_equal(bench_arrivals_missed(&arrivals), 149);
}

/* A stall that ends a second after the measured part: who was due meanwhile has waited for it. */
static void a_stall_is_waited_for(void **state)
{
    const uint64_t woken_ns = START + 3 * SECOND;
    struct bench_arrival one;
    (void)state;
    begin(100, false, (struct bench_amount){0}, (struct bench_amount){.ns = 2 * SECOND});
    for (unsigned i = 0; i < 50; i++)
        assert_true(take(&one));
    for (unsigned i = 50; i < 200; i++) {
        assert_int_equal(bench_arrivals_take(&arrivals, woken_ns + i * SECOND / 1000, &one),
                         BENCH_ARRIVALS_ONE);
        assert_int_equal(one.intended_ns, START + i * SECOND / 100);
    }
    assert_false(take(&one));
    assert_int_equal(bench_arrivals_missed(&arrivals), 0);
}

static void a_count_is_done_however_late(void **state)
{
    struct bench_arrival one;
    (void)state;
    begin(100, false, (struct bench_amount){0}, (struct bench_amount){.count = 20});
    for (unsigned i = 0; i < 20; i++)
        assert_int_equal(bench_arrivals_take(&arrivals, START + TOO_FAR * SECOND, &one),
                         BENCH_ARRIVALS_ONE);
    assert_false(take(&one));
    assert_int_equal(bench_arrivals_missed(&arrivals), 0);
}

/* Threads that were stopped leave what was due until then; a warm-up counts for nothing. */
static void an_early_end_leaves_what_was_due(void **state)
{
    struct bench_arrival one;
    (void)state;
    begin(100, false, (struct bench_amount){.ns = SECOND}, (struct bench_amount){.ns = SECOND});
    assert_true(take(&one));
    bench_arrivals_end(&arrivals, START + SECOND + SECOND / 2);
    assert_int_equal(bench_arrivals_missed(&arrivals), 50);
}

/* Years of them are not counted in one go: somebody may want to stop. */
static void far_behind_comes_back(void **state)
{
    struct bench_arrival one;
    (void)state;
    begin(1e6, true, (struct bench_amount){0}, (struct bench_amount){.ns = TOO_FAR * SECOND});
    assert_int_equal(bench_arrivals_take(&arrivals, START + TOO_FAR * SECOND, &one),
                     BENCH_ARRIVALS_ONE);
    assert_int_equal(bench_arrivals_take(&arrivals, START + 2 * TOO_FAR * SECOND, &one),
                     BENCH_ARRIVALS_BEHIND);
    assert_true(bench_arrivals_missed(&arrivals) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rates_are_read),
        cmocka_unit_test(constant_arrivals_are_exact),
        cmocka_unit_test(random_arrivals_are_a_poisson_process),
        cmocka_unit_test(threads_share_one_schedule),
        cmocka_unit_test(phases_are_one_schedule),
        cmocka_unit_test(slices_are_one_schedule),
        cmocka_unit_test(what_never_begins_is_counted),
        cmocka_unit_test(a_stall_is_waited_for),
        cmocka_unit_test(a_count_is_done_however_late),
        cmocka_unit_test(an_early_end_leaves_what_was_due),
        cmocka_unit_test(far_behind_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
