/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "latency_floor.h"
#include "latency_median.h"
#include "report/allocate.h"

#include <stdlib.h>

static const double agrees_most = 1.5;
enum { CALLS_LEAST = 20 };

/* Calls of the token that compute nothing. What the library answers by itself is told by its time,
 * but for these, which are left out: C_GetInfo, C_GetSlotList. */
static bool is_cheap(unsigned function)
{
    switch (function) {
    case P11PROF_C_GetSlotInfo:
    case P11PROF_C_GetTokenInfo:
    case P11PROF_C_GetMechanismList:
    case P11PROF_C_GetMechanismInfo:
    case P11PROF_C_OpenSession:
    case P11PROF_C_CloseSession:
    case P11PROF_C_GetSessionInfo:
    case P11PROF_C_GetObjectSize:
    case P11PROF_C_GetAttributeValue:
        return true;
    default:
        return p11prof_calls[function].role == P11PROF_ROLE_INIT ||
               p11prof_calls[function].operation == P11PROF_OPERATION_FIND;
    }
}

static void add_function(struct p11prof_latency_floor *out,
                         const struct p11prof_latency_gather *gather, unsigned function)
{
    struct p11prof_buckets buckets = {.count = 0};
    for (size_t i = 0; i < gather->group_map.count; i++)
        if (gather->shapes[gather->groups[i].shape].function == function)
            p11prof_buckets_merge(&buckets, &gather->groups[i].buckets);
    if (buckets.count >= CALLS_LEAST)
        out->cheap[out->cheap_count++] = (struct p11prof_latency_cheap){
            .function = function,
            .count = buckets.count,
            .p5_ns = p11prof_latency_quantile(&buckets, 50000),
            .p50_ns = p11prof_latency_quantile(&buckets, 500000),
        };
    p11prof_buckets_clear(&buckets);
}

static int by_median(const void *a, const void *b)
{
    const struct p11prof_latency_cheap *first = a, *second = b;
    return (first->p50_ns > second->p50_ns) - (first->p50_ns < second->p50_ns);
}

void p11prof_latency_floor_find(struct p11prof_latency_floor *out,
                                const struct p11prof_latency_gather *gather)
{
    *out = (struct p11prof_latency_floor){
        .cheap = p11prof_zalloc(P11PROF_CALLS + 1, sizeof *out->cheap)};
    for (unsigned i = 1; i <= P11PROF_CALLS; i++)
        if (is_cheap(i))
            add_function(out, gather, i);
    qsort(out->cheap, out->cheap_count, sizeof *out->cheap, by_median);
    out->taken = out->cheap_count;
    for (size_t i = 0; i < out->cheap_count; i++) {
        struct p11prof_latency_cheap *cheap = &out->cheap[i];
        cheap->in_process = cheap->p50_ns < P11PROF_LATENCY_TRIP_LEAST_NS;
        if (cheap->in_process)
            continue;
        if (out->taken == out->cheap_count)
            out->taken = i;
        cheap->agrees =
            (double)cheap->p50_ns <= agrees_most * (double)out->cheap[out->taken].p50_ns;
        out->agreed_count += cheap->agrees;
    }
}

void p11prof_latency_floor_clear(struct p11prof_latency_floor *floor)
{
    free(floor->cheap);
    *floor = (struct p11prof_latency_floor){.cheap = NULL};
}

uint64_t p11prof_latency_floor_ns(const struct p11prof_latency_floor *floor)
{
    return floor->taken < floor->cheap_count ? floor->cheap[floor->taken].p50_ns : 0;
}

bool p11prof_latency_is_crypto(const struct p11prof_latency_gather *gather, size_t group)
{
    const struct p11prof_call *call =
        &p11prof_calls[gather->shapes[gather->groups[group].shape].function];
    return call->operation != P11PROF_OPERATION_NONE && call->operation != P11PROF_OPERATION_FIND &&
           call->role != P11PROF_ROLE_INIT && call->role != P11PROF_ROLE_OPEN &&
           call->role != P11PROF_ROLE_CLOSE && gather->groups[group].buckets.count >= CALLS_LEAST;
}
