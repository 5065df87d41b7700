/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "concurrency_sweep.h"
#include "report/allocate.h"

#include <stdlib.h>

static int64_t key_of(const struct p11prof_flight *flight, bool by_end)
{
    return by_end ? flight->end_ns : flight->start_ns;
}

static void push(struct p11prof_flights *heap, const struct p11prof_flight *flight, bool by_end)
{
    heap->all = p11prof_grow(heap->all, &heap->capacity, heap->count + 1, sizeof *heap->all);
    size_t i = heap->count++;
    for (; i > 0 && key_of(flight, by_end) < key_of(&heap->all[(i - 1) / 2], by_end);
         i = (i - 1) / 2)
        heap->all[i] = heap->all[(i - 1) / 2];
    heap->all[i] = *flight;
}

static struct p11prof_flight pop(struct p11prof_flights *heap, bool by_end)
{
    struct p11prof_flight first = heap->all[0], last = heap->all[--heap->count];
    size_t i = 0;
    for (size_t child; (child = 2 * i + 1) < heap->count; i = child) {
        if (child + 1 < heap->count &&
            key_of(&heap->all[child + 1], by_end) < key_of(&heap->all[child], by_end))
            child++;
        if (key_of(&last, by_end) <= key_of(&heap->all[child], by_end))
            break;
        heap->all[i] = heap->all[child];
    }
    heap->all[i] = last;
    return first;
}

static void tell_ends(struct p11prof_sweep *sweep, int64_t until_ns)
{
    while (sweep->going.count > 0 && sweep->going.all[0].end_ns <= until_ns) {
        struct p11prof_flight ended = pop(&sweep->going, true);
        sweep->told_ns = ended.end_ns;
        sweep->end(sweep->payload, &ended);
    }
}

static void tell_next(struct p11prof_sweep *sweep)
{
    struct p11prof_flight begun = pop(&sweep->due, false);
    if (sweep->started && begun.start_ns < sweep->told_ns) {
        sweep->late_count++;
        begun.start_ns = sweep->told_ns;
        begun.end_ns = begun.end_ns > begun.start_ns ? begun.end_ns : begun.start_ns;
    }
    tell_ends(sweep, begun.start_ns);
    sweep->started = true;
    sweep->told_ns = begun.start_ns;
    sweep->begin(sweep->payload, &begun);
    push(&sweep->going, &begun, true);
}

void p11prof_sweep_add(struct p11prof_sweep *sweep, const struct p11prof_flight *flight)
{
    if (flight->end_ns > sweep->last_end_ns)
        sweep->last_end_ns = flight->end_ns;
    push(&sweep->due, flight, false);
    while (sweep->due.count > P11PROF_SWEEP_CALLS_MAX ||
           (sweep->due.count > 0 && sweep->due.all[0].start_ns < sweep->last_end_ns -
                                                                     P11PROF_SWEEP_DISORDER_NS -
                                                                     sweep->lag_ns))
        tell_next(sweep);
}

void p11prof_sweep_finish(struct p11prof_sweep *sweep)
{
    while (sweep->due.count > 0)
        tell_next(sweep);
    tell_ends(sweep, INT64_MAX);
    free(sweep->due.all);
    free(sweep->going.all);
    sweep->due = sweep->going = (struct p11prof_flights){.all = NULL};
}
