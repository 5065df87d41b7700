/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "folded_walk.h"
#include "p11prof/batch.h"
#include "report/allocate.h"

#include <stdlib.h>

enum { UNKNOWN_OPERATIONS = 4096, UNKNOWN_CALLS = 8 };

/* What a frame of an operation says. */
struct about {
    int64_t operation, mechanism, key_type, key_bits;
};

/* A call that is kept for the one around it. */
struct p11prof_nested_call {
    int64_t start_ns, end_ns, self_ns;
    struct p11prof_folded_place place;
    struct about about;
    unsigned function, kind;
    uint32_t outer; /* 1 + index of the call around it, which comes later; 0: not known yet */
    uint32_t node;  /* set by release() */
    bool waited;    /* likewise: it is in a call that waits */
};

struct p11prof_folded_thread {
    int64_t process_id, thread_id;
    struct p11prof_nested_call *calls;
    size_t count, capacity;
};

/* An operation that has begun with calls that did not know all of it. */
struct p11prof_unknown_operation {
    int64_t process_id, session;
    unsigned operation; /* 0: none here */
    size_t call_count;
    struct unknown_call {
        uint32_t node; /* of its function */
        int64_t self_ns;
    } calls[UNKNOWN_CALLS];
};

static struct about about_event(const struct p11prof_event *event)
{
    return (struct about){(int64_t)p11prof_function_facts(event->function)->operation,
                          event->mechanism, event->key_type, event->key_bits};
}

/* The node of the call's function, below the node `above`. */
static uint32_t call_node(struct p11prof_frame_tree *tree, uint32_t above, uint32_t site,
                          const struct about *about, unsigned function, unsigned kind)
{
    struct p11prof_frame frame = {above, P11PROF_FRAME_SITE, {site}};
    frame.parent = p11prof_frame_node(tree, &frame);
    if (about->operation != P11PROF_OPERATION_NONE) {
        frame.kind = P11PROF_FRAME_OPERATION;
        frame.words[0] = about->operation;
        frame.words[1] = about->mechanism;
        frame.words[2] = about->key_type;
        frame.words[3] = about->key_bits;
        frame.parent = p11prof_frame_node(tree, &frame);
    }
    frame.kind = P11PROF_FRAME_FUNCTION;
    frame.words[0] = (int64_t)function;
    frame.words[1] = (int64_t)kind;
    frame.words[2] = frame.words[3] = 0;
    return p11prof_frame_node(tree, &frame);
}

static uint32_t program_node(struct p11prof_frame_tree *tree, uint32_t program)
{
    struct p11prof_frame frame = {P11PROF_FRAME_ROOT, P11PROF_FRAME_PROGRAM, {program}};
    return p11prof_frame_node(tree, &frame);
}

/* --- operations that are known at their last call --- */

static struct p11prof_unknown_operation *unknown_of(struct p11prof_folded_walk *walk,
                                                    const struct p11prof_event *event)
{
    if (!walk->unknown)
        walk->unknown = p11prof_zalloc(UNKNOWN_OPERATIONS, sizeof *walk->unknown);
    uint64_t hash = ((uint64_t)event->process_id * 31 + (uint64_t)event->session) * 37 +
                    p11prof_function_facts(event->function)->operation;
    hash *= UINT64_C(0x9e3779b97f4a7c15);
    return &walk->unknown[hash >> 52];
}

static bool is_of(const struct p11prof_unknown_operation *unknown,
                  const struct p11prof_event *event)
{
    return unknown->operation == p11prof_function_facts(event->function)->operation &&
           unknown->process_id == event->process_id && unknown->session == event->session;
}

static bool knows_all(const struct p11prof_event *event)
{
    return event->mechanism != P11PROF_EVENT_UNKNOWN && event->key_type != P11PROF_EVENT_UNKNOWN &&
           event->key_bits != P11PROF_EVENT_UNKNOWN;
}

static void remember(struct p11prof_folded_walk *walk, const struct p11prof_event *event,
                     uint32_t node, int64_t self_ns)
{
    struct p11prof_unknown_operation *unknown = unknown_of(walk, event);
    if (!is_of(unknown, event) ||
        p11prof_function_facts(event->function)->role == P11PROF_ROLE_INIT)
        *unknown = (struct p11prof_unknown_operation){
            .process_id = event->process_id,
            .session = event->session,
            .operation = p11prof_function_facts(event->function)->operation};
    size_t i = 0;
    while (i < unknown->call_count && unknown->calls[i].node != node)
        i++;
    if (i == UNKNOWN_CALLS)
        return;
    if (i == unknown->call_count)
        unknown->calls[unknown->call_count++] = (struct unknown_call){node, 0};
    unknown->calls[i].self_ns += self_ns;
}

/* The time of one call goes to what its operation turned out to be. */
static void move(struct p11prof_frame_tree *tree, const struct unknown_call *call,
                 const struct about *about)
{
    struct p11prof_frame function = tree->nodes[call->node].frame;
    struct p11prof_frame operation = tree->nodes[function.parent].frame;
    operation.words[1] = about->mechanism;
    operation.words[2] = about->key_type;
    operation.words[3] = about->key_bits;
    function.parent = p11prof_frame_node(tree, &operation);
    uint32_t node = p11prof_frame_node(tree, &function);
    tree->nodes[call->node].self_ns -= call->self_ns;
    tree->nodes[node].self_ns += call->self_ns;
}

static void tell(struct p11prof_folded_walk *walk, const struct p11prof_event *event)
{
    struct about about = about_event(event);
    if (!walk->unknown)
        return;
    struct p11prof_unknown_operation *unknown = unknown_of(walk, event);
    if (!is_of(unknown, event))
        return;
    for (size_t i = 0; i < unknown->call_count; i++)
        move(&walk->tree, &unknown->calls[i], &about);
    unknown->operation = P11PROF_OPERATION_NONE;
}

/* An operation of a session has several calls; what is one by itself knows all that is known. */
static void relate(struct p11prof_folded_walk *walk, const struct p11prof_event *event,
                   uint32_t node, int64_t self_ns)
{
    unsigned role = p11prof_function_facts(event->function)->role;
    if (role == P11PROF_ROLE_NONE || role == P11PROF_ROLE_SHOT ||
        (event->flags & P11PROF_ROW_OVERLAP))
        return;
    if (event->operation != P11PROF_OPERATION_NONE)
        tell(walk, event);
    else if (!knows_all(event))
        remember(walk, event, node, self_ns);
}

/* --- nesting --- */

/* The thread of the event. Most calls are of the thread of the call before. */
static struct p11prof_folded_thread *thread_of(struct p11prof_folded_walk *walk,
                                               const struct p11prof_event *event)
{
    struct p11prof_folded_thread *last =
        walk->thread_count ? &walk->threads[walk->last_thread] : NULL;
    if (last && last->process_id == event->process_id && last->thread_id == event->thread_id)
        return last;
    struct p11prof_frame key = {.words = {event->process_id, event->thread_id}};
    walk->last_thread = p11prof_frame_node(&walk->thread_numbers, &key);
    if (walk->last_thread == walk->thread_count) {
        walk->threads = p11prof_grow(walk->threads, &walk->thread_capacity, walk->thread_count + 1,
                                     sizeof *walk->threads);
        walk->threads[walk->thread_count++] = (struct p11prof_folded_thread){
            .process_id = event->process_id, .thread_id = event->thread_id};
    }
    return &walk->threads[walk->last_thread];
}

/* By its middle: clocks of two records may differ by a few ns. */
static bool holds(const struct p11prof_event *event, const struct p11prof_nested_call *call)
{
    return call->start_ns + (call->end_ns - call->start_ns) / 2 >= event->start_ns;
}

/* The calls inside the event get it as their outer one. Returns what they took together. */
static int64_t adopt(struct p11prof_folded_thread *thread, const struct p11prof_event *event)
{
    int64_t inner_ns = 0;
    for (size_t i = thread->count; i-- > 0;) {
        struct p11prof_nested_call *call = &thread->calls[i];
        if (call->outer != 0)
            continue;
        if (!holds(event, call))
            break;
        call->outer = (uint32_t)thread->count + 1;
        inner_ns += call->end_ns - call->start_ns;
    }
    return inner_ns;
}

static void keep(struct p11prof_folded_thread *thread, const struct p11prof_event *event,
                 const struct p11prof_folded_place *place)
{
    int64_t inner_ns = adopt(thread, event);
    thread->calls =
        p11prof_grow(thread->calls, &thread->capacity, thread->count + 1, sizeof *thread->calls);
    thread->calls[thread->count++] = (struct p11prof_nested_call){
        .start_ns = event->start_ns,
        .end_ns = p11prof_event_end_ns(event),
        .self_ns = event->duration_ns - inner_ns,
        .place = *place,
        .about = about_event(event),
        .function = event->function,
        .kind = event->kind,
    };
}

/* Calls of a thread come into the tree, outer ones first: they stand behind their children. Those
 * in the call that just ended stand below its node `below`, and have no time if that one waited. */
static void release(struct p11prof_folded_walk *walk, struct p11prof_folded_thread *thread,
                    uint32_t below, bool waited)
{
    for (size_t i = thread->count; i-- > 0;) {
        struct p11prof_nested_call *call = &thread->calls[i];
        const struct p11prof_nested_call *outer = call->outer > 0 && call->outer <= thread->count
                                                      ? &thread->calls[call->outer - 1]
                                                      : NULL;
        bool last = call->outer > thread->count;
        uint32_t above = outer  ? outer->node
                         : last ? below
                                : program_node(&walk->tree, call->place.program);
        call->waited = waited && (last || (outer && outer->waited));
        call->node = call_node(&walk->tree, above, call->place.site, &call->about, call->function,
                               call->kind);
        walk->tree.nodes[call->node].self_ns += call->waited ? 0 : call->self_ns;
    }
    thread->count = 0;
}

void p11prof_folded_take(struct p11prof_folded_walk *walk, const struct p11prof_event *event,
                         const struct p11prof_folded_place *place)
{
    struct p11prof_folded_thread *thread = thread_of(walk, event);
    struct about about = about_event(event);
    if (event->duration_ns < 0)
        return;
    if (event->flags & P11PROF_ROW_NESTED) {
        keep(thread, event, place);
        return;
    }
    bool waits = event->kind == P11PROF_KIND_BLOCKING;
    int64_t self_ns = event->duration_ns - adopt(thread, event);
    uint32_t node = call_node(&walk->tree, program_node(&walk->tree, place->program), place->site,
                              &about, event->function, event->kind);
    walk->tree.nodes[node].self_ns += waits ? 0 : self_ns;
    release(walk, thread, node, waits);
    relate(walk, event, node, waits ? 0 : self_ns);
}

void p11prof_folded_end(struct p11prof_folded_walk *walk)
{
    for (size_t i = 0; i < walk->thread_count; i++)
        release(walk, &walk->threads[i], P11PROF_FRAME_ROOT, false);
}

void p11prof_folded_walk_clear(struct p11prof_folded_walk *walk)
{
    for (size_t i = 0; i < walk->thread_count; i++)
        free(walk->threads[i].calls);
    free(walk->threads);
    free(walk->unknown);
    p11prof_frame_tree_clear(&walk->tree);
    p11prof_frame_tree_clear(&walk->thread_numbers);
    *walk = (struct p11prof_folded_walk){.thread_count = 0};
}
