/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "order.h"

#include "report/allocate.h"

#include <stdlib.h>

/* A thread that waited for another one's end goes on at once. */
#define JOIN_MOST_NS UINT64_C(5000000)

void like_order_init(struct like_order *order)
{
    *order = (struct like_order){.ids.bytes = sizeof(int64_t), .last = UINT32_MAX};
}

void like_order_clear(struct like_order *order)
{
    like_intern_clear(&order->ids);
    free(order->spans);
    free(order->by_start);
    free(order->by_end);
    like_order_init(order);
}

void like_order_learn(struct like_order *order, int64_t thread_id, int64_t start_ns, int64_t end_ns,
                      bool played)
{
    size_t known = order->ids.count;
    uint32_t index = like_intern_put(&order->ids, &thread_id);
    order->spans =
        p11prof_grow(order->spans, &order->capacity, order->ids.count, sizeof *order->spans);
    struct like_span *span = &order->spans[index];
    if (order->ids.count > known)
        *span = (struct like_span){.number = 0};
    if (!played)
        return;
    if (span->number == 0)
        span->start_ns = start_ns;
    span->number = 1;
    span->end_ns = end_ns;
}

static const struct like_span *sorted; /* qsort() has no payload */

static int starts_compare(const void *one, const void *other)
{
    const struct like_span *a = &sorted[*(const uint32_t *)one],
                           *b = &sorted[*(const uint32_t *)other];
    return (a->start_ns > b->start_ns) - (a->start_ns < b->start_ns);
}

static int ends_compare(const void *one, const void *other)
{
    const struct like_span *a = &sorted[*(const uint32_t *)one],
                           *b = &sorted[*(const uint32_t *)other];
    return (a->end_ns > b->end_ns) - (a->end_ns < b->end_ns);
}

void like_order_number(struct like_order *order)
{
    order->by_start = p11prof_zalloc(order->ids.count + 1, sizeof *order->by_start);
    order->by_end = p11prof_zalloc(order->ids.count + 1, sizeof *order->by_end);
    for (uint32_t i = 0; i < order->ids.count; i++) {
        if (order->spans[i].number == 0)
            continue;
        order->by_start[order->played_count] = order->by_end[order->played_count] = i;
        order->spans[i].number = (uint32_t)++order->played_count;
    }
    sorted = order->spans;
    qsort(order->by_start, order->played_count, sizeof *order->by_start, starts_compare);
    qsort(order->by_end, order->played_count, sizeof *order->by_end, ends_compare);
}

/* Those that began before this call returned began after the one that returned before it. */
static void begun_note(struct like_order *order, int64_t end_ns)
{
    for (; order->pending < order->played_count; order->pending++) {
        uint32_t index = order->by_start[order->pending];
        struct like_span *span = &order->spans[index];
        if (span->start_ns >= end_ns)
            return;
        span->begun = true;
        if (order->last == UINT32_MAX || order->last == index)
            continue;
        const struct like_span *last = &order->spans[order->last];
        span->anchor =
            (struct like_anchor){.thread = last->number,
                                 .call_count = last->call_count,
                                 .gap_ns = (uint64_t)(span->start_ns - order->last_end_ns)};
    }
}

uint32_t like_order_take(struct like_order *order, int64_t thread_id, int64_t end_ns,
                         uint64_t *call_count)
{
    uint32_t index = like_intern_find(&order->ids, &thread_id);
    begun_note(order, end_ns);
    order->last = index;
    order->last_end_ns = end_ns;
    *call_count = ++order->spans[index].call_count;
    return order->spans[index].number;
}

/* How many threads had ended by then. */
static size_t ended_until(const struct like_order *order, int64_t ns)
{
    size_t low = 0, high = order->played_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (order->spans[order->by_end[middle]].end_ns <= ns)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Takes from other threads what they work with. */
static bool takes_away(unsigned function)
{
    return function == P11PROF_C_Finalize || function == P11PROF_C_CloseAllSessions ||
           function == P11PROF_C_CloseSession || function == P11PROF_C_Logout ||
           function == P11PROF_C_DestroyObject;
}

bool like_order_join(const struct like_order *order, int64_t thread_id, int64_t before_ns,
                     int64_t start_ns, struct like_call *call)
{
    size_t count = ended_until(order, start_ns);
    const struct like_span *last = count ? &order->spans[order->by_end[count - 1]] : NULL;
    if (!last || last == &order->spans[like_intern_find(&order->ids, &thread_id)] ||
        (last->end_ns <= before_ns && call->function != P11PROF_C_Finalize))
        return false;
    int64_t since_ns = last->end_ns > before_ns ? last->end_ns : before_ns;
    call->join_thread = last->number;
    call->join_gap_ns = (uint64_t)(start_ns > since_ns ? start_ns - since_ns : 0);
    call->join_count = count;
    return takes_away(call->function) ||
           (call->join_gap_ns <= JOIN_MOST_NS &&
            call->join_gap_ns <= (uint64_t)(start_ns - before_ns) / 2);
}

struct like_anchor like_order_anchor(const struct like_order *order, uint32_t number,
                                     uint32_t process)
{
    for (uint32_t i = 0; i < order->ids.count; i++) {
        if (order->spans[i].number != number)
            continue;
        struct like_anchor anchor = order->spans[i].anchor;
        anchor.process = anchor.thread ? process : 0;
        return anchor;
    }
    return (struct like_anchor){.process = 0};
}
