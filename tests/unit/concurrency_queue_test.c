/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What is said of calls that an exact queue with a known number of servers served. */
#include "draws.h"
#include "insight/concurrency_verdict.h"
#include "p11prof/batch.h"
#include "under_valgrind.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { CALLS = 4000, THREADS_MAX = 12, SEEDS = 200 };
static const double service_ns = 1e6;

/* --- the queue --- */

enum service { CONSTANT, UNIFORM, EXPONENTIAL, SERVICES };

struct queue {
    unsigned servers, threads;
    enum service service;
    double think_ns; /* mean, of a thread between its calls */
    bool unfair;     /* who came last is served first */
    bool mixed;      /* two mechanisms in turn, each call after a C_SignInit that is not queued */
    bool short_too;  /* every other call of a thread is a C_SignInit of 300 ns */
};

static double exponential(double mean)
{
    return -mean * log(draw_uniform());
}

static double service(enum service kind)
{
    if (kind == CONSTANT)
        return service_ns * (0.98 + 0.04 * draw_uniform());
    return kind == UNIFORM ? service_ns * (0.5 + draw_uniform()) : exponential(service_ns);
}

/* Each thread is away until `next_ns`, waits since then, or is served until then. */
struct thread {
    enum { AWAY, WAITS, SERVED } is;
    double next_ns, start_ns;
    unsigned call_count; /* that ended */
};

static struct p11prof_event events[2 * CALLS];
static size_t event_count;

static int by_end(const void *a, const void *b)
{
    int64_t first = p11prof_event_end_ns(a), second = p11prof_event_end_ns(b);
    return (first > second) - (first < second);
}

static size_t next_of(const struct thread *threads, const struct queue *queue)
{
    size_t next = queue->threads;
    for (size_t i = 0; i < queue->threads; i++)
        if (threads[i].is != WAITS &&
            (next == queue->threads || threads[i].next_ns < threads[next].next_ns))
            next = i;
    return next;
}

static void serve(struct thread *threads, const struct queue *queue, double now_ns)
{
    size_t served = 0, first = queue->threads;
    for (size_t i = 0; i < queue->threads; i++) {
        served += threads[i].is == SERVED;
        if (threads[i].is == WAITS &&
            (first == queue->threads ||
             (threads[i].start_ns < threads[first].start_ns) != queue->unfair))
            first = i;
    }
    if (served >= queue->servers || first == queue->threads)
        return;
    threads[first].is = SERVED;
    bool is_short = queue->short_too && threads[first].call_count % 2 == 0;
    threads[first].next_ns = now_ns + (is_short ? 300 : service(queue->service));
}

static void add_event(size_t thread, unsigned function, int64_t mechanism, double start_ns,
                      double end_ns)
{
    events[event_count++] = (struct p11prof_event){.process_id = 1,
                                                   .thread_id = 100 + (int64_t)thread,
                                                   .start_ns = (int64_t)start_ns,
                                                   .duration_ns = (int64_t)(end_ns - start_ns),
                                                   .function = function,
                                                   .rv = CKR_OK,
                                                   .session = 1 + (int64_t)thread,
                                                   .mechanism = mechanism,
                                                   .key_type = CKK_RSA,
                                                   .key_bits = 2048};
}

static void end_call(struct thread *thread, size_t index, const struct queue *queue, double now_ns)
{
    bool odd = thread->call_count++ % 2;
    int64_t mechanism = queue->mixed && odd ? CKM_SHA256_RSA_PKCS : CKM_RSA_PKCS;
    if (queue->mixed)
        add_event(index, P11PROF_C_SignInit, mechanism, thread->start_ns - 310,
                  thread->start_ns - 10);
    add_event(index, queue->short_too && !odd ? P11PROF_C_SignInit : P11PROF_C_Sign, mechanism,
              thread->start_ns, now_ns);
}

static void run_queue(const struct queue *queue, uint64_t seed)
{
    struct thread threads[THREADS_MAX];
    draw_seed(seed);
    event_count = 0;
    for (size_t i = 0; i < queue->threads; i++)
        threads[i] = (struct thread){AWAY, exponential(queue->think_ns + service_ns) + 1000, 0, 0};
    while (event_count < CALLS) {
        size_t next = next_of(threads, queue);
        double now_ns = threads[next].next_ns;
        if (threads[next].is == SERVED) {
            end_call(&threads[next], next, queue, now_ns);
            threads[next].is = AWAY;
            threads[next].next_ns = now_ns + 1000 + exponential(queue->think_ns);
        } else {
            threads[next].is = WAITS;
            threads[next].start_ns = now_ns;
        }
        serve(threads, queue, now_ns);
    }
    qsort(events, event_count, sizeof *events, by_end);
}

/* --- verdicts --- */

static unsigned free_kinds, serialised_kinds; /* of the last verdict */

static void judge_kinds(const struct p11prof_concurrency_verdict *verdict)
{
    free_kinds = serialised_kinds = 0;
    for (size_t i = 0; i < verdict->process->group_count; i++) {
        struct p11prof_speed_up kind;
        p11prof_concurrency_judge_kind(&kind, verdict, &verdict->process->groups[i]);
        free_kinds += kind.served == P11PROF_SERVED_ALL || kind.served == P11PROF_SERVED_SOME ||
                      kind.served == P11PROF_SERVED_TOGETHER;
        serialised_kinds += kind.served == P11PROF_SERVED_IN_TURN;
    }
}

static void judge(struct p11prof_speed_up *out)
{
    struct p11prof_function_flow flows[P11PROF_CALLS + 1] = {{0}};
    struct p11prof_call_groups groups = {.all = NULL};
    struct p11prof_concurrency_verdict verdict;
    struct p11prof_concurrency_process *process = p11prof_concurrency_process_new(
        1, p11prof_event_end_ns(&events[event_count - 1]) / P11PROF_TURN_SLICES, 1000 * 1000000,
        flows);
    for (size_t i = 0; i < event_count; i++)
        p11prof_concurrency_process_add(process, &events[i],
                                        p11prof_call_group_of(&groups, &events[i]));
    p11prof_concurrency_process_finish(process);
    p11prof_concurrency_judge(&verdict, process, &groups);
    assert_int_equal(process->sweep.late_count, 0);
    assert_false(verdict.taken);
    *out = verdict.module;
    judge_kinds(&verdict);
    p11prof_concurrency_process_free(process);
    free(groups.all);
}

static bool is_right(const struct queue *queue, const struct p11prof_speed_up *found)
{
    if (queue->servers == 1)
        return found->served == P11PROF_SERVED_IN_TURN;
    if (queue->servers >= queue->threads)
        return found->served == P11PROF_SERVED_ALL;
    return found->served == P11PROF_SERVED_SOME &&
           lround(found->parallel.value) == (long)queue->servers;
}

/* How many threads, and how long they think: the servers are busy, and sometimes nearly idle. */
static struct queue random_queue(void)
{
    struct queue queue = {.servers = 1 + (unsigned)(4 * draw_uniform()),
                          .service = (enum service)(SERVICES * draw_uniform())};
    bool free_for_all = queue.servers > 1 && draw_uniform() < 0.3;
    queue.threads =
        free_for_all ? queue.servers : queue.servers + 2 + (unsigned)(4 * draw_uniform());
    double load = 0.6 + 0.5 * draw_uniform();
    queue.think_ns = service_ns * (queue.threads / (load * queue.servers) - 1);
    queue.think_ns = queue.think_ns > 0.5 * service_ns ? queue.think_ns : 0.5 * service_ns;
    queue.unfair = draw_uniform() < 0.3;
    return queue;
}

static void test_random_queues(void **unused)
{
    (void)unused;
    unsigned right = 0, wrong_in_turn = 0, seeds = under_valgrind() ? SEEDS / 10 : SEEDS;
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        struct p11prof_speed_up found;
        draw_seed(seed * 7919);
        struct queue queue = random_queue();
        run_queue(&queue, seed);
        judge(&found);
        right += is_right(&queue, &found);
        wrong_in_turn += found.served == P11PROF_SERVED_IN_TURN && queue.servers > 1;
        if (!is_right(&queue, &found))
            print_message("servers %u, threads %u, service %d, think %.1f: served %d, %.2f times, "
                          "%.2f at a time (%.2f to %.2f), alone %d, in flight %.2f\n",
                          queue.servers, queue.threads, (int)queue.service,
                          queue.think_ns / service_ns, (int)found.served, found.times.value,
                          found.parallel.value, found.parallel.low, found.parallel.high,
                          (int)found.alone_count, found.in_flight);
    }
    print_message("right: %u of %u\n", right, seeds);
    assert_int_equal(wrong_in_turn, 0);
    assert_true(right >= seeds * 95 / 100);
}

/* Threads that never pause leave no call alone. */
static void test_saturated(void **unused)
{
    (void)unused;
    static const struct {
        unsigned servers, threads;
        enum service service;
        enum p11prof_served served;
    } queues[] = {
        {1, 4, CONSTANT, P11PROF_SERVED_IN_TURN},    {1, 2, CONSTANT, P11PROF_SERVED_IN_TURN},
        {1, 8, UNIFORM, P11PROF_SERVED_IN_TURN},     {4, 4, CONSTANT, P11PROF_SERVED_TOGETHER},
        {1, 4, EXPONENTIAL, P11PROF_SERVED_UNKNOWN}, {4, 4, EXPONENTIAL, P11PROF_SERVED_UNKNOWN},
    };
    for (size_t i = 0; i < sizeof queues / sizeof *queues; i++)
        for (uint64_t seed = 1; seed <= 20; seed++) {
            struct queue queue = {.servers = queues[i].servers,
                                  .threads = queues[i].threads,
                                  .service = queues[i].service,
                                  .think_ns = 10};
            struct p11prof_speed_up found;
            run_queue(&queue, seed);
            judge(&found);
            if (found.served != queues[i].served)
                print_message("saturated %zu: seed %d served %d alone %d\n", i, (int)seed,
                              (int)found.served, (int)found.alone_count);
            bool wrong = (found.served == P11PROF_SERVED_IN_TURN) != (queues[i].servers == 1);
            if (found.served != P11PROF_SERVED_UNKNOWN)
                assert_false(wrong);
        }
}

/* Two mechanisms that wait in one line, and short calls that do not wait. */
static void test_mixed_kinds(void **unused)
{
    (void)unused;
    static const double thinks_ns[] = {10, 5e5, 3e6};
    for (size_t i = 0; i < sizeof thinks_ns / sizeof *thinks_ns; i++)
        for (unsigned servers = 1; servers <= 4; servers += 3)
            for (uint64_t seed = 1; seed <= 20; seed++) {
                struct queue queue = {
                    .servers = servers, .threads = 4, .think_ns = thinks_ns[i], .mixed = true};
                struct p11prof_speed_up found;
                run_queue(&queue, seed);
                judge(&found);
                assert_int_equal(found.served == P11PROF_SERVED_IN_TURN, servers == 1);
                if (servers == 1)
                    assert_int_equal(free_kinds, 0);
            }
}

/* Short calls wait in the line too. */
static void test_short_calls_in_line(void **unused)
{
    (void)unused;
    for (unsigned threads = 2; threads <= 6; threads += 2)
        for (uint64_t seed = 1; seed <= 20; seed++) {
            struct queue queue = {
                .servers = 1, .threads = threads, .think_ns = 10, .short_too = true};
            struct p11prof_speed_up found;
            run_queue(&queue, seed);
            judge(&found);
            assert_int_equal(found.served, P11PROF_SERVED_IN_TURN);
            assert_int_equal(free_kinds, 0);
        }
}

static void run_two_queues(const struct queue *queue, uint64_t seed)
{
    static struct p11prof_event others[CALLS];
    run_queue(queue, 2 * seed);
    for (size_t i = 0; i < CALLS; i++) {
        others[i] = events[i];
        others[i].function = P11PROF_C_Digest;
        others[i].thread_id += 100;
        others[i].session += 100;
    }
    run_queue(queue, 2 * seed + 1);
    for (size_t i = 0; i < CALLS; i++)
        events[event_count++] = others[i];
    qsort(events, event_count, sizeof *events, by_end);
}

/* Two functions that have a lock each. */
static void test_two_locks(void **unused)
{
    (void)unused;
    static const double thinks_ns[] = {10, 3e6};
    for (size_t i = 0; i < sizeof thinks_ns / sizeof *thinks_ns; i++)
        for (uint64_t seed = 1; seed <= 20; seed++) {
            struct queue queue = {.servers = 1, .threads = 3, .think_ns = thinks_ns[i]};
            struct p11prof_speed_up found;
            run_two_queues(&queue, seed);
            judge(&found);
            assert_int_not_equal(found.served, P11PROF_SERVED_IN_TURN);
            assert_int_equal(serialised_kinds, 2);
            assert_int_equal(free_kinds, 0);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_queues), cmocka_unit_test(test_saturated),
        cmocka_unit_test(test_mixed_kinds),   cmocka_unit_test(test_short_calls_in_line),
        cmocka_unit_test(test_two_locks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
