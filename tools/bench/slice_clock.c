/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "slice_clock.h"

#include <errno.h>
#include <sched.h>
#include <sys/prctl.h>
#include <time.h>

enum {
    SPIN_NS = 200000,         /* before a slice */
    WAIT_SPIN_NS = 30000,     /* before an operation: there are many */
    LOOK_EVERY_NS = 50000000, /* whether to stop */
};

uint64_t slice_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t slice_clock_cost_ns(void)
{
    uint64_t least_ns = UINT64_MAX;
    for (int i = 0; i < 1000; i++) {
        uint64_t start_ns = slice_now_ns(), taken_ns = slice_now_ns() - start_ns;
        least_ns = taken_ns < least_ns ? taken_ns : least_ns;
    }
    return least_ns;
}

/* Moves the calling thread to a processor. It may be moved on from there at any time. */
static void processor_take(int processor)
{
    cpu_set_t allowed, one;
    if (processor <= 0 || processor > CPU_SETSIZE ||
        sched_getaffinity(0, sizeof allowed, &allowed) != 0)
        return;
    CPU_ZERO(&one);
    CPU_SET((size_t)processor - 1, &one);
    if (sched_setaffinity(0, sizeof one, &one) == 0)
        sched_setaffinity(0, sizeof allowed, &allowed);
}

static void sleep_until(uint64_t until_ns)
{
    const struct timespec until = {(time_t)(until_ns / 1000000000u),
                                   (long)(until_ns % 1000000000u)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
        ;
}

void slice_begin(const struct bench_plan *plan)
{
    sleep_until(plan->start_ns - SPIN_NS);
    processor_take(plan->processor);
    while (slice_now_ns() < plan->start_ns)
        ;
}

bool slice_wait(uint64_t until_ns, const _Atomic(uint32_t) *stop)
{
    for (uint64_t now_ns = slice_now_ns(); now_ns < until_ns; now_ns = slice_now_ns()) {
        uint64_t left_ns = until_ns - now_ns;
        if (atomic_load_explicit(stop, memory_order_relaxed))
            return false;
        if (left_ns > WAIT_SPIN_NS)
            sleep_until(left_ns > LOOK_EVERY_NS ? now_ns + LOOK_EVERY_NS : until_ns - WAIT_SPIN_NS);
    }
    return true;
}

void slice_wait_exactly(void)
{
    prctl(PR_SET_TIMERSLACK, 1UL);
}
