/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "read.h"

#include "report/allocate.h"

static bool object_begin(struct like_reading *reading, struct suite_place place)
{
    struct like_script *script = reading->script;
    if (script->object_count == LIKE_OBJECTS_MOST)
        return like_refuse(reading, place, "more than %d objects", LIKE_OBJECTS_MOST);
    script->objects = p11prof_grow(script->objects, &reading->object_capacity,
                                   script->object_count + 1, sizeof *script->objects);
    script->objects[script->object_count] =
        (struct like_object){.number = (uint32_t)script->object_count + 1,
                             .class = LIKE_UNKNOWN,
                             .key_type = LIKE_UNKNOWN,
                             .key_bits = LIKE_UNKNOWN};
    script->object_count++;
    return true;
}

static bool process_begin(struct like_reading *reading, struct suite_place place)
{
    struct like_script *script = reading->script;
    if (script->process_count == LIKE_PROCESSES_MOST)
        return like_refuse(reading, place, "more than %d processes", LIKE_PROCESSES_MOST);
    script->processes = p11prof_grow(script->processes, &reading->process_capacity,
                                     script->process_count + 1, sizeof *script->processes);
    reading->first_threads[script->process_count] = reading->thread_count;
    script->processes[script->process_count++] = (struct like_process){.threads = NULL};
    reading->join_most = 0;
    reading->thread_capacity = 0;
    return true;
}

static bool thread_begin(struct like_reading *reading, struct suite_place place)
{
    struct like_process *process = like_last_process(reading);
    if (reading->thread_count++ == LIKE_THREADS_MOST)
        return like_refuse(reading, place, "more than %d threads", LIKE_THREADS_MOST);
    process->threads = p11prof_grow(process->threads, &reading->thread_capacity,
                                    process->thread_count + 1, sizeof *process->threads);
    process->threads[process->thread_count++] = (struct like_thread){.nodes = NULL};
    return true;
}

static bool call_begin(struct like_reading *reading, struct like_frame *frame)
{
    frame->node = (struct like_node){.times = 1,
                                     .call = {.mechanism = LIKE_UNKNOWN,
                                              .in_bytes = LIKE_UNKNOWN,
                                              .out_bytes = LIKE_UNKNOWN,
                                              .item_count = LIKE_UNKNOWN,
                                              .user = LIKE_UNKNOWN,
                                              .flags = LIKE_UNKNOWN}};
    return reading->node_count++ < LIKE_NODES_MOST ||
           like_refuse(reading, frame->place, "more than %d calls and repeats", LIKE_NODES_MOST);
}

static bool calls_begin(struct like_reading *reading, struct suite_place place)
{
    return reading->call_depth++ <= LIKE_DEPTH_MOST ||
           like_refuse(reading, place, "more than %d repeats in one another", LIKE_DEPTH_MOST);
}

bool like_frame_begin(struct like_reading *reading, struct like_frame *frame)
{
    switch (frame->kind) {
    case LIKE_OBJECT:
        return object_begin(reading, frame->place);
    case LIKE_PROCESS:
        return process_begin(reading, frame->place);
    case LIKE_THREAD:
        return thread_begin(reading, frame->place);
    case LIKE_AFTER:
        if (frame[-1].kind == LIKE_THREAD)
            like_last_thread(reading)->anchor.process = (uint32_t)reading->script->process_count;
        return true;
    case LIKE_CALLS:
        return calls_begin(reading, frame->place);
    case LIKE_CALL:
        return call_begin(reading, frame);
    default:
        return true;
    }
}
