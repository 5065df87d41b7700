/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "slice_clock.h"

#include <errno.h>
#include <sched.h>
#include <time.h>

enum { SPIN_NS = 200000 };

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

void slice_begin(const struct bench_plan *plan)
{
    uint64_t sleep_ns = plan->start_ns - SPIN_NS;
    const struct timespec until = {(time_t)(sleep_ns / 1000000000u),
                                   (long)(sleep_ns % 1000000000u)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
        ;
    processor_take(plan->processor);
    while (slice_now_ns() < plan->start_ns)
        ;
}
