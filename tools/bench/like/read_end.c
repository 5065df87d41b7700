/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "read.h"

#include "report/allocate.h"

static bool calls_end(struct like_reading *reading, struct like_frame *frame)
{
    struct like_frame *outer = frame - 1;
    if (frame->count == 0)
        return like_refuse(reading, frame->place, "calls has none");
    if (outer->kind == LIKE_THREAD) {
        like_last_thread(reading)->nodes = frame->nodes;
        like_last_thread(reading)->count = frame->count;
        reading->thread_calls[reading->thread_count - 1] = frame->calls;
        reading->script->call_count += frame->calls;
    } else {
        outer->node.nodes = frame->nodes;
        outer->node.count = frame->count;
        outer->calls = frame->calls;
    }
    frame->nodes = NULL;
    frame->count = 0;
    reading->call_depth--;
    return reading->script->call_count <= LIKE_CALLS_MOST ||
           like_refuse(reading, frame->place, "these are too many calls");
}

/* A call, or what is repeated, goes into its list. */
static bool call_end(struct like_reading *reading, struct like_frame *frame)
{
    struct like_frame *list = frame - 1;
    uint64_t calls = 0;
    if (frame->said == (frame->node.count > 0))
        return like_refuse(reading, frame->place, "this is neither a call nor a repeat of calls%s",
                           frame->said ? ", but both" : "");
    if (__builtin_mul_overflow(frame->said ? 1 : frame->calls, frame->node.times, &calls) ||
        calls > LIKE_CALLS_MOST - list->calls)
        return like_refuse(reading, frame->place, "these are too many calls");
    list->calls += calls;
    list->nodes = p11prof_grow(list->nodes, &list->capacity, list->count + 1, sizeof *list->nodes);
    list->nodes[list->count++] = frame->node;
    frame->node.nodes = NULL;
    frame->node.count = 0;
    return true;
}

/* Halves of a pair name each other, unless one of them is made again with another. */
static bool objects_end(struct like_reading *reading, const struct like_frame *frame)
{
    const struct like_script *script = reading->script;
    for (size_t i = 0; i < script->object_count; i++)
        if (script->objects[i].pair > script->object_count)
            return like_refuse(reading, frame->place,
                               "object %zu: there is no object %u for a pair", i + 1,
                               script->objects[i].pair);
    for (size_t i = 0; i < script->object_count; i++) {
        uint32_t pair = script->objects[i].pair;
        if (pair && script->objects[pair - 1].pair != i + 1)
            return like_refuse(reading, frame->place, "object %zu: object %u is of no pair with it",
                               i + 1, pair);
    }
    return true;
}

static bool root_end(struct like_reading *reading, const struct like_frame *frame)
{
    if (!reading->versioned)
        return like_refuse(reading, frame->place, "script = 1 is missing");
    return reading->thread_count > 0 ||
           like_refuse(reading, frame->place, "there are no [[processes]] with threads and calls");
}

static bool after_end(struct like_reading *reading, const struct like_frame *frame)
{
    const struct like_anchor *anchor = like_anchor_of(reading, frame);
    return (anchor->thread > 0 && anchor->process > 0) ||
           like_refuse(reading, frame->place, "after wants a thread%s",
                       frame[-1].kind == LIKE_PROCESS ? " and its process" : "");
}

bool like_frame_end(struct like_reading *reading, struct like_frame *frame)
{
    switch (frame->kind) {
    case LIKE_ROOT:
        return root_end(reading, frame);
    case LIKE_OBJECTS:
        return objects_end(reading, frame);
    case LIKE_PROCESS:
        return like_last_process(reading)->thread_count > 0 ||
               like_refuse(reading, frame->place, "this process has no threads");
    case LIKE_THREAD:
        return like_last_thread(reading)->count > 0 ||
               like_refuse(reading, frame->place, "this thread has no calls");
    case LIKE_THREADS:
        return like_threads_check(reading, frame->place);
    case LIKE_PROCESSES:
        return like_processes_check(reading, frame->place);
    case LIKE_AFTER:
        return after_end(reading, frame);
    case LIKE_CALLS:
        return calls_end(reading, frame);
    case LIKE_CALL:
        return call_end(reading, frame);
    case LIKE_MADE:
        return frame->made_count == 2 || like_refuse(reading, frame->place,
                                                     "made wants one object, or a private key and "
                                                     "its public one");
    default:
        return true;
    }
}
