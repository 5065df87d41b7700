/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "script.h"

#include <stdlib.h>

void like_nodes_free(struct like_node *nodes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        like_nodes_free(nodes[i].nodes, nodes[i].count);
    free(nodes);
}

void like_script_clear(struct like_script *script)
{
    for (size_t i = 0; i < script->process_count; i++) {
        struct like_process *process = &script->processes[i];
        for (size_t j = 0; j < process->thread_count; j++)
            like_nodes_free(process->threads[j].nodes, process->threads[j].count);
        free(process->threads);
    }
    free(script->processes);
    free(script->objects);
    *script = (struct like_script){.objects = NULL};
}

static void nodes_count(const struct like_node *nodes, size_t count, uint64_t times,
                        uint64_t counts[P11PROF_CALLS + 1])
{
    for (size_t i = 0; i < count; i++) {
        if (nodes[i].count > 0)
            nodes_count(nodes[i].nodes, nodes[i].count, times * nodes[i].times, counts);
        else
            counts[nodes[i].call.function] += times * nodes[i].times;
    }
}

void like_script_count(const struct like_script *script, uint64_t counts[P11PROF_CALLS + 1])
{
    for (size_t i = 0; i < script->process_count; i++)
        for (size_t j = 0; j < script->processes[i].thread_count; j++) {
            const struct like_thread *thread = &script->processes[i].threads[j];
            nodes_count(thread->nodes, thread->count, 1, counts);
        }
}

static size_t nodes_all(const struct like_node *nodes, size_t count)
{
    size_t sum = count;
    for (size_t i = 0; i < count; i++)
        sum += nodes_all(nodes[i].nodes, nodes[i].count);
    return sum;
}

size_t like_script_nodes(const struct like_script *script)
{
    size_t sum = 0;
    for (size_t i = 0; i < script->process_count; i++)
        for (size_t j = 0; j < script->processes[i].thread_count; j++) {
            const struct like_thread *thread = &script->processes[i].threads[j];
            sum += nodes_all(thread->nodes, thread->count);
        }
    return sum;
}

void like_walk_start(struct like_walk *walk, const struct like_thread *thread)
{
    *walk = (struct like_walk){.thread = thread};
    walk->levels[0] =
        (struct like_level){.nodes = thread->nodes, .count = thread->count, .times_left = 1};
}

/* Goes on to the next round of a level, or up. False: that was all. */
static bool level_end(struct like_walk *walk)
{
    struct like_level *level = &walk->levels[walk->depth];
    if (walk->depth == 0)
        return false;
    level->at = 0;
    if (--level->times_left == 0)
        walk->depth--;
    return true;
}

static const struct like_call *level_call(struct like_level *level)
{
    const struct like_node *node = &level->nodes[level->at];
    level->call_left = level->call_left > 0 ? level->call_left - 1 : node->times - 1;
    level->at += level->call_left == 0;
    return &node->call;
}

const struct like_call *like_walk_next(struct like_walk *walk)
{
    for (;;) {
        struct like_level *level = &walk->levels[walk->depth];
        if (level->at == level->count) {
            if (!level_end(walk))
                return NULL;
            continue;
        }
        const struct like_node *node = &level->nodes[level->at];
        if (node->count == 0)
            return level_call(level);
        level->at++;
        walk->levels[++walk->depth] = (struct like_level){
            .nodes = node->nodes, .count = node->count, .times_left = node->times};
    }
}
