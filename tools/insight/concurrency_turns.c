/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "concurrency_turns.h"
#include "p11prof/calls.h"
#include "report/allocate.h"

#include <math.h>
#include <stdlib.h>

void p11prof_thread_turns_clear(struct p11prof_thread_turns *turns)
{
    free(turns->threads);
    *turns = (struct p11prof_thread_turns){.slice_ns = turns->slice_ns};
}

static struct p11prof_turn_thread *thread_of(struct p11prof_thread_turns *turns, uint32_t index)
{
    turns->threads = p11prof_grow(turns->threads, &turns->thread_capacity, (size_t)index + 1,
                                  sizeof *turns->threads);
    for (; turns->thread_count <= index; turns->thread_count++)
        turns->threads[turns->thread_count] = (struct p11prof_turn_thread){.known = false};
    return &turns->threads[index];
}

static size_t slice_of(const struct p11prof_thread_turns *turns, int64_t moment_ns)
{
    int64_t slice = moment_ns > 0 ? moment_ns / turns->slice_ns : 0;
    return slice < P11PROF_TURN_SLICES ? (size_t)slice : P11PROF_TURN_SLICES - 1;
}

static void spend(const struct p11prof_thread_turns *turns, struct p11prof_turn_thread *thread,
                  int64_t start_ns, int64_t end_ns)
{
    for (size_t slice = slice_of(turns, start_ns); start_ns < end_ns; slice++) {
        int64_t until_ns = (int64_t)(slice + 1) * turns->slice_ns;
        if (slice == P11PROF_TURN_SLICES - 1 || until_ns > end_ns)
            until_ns = end_ns;
        thread->busy_ns[slice] += (double)(until_ns - start_ns);
        start_ns = until_ns;
    }
}

static void pass(struct p11prof_thread_turns *turns, int64_t now_ns)
{
    double ns = (double)(now_ns - turns->since_ns);
    if (turns->level == 1) {
        turns->alone_ns += ns;
        if (turns->between_count > 0)
            turns->waited_ns += ns;
        else
            turns->fresh_ns += ns;
    }
    turns->since_ns = now_ns;
}

/* Another thread's call was alone before: who begins now has waited, if it does at once. */
static void hand_over(struct p11prof_thread_turns *turns, const struct p11prof_flight *flight)
{
    int64_t quick_ns = turns->last_ns / P11PROF_TURN_QUICK_PART;
    if (turns->last_thread == flight->thread)
        return;
    turns->handover_count++;
    if (quick_ns > P11PROF_TURN_QUICK_NS)
        quick_ns = P11PROF_TURN_QUICK_NS;
    if (flight->start_ns - turns->last_end_ns > quick_ns)
        return;
    turns->quick_count++;
    turns->waited_ns += turns->fresh_ns;
}

/* The thread is in the module until the call ends. */
static int64_t enter(const struct p11prof_thread_turns *turns, struct p11prof_turn_thread *thread,
                     const struct p11prof_flight *flight)
{
    int64_t from_ns = thread->known && thread->last_end_ns > flight->start_ns ? thread->last_end_ns
                                                                              : flight->start_ns;
    int64_t to_ns = flight->end_ns > from_ns ? flight->end_ns : from_ns;
    spend(turns, thread, from_ns, to_ns);
    thread->last_end_ns = to_ns;
    thread->known = true;
    thread->call_count++;
    thread->begun[slice_of(turns, flight->start_ns)]++;
    return to_ns - from_ns;
}

int64_t p11prof_thread_turns_call_begins(struct p11prof_thread_turns *turns,
                                         const struct p11prof_flight *flight)
{
    struct p11prof_turn_thread *thread = thread_of(turns, flight->thread);
    pass(turns, flight->start_ns);
    if (turns->level > 0)
        turns->overlap_count++;
    else if (turns->call_count > 0)
        hand_over(turns, flight);
    if (turns->level == 0)
        turns->fresh_ns = 0;
    turns->between_count -= thread->between;
    thread->between = false;
    turns->call_count++;
    turns->level++;
    return enter(turns, thread, flight);
}

static bool goes_on(const struct p11prof_flight *flight)
{
    unsigned role = p11prof_calls[flight->function].role;
    return !flight->failed && (role == P11PROF_ROLE_INIT || role == P11PROF_ROLE_UPDATE ||
                               role == P11PROF_ROLE_DUAL || role == P11PROF_ROLE_BEGIN);
}

void p11prof_thread_turns_call_ends(struct p11prof_thread_turns *turns,
                                    const struct p11prof_flight *flight)
{
    struct p11prof_turn_thread *thread = thread_of(turns, flight->thread);
    pass(turns, flight->end_ns);
    turns->level--;
    turns->between_count -= thread->between; /* calls of a thread may seem to overlap */
    thread->between = goes_on(flight);
    turns->between_count += thread->between;
    turns->last_thread = flight->thread;
    turns->last_end_ns = flight->end_ns;
    turns->last_ns = flight->end_ns - flight->start_ns;
}

static double expected_in_slice(const struct p11prof_thread_turns *turns, size_t slice)
{
    double all_away = 0, expected = 0; /* logarithm of the probability that nobody is inside */
    for (size_t i = 0; i < turns->thread_count; i++)
        all_away += log1p(-fmin(turns->threads[i].busy_ns[slice] / (double)turns->slice_ns, 0.999));
    for (size_t i = 0; i < turns->thread_count; i++) {
        double own =
            log1p(-fmin(turns->threads[i].busy_ns[slice] / (double)turns->slice_ns, 0.999));
        expected += turns->threads[i].begun[slice] * -expm1(all_away - own);
    }
    return expected;
}

double p11prof_thread_turns_expected(const struct p11prof_thread_turns *turns)
{
    double expected = 0;
    for (size_t slice = 0; slice < P11PROF_TURN_SLICES; slice++)
        expected += expected_in_slice(turns, slice);
    return expected;
}

bool p11prof_thread_turns_are_taken(const struct p11prof_thread_turns *turns)
{
    double expected = p11prof_thread_turns_expected(turns);
    return turns->thread_count >= 2 && expected >= P11PROF_TURN_EXPECTED_LEAST &&
           (double)turns->overlap_count * 1000 <= expected * P11PROF_TURN_OVERLAP_PER_MILLE;
}
