/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "concurrency_tables.h"
#include "p11prof/batch.h"

#include <math.h>
#include <stdlib.h>

static void set_process(const struct p11prof_table *table, struct p11prof_cell *row,
                        const struct p11prof_concurrency_process *process)
{
    if (process->process_id >= 0)
        p11prof_table_set_integer(table, row, "process_id", process->process_id);
}

/* --- how calls are served --- */

static void set_range(const struct p11prof_table *table, struct p11prof_cell *row,
                      const char *const names[3], const struct p11prof_range *range)
{
    p11prof_table_set_real(table, row, names[0], range->value);
    p11prof_table_set_real(table, row, names[1], range->low);
    p11prof_table_set_real(table, row, names[2], range->high);
}

static struct p11prof_cell *add_served(struct p11prof_table *table,
                                       const struct p11prof_concurrency_process *process,
                                       const char *scope, const struct p11prof_speed_up *of)
{
    static const char *const times[] = {"speed_up", "speed_up_low", "speed_up_high"};
    static const char *const parallel[] = {"parallel", "parallel_low", "parallel_high"};
    struct p11prof_cell *row = p11prof_table_add_row(table);
    set_process(table, row, process);
    p11prof_table_set_text(table, row, "scope", scope);
    p11prof_table_set_text(table, row, "verdict", p11prof_served_word(of));
    p11prof_table_set_text(table, row, "reason", p11prof_served_reason(of));
    p11prof_table_set_integer(table, row, "call_count", (int64_t)of->call_count);
    p11prof_table_set_integer(table, row, "alone_count", (int64_t)of->alone_count);
    p11prof_table_set_integer(table, row, "most_in_flight", of->most);
    p11prof_table_set_integer(table, row, "overlapped_ns", (int64_t)of->overlapped_ns);
    if (of->in_flight > 0)
        p11prof_table_set_real(table, row, "in_flight", of->in_flight);
    if (of->known) {
        set_range(table, row, times, &of->times);
        set_range(table, row, parallel, &of->parallel);
    }
    return row;
}

static void set_code(const struct p11prof_table *table, struct p11prof_cell *row, const char *name,
                     const struct p11prof_code_names *names, int64_t code)
{
    char buffer[P11PROF_CODE_BYTES];
    if (code != P11PROF_EVENT_UNKNOWN)
        p11prof_table_set_text(table, row, name, p11prof_code_names_text(names, code, buffer));
}

static void set_group(const struct p11prof_table *table, struct p11prof_cell *row,
                      const struct p11prof_concurrency *of, const struct p11prof_call_group *group)
{
    p11prof_table_set_text(table, row, "function", p11prof_calls[group->function].name);
    set_code(table, row, "mechanism", &of->mechanisms, group->mechanism);
    set_code(table, row, "key_type", &of->key_types, group->key_type);
    if (group->key_bits != P11PROF_EVENT_UNKNOWN)
        p11prof_table_set_integer(table, row, "key_bits", group->key_bits);
}

/* Kinds of calls that take a hundredth of the time or more. */
static void add_groups(struct p11prof_table *table, const struct p11prof_concurrency *of,
                       const struct p11prof_concurrency_verdict *verdict)
{
    const struct p11prof_concurrency_process *process = verdict->process;
    for (size_t i = 0; i < process->group_count; i++) {
        const struct p11prof_group_use *use = &process->groups[i];
        struct p11prof_speed_up speed_up;
        if (of->groups.all[i].kind != P11PROF_KIND_CALL ||
            use->levels.in_flight_ns < 0.01 * process->levels.in_flight_ns || use->levels.most < 2)
            continue;
        p11prof_concurrency_judge_kind(&speed_up, verdict, use);
        set_group(table, add_served(table, process, "kind", &speed_up), of, &of->groups.all[i]);
    }
}

static void add_verdicts(struct p11prof_section *out, const struct p11prof_concurrency *of,
                         const struct p11prof_concurrency_verdict *verdicts, size_t verdict_count)
{
    struct p11prof_table *table = p11prof_section_add(
        out, "served", "How calls that are in flight together are served",
        "process_id scope function mechanism key_type key_bits verdict in_flight most_in_flight "
        "speed_up "
        "speed_up_low speed_up_high parallel parallel_low parallel_high call_count alone_count "
        "overlapped_ns reason",
        "process_id scope function mechanism verdict in_flight most_in_flight speed_up "
        "speed_up_low "
        "speed_up_high parallel call_count alone_count reason");
    for (size_t i = 0; i < verdict_count; i++) {
        const struct p11prof_concurrency_verdict *verdict = &verdicts[i];
        if (verdict->module.most < 2)
            continue;
        bool all = verdict->process->process_id < 0;
        add_served(table, verdict->process, all ? "token" : "module", &verdict->module);
        if (verdict->by_sessions) {
            add_served(table, verdict->process, "one session", &verdict->within);
            add_served(table, verdict->process, "sessions", &verdict->across);
        }
        add_groups(table, of, verdict);
    }
}

static void add_steps(struct p11prof_section *out,
                      const struct p11prof_concurrency_verdict *verdicts, size_t verdict_count)
{
    struct p11prof_table *table = p11prof_section_add(
        out, "steps", "Speed-up against one after another of all calls, by how many are in flight",
        "process_id in_flight speed_up calls_per_s busy_ns call_count", NULL);
    for (size_t i = 0; i < verdict_count; i++)
        for (unsigned level = 1; level <= verdicts[i].module.most; level++) {
            const struct p11prof_concurrency_process *process = verdicts[i].process;
            struct p11prof_speed_up_step step;
            if (verdicts[i].module.most < 2 || !verdicts[i].module.known ||
                !p11prof_speed_up_step(&step, &process->levels, level, verdicts[i].module.at_once))
                continue;
            struct p11prof_cell *row = p11prof_table_add_row(table);
            set_process(table, row, process);
            p11prof_table_set_real(table, row, "in_flight", step.in_flight);
            p11prof_table_set_real(table, row, "speed_up", step.speed_up);
            p11prof_table_set_real(table, row, "calls_per_s",
                                   (double)step.call_count / (step.busy_ns / 1e9));
            p11prof_table_set_integer(table, row, "busy_ns", (int64_t)step.busy_ns);
            p11prof_table_set_integer(table, row, "call_count", (int64_t)step.call_count);
        }
}

/* --- in flight --- */

static void add_levels(struct p11prof_section *out, const struct p11prof_concurrency *of)
{
    struct p11prof_table *table =
        p11prof_section_add(out, "in_flight", "Time with so many calls in flight",
                            "process_id level time_ns share", NULL);
    for (size_t i = 0; i < of->process_count + (of->all != NULL); i++) {
        const struct p11prof_concurrency_process *process =
            i < of->process_count ? of->processes[i] : of->all;
        if (process->levels.most < 2 && of->process_count > 1)
            continue;
        struct p11prof_level_block *sum =
            p11prof_levels_sum(&process->levels, NULL, process->levels.block_count);
        double active_ns = (double)(process->last_ns - process->first_ns);
        for (unsigned level = 0; level <= P11PROF_LEVEL_MAX; level++) {
            if (sum->level_ns[level] <= 0)
                continue;
            struct p11prof_cell *row = p11prof_table_add_row(table);
            set_process(table, row, process);
            p11prof_table_set_integer(table, row, "level", level);
            p11prof_table_set_integer(table, row, "time_ns", (int64_t)sum->level_ns[level]);
            p11prof_table_set_real(table, row, "share",
                                   active_ns > 0 ? sum->level_ns[level] / active_ns : 0);
        }
        free(sum);
    }
}

/* The sums of all processes; the most of one, where all together are not known. */
static void sum_slice(struct p11prof_concurrency_slice *sum, const struct p11prof_concurrency *of,
                      size_t slice)
{
    *sum = (struct p11prof_concurrency_slice){.most = 0};
    for (size_t i = 0; i < of->process_count; i++) {
        const struct p11prof_concurrency_slice *part = &of->processes[i]->slices[slice];
        sum->in_flight_ns += part->in_flight_ns;
        sum->call_count += part->call_count;
        sum->most = part->most > sum->most ? part->most : sum->most;
    }
    if (of->all)
        sum->most = of->all->slices[slice].most;
}

static void add_slices(struct p11prof_section *out, const struct p11prof_concurrency *of,
                       int64_t slice_ns)
{
    struct p11prof_table *table =
        p11prof_section_add(out, "over_time", "In flight over time",
                            "start_ns time_ns in_flight most_in_flight calls_per_s", NULL);
    for (size_t i = 0; i < P11PROF_TURN_SLICES; i++) {
        struct p11prof_concurrency_slice slice;
        sum_slice(&slice, of, i);
        struct p11prof_cell *row = p11prof_table_add_row(table);
        p11prof_table_set_integer(table, row, "start_ns", (int64_t)i * slice_ns);
        p11prof_table_set_integer(table, row, "time_ns", slice_ns);
        p11prof_table_set_real(table, row, "in_flight", slice.in_flight_ns / (double)slice_ns);
        p11prof_table_set_integer(table, row, "most_in_flight", slice.most);
        p11prof_table_set_real(table, row, "calls_per_s",
                               (double)slice.call_count / ((double)slice_ns / 1e9));
    }
}

/* --- threads and sessions --- */

static void add_turns(struct p11prof_section *out,
                      const struct p11prof_concurrency_verdict *verdicts, size_t verdict_count)
{
    struct p11prof_table *table = p11prof_section_add(
        out, "turns", "Threads that take turns",
        "process_id thread_count call_count overlap_count expected_count alone_ns waited_ns "
        "waited_share handover_count quick_count",
        NULL);
    for (size_t i = 0; i < verdict_count; i++) {
        const struct p11prof_thread_turns *turns = &verdicts[i].process->turns;
        if (turns->thread_count < 2)
            continue;
        struct p11prof_cell *row = p11prof_table_add_row(table);
        set_process(table, row, verdicts[i].process);
        p11prof_table_set_integer(table, row, "thread_count", (int64_t)turns->thread_count);
        p11prof_table_set_integer(table, row, "call_count", (int64_t)turns->call_count);
        p11prof_table_set_integer(table, row, "overlap_count", (int64_t)turns->overlap_count);
        p11prof_table_set_integer(table, row, "expected_count",
                                  llround(p11prof_thread_turns_expected(turns)));
        p11prof_table_set_integer(table, row, "alone_ns", (int64_t)turns->alone_ns);
        p11prof_table_set_integer(table, row, "waited_ns", (int64_t)turns->waited_ns);
        if (turns->alone_ns > 0)
            p11prof_table_set_real(table, row, "waited_share", turns->waited_ns / turns->alone_ns);
        p11prof_table_set_integer(table, row, "handover_count", (int64_t)turns->handover_count);
        p11prof_table_set_integer(table, row, "quick_count", (int64_t)turns->quick_count);
    }
}

static void add_sessions(struct p11prof_section *out, const struct p11prof_concurrency *of)
{
    struct p11prof_table *table =
        p11prof_section_add(out, "sessions", "Sessions that threads share",
                            "process_id session thread_count call_count overlapped_count", NULL);
    for (size_t i = 0; i < of->process_count; i++) {
        const struct p11prof_sessions *sessions = &of->processes[i]->sessions;
        for (size_t j = 0; j < sessions->shared_count; j++) {
            const struct p11prof_session_use *use = &sessions->shared[j];
            struct p11prof_cell *row = p11prof_table_add_row(table);
            set_process(table, row, of->processes[i]);
            p11prof_table_set_integer(table, row, "session", use->session);
            p11prof_table_set_integer(table, row, "thread_count", (int64_t)use->thread_count);
            p11prof_table_set_integer(table, row, "call_count", (int64_t)use->call_count);
            p11prof_table_set_integer(table, row, "overlapped_count",
                                      (int64_t)use->overlapped_count);
        }
    }
    p11prof_table_sort(table, "overlapped_count");
}

void p11prof_concurrency_tables(struct p11prof_section *out, const struct p11prof_concurrency *of,
                                const struct p11prof_concurrency_verdict *verdicts,
                                size_t verdict_count)
{
    int64_t slice_ns = of->process_count > 0 ? of->processes[0]->turns.slice_ns : 1;
    add_verdicts(out, of, verdicts, verdict_count);
    add_steps(out, verdicts, verdict_count);
    add_levels(out, of);
    add_turns(out, verdicts, verdict_count);
    add_sessions(out, of);
    p11prof_concurrency_flow_table(out, of);
    add_slices(out, of, slice_ns);
}
