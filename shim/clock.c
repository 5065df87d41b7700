/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "p11prof/spool.h"

#include "descriptor.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>
#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#include <x86intrin.h>
#endif

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

#if defined(__x86_64__) || defined(__i386__)
static bool clocksource_is_tsc(void)
{
    char name[8] = "";
    struct p11prof_descriptor file;
    p11prof_descriptor_open(&file, AT_FDCWD,
                            "/sys/devices/system/clocksource/clocksource0/current_clocksource",
                            O_RDONLY, 0);
    ssize_t length = p11prof_descriptor_read(&file, name, sizeof name - 1);
    p11prof_descriptor_close(&file);
    return length >= 3 && strncmp(name, "tsc", 3) == 0 && (name[3] == '\n' || name[3] == '\0');
}

static bool find_tsc(void)
{
    unsigned a, b, c, d = 0;
    int access = 0;
    bool invariant = __get_cpuid(0x80000007, &a, &b, &c, &d) && (d & (1u << 8)) != 0;
    return invariant && prctl(PR_GET_TSC, &access) == 0 && access == PR_TSC_ENABLE &&
           clocksource_is_tsc();
}

static uint64_t tsc(void)
{
    return __rdtsc();
}
#else
static bool find_tsc(void)
{
    return false;
}
static uint64_t tsc(void)
{
    return 0;
}
#endif

bool p11prof_clock_has_tsc(void)
{
    static _Atomic(int) answer; /* 0: not asked, 1: no, 2: yes */
    int known = atomic_load_explicit(&answer, memory_order_relaxed);
    if (known == 0) {
        known = find_tsc() ? 2 : 1;
        atomic_store_explicit(&answer, known, memory_order_relaxed);
    }
    return known == 2;
}

/* The reads that were closest together, of a few: a preempted reader would tie the clocks wrongly.
 */
struct p11prof_anchor p11prof_anchor_now(void)
{
    struct p11prof_anchor best = {0};
    uint64_t best_ns = UINT64_MAX;
    bool has_tsc = p11prof_clock_has_tsc();
    for (int attempt = 0; attempt < 4 && best_ns > 150; attempt++) {
        uint64_t before_ns = clock_ns(CLOCK_MONOTONIC);
        uint64_t ticks = has_tsc ? tsc() : 0;
        uint64_t after_ns = clock_ns(CLOCK_MONOTONIC);
        uint64_t wall_ns = clock_ns(CLOCK_REALTIME);
        if (after_ns - before_ns >= best_ns)
            continue;
        best_ns = after_ns - before_ns;
        best.monotonic_ns = before_ns + best_ns / 2;
        best.ticks = has_tsc ? ticks : best.monotonic_ns;
        best.wall_ns = wall_ns;
    }
    return best;
}
