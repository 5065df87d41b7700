/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "concurrency_process.h"
#include "p11prof/batch.h"
#include "report/allocate.h"

#include <stdlib.h>

uint32_t p11prof_call_group_of(struct p11prof_call_groups *groups,
                               const struct p11prof_event *event)
{
    unsigned function = event->function <= P11PROF_CALLS ? event->function : P11PROF_NO_FUNCTION;
    for (size_t i = 0; i < groups->count; i++) {
        const struct p11prof_call_group *group = &groups->all[i];
        if (group->function == function && group->kind == event->kind &&
            group->mechanism == event->mechanism && group->key_type == event->key_type &&
            group->key_bits == event->key_bits)
            return (uint32_t)i;
    }
    if (groups->count == P11PROF_CALL_GROUPS_MOST)
        return P11PROF_CALL_GROUPS_MOST - 1;
    groups->all =
        p11prof_grow(groups->all, &groups->capacity, groups->count + 1, sizeof *groups->all);
    groups->all[groups->count] =
        groups->count < P11PROF_CALL_GROUPS_MOST - 1
            ? (struct p11prof_call_group){function, event->kind, event->mechanism, event->key_type,
                                          event->key_bits}
            : (struct p11prof_call_group){P11PROF_NO_FUNCTION, P11PROF_KIND_CALL,
                                          P11PROF_EVENT_UNKNOWN, P11PROF_EVENT_UNKNOWN,
                                          P11PROF_EVENT_UNKNOWN};
    return (uint32_t)groups->count++;
}

/* --- threads --- */

enum { SLOTS_FIRST = 64 };

static size_t slot_of(const struct p11prof_concurrency_process *process, int64_t thread_id)
{
    size_t slot = (size_t)((uint64_t)thread_id * UINT64_C(0x9e3779b97f4a7c15) >> 20);
    for (slot %= process->thread_slot_count;
         process->thread_slots[slot] &&
         process->thread_ids[process->thread_slots[slot] - 1] != thread_id;
         slot = (slot + 1) % process->thread_slot_count)
        ;
    return slot;
}

static void make_room(struct p11prof_concurrency_process *process)
{
    if (2 * (process->thread_count + 1) <= process->thread_slot_count)
        return;
    process->thread_slot_count =
        process->thread_slot_count ? 2 * process->thread_slot_count : SLOTS_FIRST;
    free(process->thread_slots);
    process->thread_slots =
        p11prof_zalloc(process->thread_slot_count, sizeof *process->thread_slots);
    for (size_t i = 0; i < process->thread_count; i++)
        process->thread_slots[slot_of(process, process->thread_ids[i])] = (uint32_t)i + 1;
}

static uint32_t thread_of(struct p11prof_concurrency_process *process, int64_t thread_id)
{
    make_room(process);
    size_t slot = slot_of(process, thread_id);
    if (!process->thread_slots[slot]) {
        process->thread_ids = p11prof_grow(process->thread_ids, &process->thread_capacity,
                                           process->thread_count + 1, sizeof *process->thread_ids);
        process->thread_ids[process->thread_count++] = thread_id;
        process->thread_slots[slot] = (uint32_t)process->thread_count;
    }
    return process->thread_slots[slot] - 1;
}

/* --- time --- */

static const double real_time = 0.9;   /* of the time in use: what is left is of short calls … */
static const double much_longer = 2.0; /* … if calls of the others are so many times as long */

static size_t slice_of(const struct p11prof_concurrency_process *process, int64_t moment_ns)
{
    int64_t slice = moment_ns > 0 ? moment_ns / process->turns.slice_ns : 0;
    return slice < P11PROF_TURN_SLICES ? (size_t)slice : P11PROF_TURN_SLICES - 1;
}

static void move(struct p11prof_concurrency_process *process, int64_t now_ns, unsigned level)
{
    const struct p11prof_levels *levels = &process->levels;
    int64_t from_ns = levels->level > 0 ? levels->since_ns : now_ns;
    for (size_t slice = slice_of(process, from_ns); from_ns < now_ns; slice++) {
        int64_t until_ns = (int64_t)(slice + 1) * process->turns.slice_ns;
        if (slice == P11PROF_TURN_SLICES - 1 || until_ns > now_ns)
            until_ns = now_ns;
        process->slices[slice].in_flight_ns += (double)levels->level * (double)(until_ns - from_ns);
        if (levels->level > process->slices[slice].most)
            process->slices[slice].most = levels->level;
        from_ns = until_ns;
    }
    p11prof_levels_move(&process->levels, now_ns, level);
}

static struct p11prof_group_use *group_of(struct p11prof_concurrency_process *process,
                                          uint32_t index)
{
    process->groups = p11prof_grow(process->groups, &process->group_capacity, (size_t)index + 1,
                                   sizeof *process->groups);
    for (; process->group_count <= index; process->group_count++)
        process->groups[process->group_count] = (struct p11prof_group_use){.levels.group_count = 1};
    return &process->groups[index];
}

static void begin(void *payload, struct p11prof_flight *flight)
{
    struct p11prof_concurrency_process *process = payload;
    struct p11prof_levels *levels = &group_of(process, flight->group)->levels;
    flight->others = (uint16_t)process->levels.level;
    flight->others_of_kind = (uint16_t)levels->level;
    if (process->levels.block_count == 0)
        process->first_ns = flight->start_ns;
    move(process, flight->start_ns, process->levels.level + 1);
    p11prof_levels_move(levels, flight->start_ns, levels->level + 1);
    process->slices[slice_of(process, flight->start_ns)].call_count++;
    if (process->process_id < 0)
        return;
    p11prof_sessions_begin(&process->sessions, flight);
    process->flows[flight->function].call_count++;
    process->flows[flight->function].total_ns += (double)(flight->end_ns - flight->start_ns);
    process->flows[flight->function].occupied_ns +=
        (double)p11prof_thread_turns_call_begins(&process->turns, flight);
}

static void add_duration(struct p11prof_durations *durations, double ns)
{
    durations->count++;
    durations->total_ns += ns;
    durations->squares += ns * ns;
}

static void add_gap(const struct p11prof_concurrency_process *process,
                    struct p11prof_group_use *group, const struct p11prof_flight *flight)
{
    double duration_ns = (double)(flight->end_ns - flight->start_ns);
    int64_t from_ns = flight->start_ns > process->last_ns ? flight->start_ns : process->last_ns;
    group->end_count++;
    group->gaps_ns += (double)(flight->end_ns - from_ns);
    if (flight->others_of_kind == 0)
        add_duration(flight->others == 0 ? &group->alone : &group->behind, duration_ns);
}

/* Up to now, kinds whose calls are much longer make up nearly all the time in use. */
static bool is_short(const struct p11prof_concurrency_process *process,
                     const struct p11prof_group_use *group)
{
    double longer_ns = 0, all_ns = 0;
    double least_ns = much_longer * group->gaps_ns / (double)group->end_count;
    for (size_t i = 0; i < process->group_count; i++) {
        const struct p11prof_group_use *other = &process->groups[i];
        all_ns += other->gaps_ns;
        if (other->gaps_ns > least_ns * (double)other->end_count)
            longer_ns += other->gaps_ns;
    }
    return longer_ns > real_time * all_ns;
}

static void end(void *payload, const struct p11prof_flight *flight)
{
    struct p11prof_concurrency_process *process = payload;
    struct p11prof_group_use *group = group_of(process, flight->group);
    double duration_ns = (double)(flight->end_ns - flight->start_ns);
    add_gap(process, group, flight);
    if (!is_short(process, group))
        p11prof_spacing_add(&process->spacing, flight->start_ns, flight->end_ns,
                            process->levels.level);
    p11prof_spacing_add(&group->spacing, flight->start_ns, flight->end_ns, group->levels.level);
    p11prof_levels_done(&process->levels, flight->group, duration_ns, flight->others);
    p11prof_levels_done(&group->levels, 0, duration_ns, flight->others_of_kind);
    move(process, flight->end_ns, process->levels.level - 1);
    p11prof_levels_move(&group->levels, flight->end_ns, group->levels.level - 1);
    process->last_ns = flight->end_ns;
    if (process->process_id < 0)
        return;
    p11prof_sessions_end(&process->sessions, flight);
    p11prof_thread_turns_call_ends(&process->turns, flight);
}

struct p11prof_concurrency_process *p11prof_concurrency_process_new(
    int64_t process_id, int64_t slice_ns, int64_t lag_ns, struct p11prof_function_flow *flows)
{
    struct p11prof_concurrency_process *process = p11prof_zalloc(1, sizeof *process);
    process->process_id = process_id;
    process->flows = flows;
    process->turns.slice_ns = slice_ns > 0 ? slice_ns : 1;
    process->levels.group_count = P11PROF_LEVEL_GROUPS;
    process->sessions.within.group_count = P11PROF_LEVEL_GROUPS;
    process->sessions.across.group_count = P11PROF_LEVEL_GROUPS;
    process->sweep =
        (struct p11prof_sweep){.lag_ns = lag_ns, .begin = begin, .end = end, .payload = process};
    return process;
}

void p11prof_concurrency_process_free(struct p11prof_concurrency_process *process)
{
    p11prof_levels_clear(&process->levels);
    p11prof_sessions_clear(&process->sessions);
    p11prof_thread_turns_clear(&process->turns);
    for (size_t i = 0; i < process->group_count; i++)
        p11prof_levels_clear(&process->groups[i].levels);
    free(process->groups);
    free(process->thread_ids);
    free(process->thread_slots);
    free(process);
}

void p11prof_concurrency_process_add(struct p11prof_concurrency_process *process,
                                     const struct p11prof_event *event, uint32_t group)
{
    struct p11prof_flight flight = {
        .start_ns = event->start_ns,
        .end_ns = p11prof_event_end_ns(event),
        .session = event->session,
        .thread = process->process_id < 0 ? 0 : thread_of(process, event->thread_id),
        .group = group,
        .function =
            (uint16_t)(event->function <= P11PROF_CALLS ? event->function : P11PROF_NO_FUNCTION),
        .failed = p11prof_event_failed(event),
        .overlapped = (event->flags & P11PROF_ROW_OVERLAP) != 0,
    };
    p11prof_sweep_add(&process->sweep, &flight);
}

void p11prof_concurrency_process_finish(struct p11prof_concurrency_process *process)
{
    p11prof_sweep_finish(&process->sweep);
    p11prof_sessions_finish(&process->sessions);
}
