/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What a script says of the order of its threads: nobody may wait for ever. */
#include "read.h"

#include <string.h>

bool like_read_after(struct like_reading *reading, struct like_anchor *anchor, bool of_process,
                     const struct suite_member *member)
{
    static const char *const keys[] = {"thread", "calls", "gap", "process"};
    int64_t number = 0;
    bool taken;
    if (strcmp(member->key, "gap") == 0)
        return like_take_time(reading, member, &anchor->gap_ns);
    if (strcmp(member->key, "calls") == 0) {
        taken = like_take_number(reading, member, 0, (int64_t)LIKE_CALLS_MOST, &number);
        anchor->call_count = (uint64_t)number;
        return taken;
    }
    if (strcmp(member->key, "thread") == 0) {
        taken = like_take_number(reading, member, 1, LIKE_THREADS_MOST, &number);
        anchor->thread = (uint32_t)number;
        return taken;
    }
    if (!of_process || strcmp(member->key, "process") != 0)
        return like_refuse_key(reading, member, "after", keys, 3 + of_process);
    taken = like_take_number(reading, member, 1, LIKE_PROCESSES_MOST, &number);
    anchor->process = (uint32_t)number;
    return taken;
}

/* The call that an anchor names is there. */
static bool anchor_check(const struct like_reading *reading, const struct like_anchor *anchor,
                         struct suite_place place)
{
    const struct like_script *script = reading->script;
    if (anchor->process > script->process_count ||
        anchor->thread > script->processes[anchor->process - 1].thread_count)
        return like_refuse(reading, place, "after: there is no thread %u in process %u",
                           anchor->thread, anchor->process);
    uint64_t calls =
        reading->thread_calls[reading->first_threads[anchor->process - 1] + anchor->thread - 1];
    return anchor->call_count <= calls ||
           like_refuse(reading, place, "after: thread %u of process %u has %llu calls",
                       anchor->thread, anchor->process, (unsigned long long)calls);
}

bool like_threads_check(const struct like_reading *reading, struct suite_place place)
{
    const struct like_process *process =
        &reading->script->processes[reading->script->process_count - 1];
    if (reading->join_most > process->thread_count)
        return like_refuse(reading, reading->join_place, "there is no thread %llu to join",
                           (unsigned long long)reading->join_most);
    for (size_t i = 0; i < process->thread_count; i++) {
        const struct like_anchor *anchor = &process->threads[i].anchor;
        if (anchor->process == 0)
            continue;
        if (!anchor_check(reading, anchor, place))
            return false;
        size_t steps = 0;
        for (; anchor->process && steps <= process->thread_count; steps++)
            anchor = &process->threads[anchor->thread - 1].anchor;
        if (steps > process->thread_count)
            return like_refuse(reading, place, "thread %zu begins after itself", i + 1);
    }
    return true;
}

bool like_processes_check(const struct like_reading *reading, struct suite_place place)
{
    const struct like_script *script = reading->script;
    for (size_t i = 0; i < script->process_count; i++) {
        const struct like_anchor *anchor = &script->processes[i].anchor;
        if (anchor->process == 0)
            continue;
        if (!anchor_check(reading, anchor, place))
            return false;
        size_t steps = 0;
        for (; anchor->process && anchor->process <= script->process_count &&
               steps <= script->process_count;
             steps++)
            anchor = &script->processes[anchor->process - 1].anchor;
        if (steps > script->process_count)
            return like_refuse(reading, place, "process %zu begins after itself", i + 1);
    }
    return true;
}
