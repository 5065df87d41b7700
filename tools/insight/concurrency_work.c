/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "concurrency_work.h"

#include <math.h>

uint64_t p11prof_at_once_count(const struct p11prof_level_calls *calls, unsigned at_once)
{
    uint64_t count = 0;
    for (unsigned i = 0; i < at_once; i++)
        count += calls->begun_count[i];
    return count;
}

double p11prof_service_ns(const struct p11prof_level_calls *calls, unsigned at_once)
{
    uint64_t count = p11prof_at_once_count(calls, at_once);
    double ns = 0;
    for (unsigned i = 0; i < at_once; i++)
        ns += calls->begun_ns[i];
    return count > 0          ? ns / (double)count
           : calls->count > 0 ? calls->total_ns / (double)calls->count
                              : 0;
}

double p11prof_work_ns(const struct p11prof_level_block *done, const struct p11prof_level_block *by,
                       size_t group_count, unsigned at_once)
{
    double work_ns = 0;
    for (size_t i = 0; i < group_count; i++)
        if (done->calls[i].count > 0)
            work_ns += (double)done->calls[i].count * p11prof_service_ns(&by->calls[i], at_once);
    return work_ns;
}

/* The number of servers, not whole, that do this work in the time at these levels. */
static double solve_parallel(const struct p11prof_level_block *sum, double work_ns, unsigned most)
{
    double done_ns = 0, at_least_ns = 0;
    for (unsigned level = 1; level <= P11PROF_LEVEL_MAX; level++)
        at_least_ns += sum->level_ns[level];
    for (unsigned servers = 1; servers <= most && at_least_ns > 0; servers++) {
        if (done_ns + at_least_ns >= work_ns)
            return fmax(servers - 1 + (work_ns - done_ns) / at_least_ns, 1);
        done_ns += at_least_ns;
        at_least_ns -= sum->level_ns[servers];
    }
    return most;
}

void p11prof_balance_make(struct p11prof_balance *out, const struct p11prof_level_block *sum,
                          size_t group_count, unsigned most, unsigned at_once)
{
    *out = (struct p11prof_balance){.busy_ns = 0};
    for (unsigned level = 1; level <= P11PROF_LEVEL_MAX; level++) {
        out->busy_ns += sum->level_ns[level];
        out->overlapped_ns += level > 1 ? sum->level_ns[level] : 0;
        out->in_flight_ns += level > 1 ? level * sum->level_ns[level] : 0;
    }
    out->work_ns = p11prof_work_ns(sum, sum, group_count, at_once);
    if (out->overlapped_ns > 0)
        out->times = (out->work_ns - sum->level_ns[1]) / out->overlapped_ns;
    out->parallel = solve_parallel(sum, out->work_ns, most);
}
