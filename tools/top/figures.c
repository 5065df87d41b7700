/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "figures.h"
#include "p11prof/calls.h"
#include "report/stats.h"

#include <stdlib.h>
#include <string.h>

/* Of one function, over all groups. */
struct tally {
    uint64_t count, error_count; /* since the runs began */
    uint64_t new_count, new_error_count, new_total_ns;
    struct p11prof_sums sums;
    struct p11prof_buckets buckets; /* of what is new */
    uint64_t in_flight, oldest_ns;
    int64_t age_ns; /* of the calls in flight now, less what those of before had by then */
};

/* A counter that went back belongs to a database that was replaced. */
static uint64_t more(uint64_t now, uint64_t before)
{
    return now > before ? now - before : 0;
}

static int by_id(const void *key, const void *element)
{
    int64_t id = *(const int64_t *)key, other = ((const struct top_group *)element)->group_id;
    return (id > other) - (id < other);
}

static bool began_after(const struct top_snapshot *now, int64_t run_id, int64_t wall_ns)
{
    for (size_t i = 0; i < now->run_count; i++)
        if (now->runs[i].run_id == run_id)
            return now->runs[i].start_wall_ns >= wall_ns;
    return false;
}

static bool has_run(const struct top_snapshot *snapshot, int64_t run_id)
{
    for (size_t i = 0; i < snapshot->run_count; i++)
        if (snapshot->runs[i].run_id == run_id)
            return true;
    return false;
}

static void bucket_add(struct tally *tally, uint64_t low_ns, uint64_t count)
{
    if (count == 0)
        return;
    p11prof_buckets_add(&tally->buckets, low_ns, count);
    tally->sums.min_ns =
        tally->sums.count == 0 || low_ns < tally->sums.min_ns ? low_ns : tally->sums.min_ns;
    tally->sums.count += count;
    tally->sums.max_ns = UINT64_MAX;
}

static void buckets_add(struct tally *tally, const struct top_group *before,
                        const struct top_group *now)
{
    size_t old = 0;
    for (size_t i = 0; i < now->bucket_count; i++) {
        const struct top_bucket *bucket = &now->buckets[i];
        while (before && old < before->bucket_count && before->buckets[old].low_ns < bucket->low_ns)
            old++;
        bool same =
            before && old < before->bucket_count && before->buckets[old].low_ns == bucket->low_ns;
        bucket_add(tally, bucket->low_ns,
                   more(bucket->count, same ? before->buckets[old].count : 0));
    }
}

/* What is new of a group: all of it where it began since, nothing where its run was not looked at
 * before. */
static void group_add(struct tally *tally, const struct top_snapshot *before,
                      const struct top_snapshot *now, const struct top_group *group)
{
    static const struct top_group none;
    const struct top_group *old =
        before->group_count > 0
            ? bsearch(&group->group_id, before->groups, before->group_count, sizeof *old, by_id)
            : NULL;
    tally->count += group->count;
    tally->error_count += group->error_count;
    if (!old && !has_run(before, group->run_id) &&
        !began_after(now, group->run_id, before->wall_ns))
        return;
    old = old ? old : &none;
    tally->new_count += more(group->count, old->count);
    tally->new_error_count += more(group->error_count, old->error_count);
    tally->new_total_ns += more(group->total_ns, old->total_ns);
    if (group->is_call)
        buckets_add(tally, old, group);
}

static void calls_add(struct tally *tallies, const struct top_snapshot *before,
                      const struct top_snapshot *now)
{
    for (size_t i = 0; i < before->call_count; i++)
        tallies[before->calls[i].function].age_ns -= (int64_t)before->calls[i].age_ns;
    for (size_t i = 0; i < now->call_count; i++) {
        struct tally *tally = &tallies[now->calls[i].function];
        tally->in_flight++;
        tally->age_ns += (int64_t)now->calls[i].age_ns;
        if (now->calls[i].age_ns > tally->oldest_ns)
            tally->oldest_ns = now->calls[i].age_ns;
    }
}

/* Threads that were in it, on average. What a call took before belongs to the time before; no call
 * takes longer than this time, whenever its record came. */
static double busy_of(const struct tally *tally, double seconds)
{
    double busy = ((double)tally->new_total_ns + (double)tally->age_ns) / 1e9 / seconds;
    double most = (double)(tally->new_count + tally->in_flight);
    return busy < 0 ? 0 : busy > most ? most : busy;
}

static bool fits(const char *filter, const char *name)
{
    return !filter || !*filter || strcasestr(name, filter);
}

static void set_in_flight(const struct p11prof_table *table, struct p11prof_cell *row,
                          uint64_t in_flight, uint64_t oldest_ns)
{
    p11prof_table_set_integer(table, row, "in_flight_count", (int64_t)in_flight);
    if (in_flight > 0)
        p11prof_table_set_integer(table, row, "oldest_ns", (int64_t)oldest_ns);
}

static void function_row(struct top_figures *out, unsigned function, struct tally *tally,
                         double seconds)
{
    struct p11prof_table *table = &out->functions;
    struct p11prof_cell *row = p11prof_table_add_row(table);
    p11prof_table_set_text(table, row, "function", p11prof_calls[function].name);
    p11prof_table_set_real(table, row, "calls_per_s", (double)tally->new_count / seconds);
    p11prof_table_set_real(table, row, "errors_per_s", (double)tally->new_error_count / seconds);
    p11prof_table_set_real(table, row, "busy", busy_of(tally, seconds));
    set_in_flight(table, row, tally->in_flight, tally->oldest_ns);
    p11prof_table_set_integer(table, row, "count", (int64_t)tally->count);
    p11prof_table_set_integer(table, row, "error_count", (int64_t)tally->error_count);
    if (tally->sums.count == 0)
        return;
    struct p11prof_stats stats;
    p11prof_stats_of_buckets(&stats, &tally->sums, &tally->buckets);
    p11prof_table_set_integer(table, row, "p50_ns", (int64_t)stats.quantile_ns[P11PROF_P50]);
    p11prof_table_set_integer(table, row, "p99_ns", (int64_t)stats.quantile_ns[P11PROF_P99]);
    row[p11prof_table_find(table, "p99_ns")].doubtful = !stats.supported[P11PROF_P99];
}

static void functions_make(struct top_figures *out, const struct top_snapshot *before,
                           const struct top_snapshot *now, const char *filter, double seconds)
{
    struct tally tallies[P11PROF_CALLS + 1] = {{.count = 0}};
    for (size_t i = 0; i < now->group_count; i++)
        if (now->groups[i].function <= P11PROF_CALLS)
            group_add(&tallies[now->groups[i].function], before, now, &now->groups[i]);
    calls_add(tallies, before, now);
    for (unsigned i = 1; i <= P11PROF_CALLS; i++) {
        struct tally *tally = &tallies[i];
        out->all.calls_per_s += (double)tally->new_count / seconds;
        out->all.errors_per_s += (double)tally->new_error_count / seconds;
        out->all.in_flight_count += tally->in_flight;
        if (tally->oldest_ns > out->all.oldest_ns) {
            out->all.oldest_ns = tally->oldest_ns;
            out->all.oldest_function = i;
        }
        if (tally->count + tally->in_flight > 0 && fits(filter, p11prof_calls[i].name))
            function_row(out, i, tally, seconds);
        p11prof_buckets_clear(&tally->buckets);
    }
}

/* Calls of a process since the snapshot before; unknown where it is not in it and older. */
static void set_rate(const struct p11prof_table *table, struct p11prof_cell *row,
                     const struct top_process *process, const struct top_snapshot *before,
                     double seconds)
{
    bool known = process->first_wall_ns >= before->wall_ns;
    uint64_t old_count = 0;
    for (size_t i = 0; i < before->process_count && !known; i++)
        if (before->processes[i].pid == process->pid &&
            before->processes[i].run_id == process->run_id) {
            known = true;
            old_count = before->processes[i].call_count;
        }
    if (known && !process->keeps_calls)
        p11prof_table_set_real(table, row, "calls_per_s",
                               (double)more(process->call_count, old_count) / seconds);
}

static void process_row(struct top_figures *out, const struct top_process *process,
                        const struct top_snapshot *before, const struct top_snapshot *now,
                        double seconds)
{
    struct p11prof_table *table = &out->processes;
    struct p11prof_cell *row = p11prof_table_add_row(table);
    uint64_t in_flight = 0, oldest_ns = 0;
    unsigned oldest = 0;
    for (size_t i = 0; i < now->call_count; i++) {
        if (now->calls[i].pid != process->pid)
            continue;
        in_flight++;
        if (now->calls[i].age_ns >= oldest_ns) {
            oldest_ns = now->calls[i].age_ns;
            oldest = now->calls[i].function;
        }
    }
    p11prof_table_set_integer(table, row, "pid", process->pid);
    p11prof_table_set_text(table, row, "program", process->program);
    if (process->run_id >= 0)
        p11prof_table_set_integer(table, row, "run_id", process->run_id);
    set_rate(table, row, process, before, seconds);
    set_in_flight(table, row, in_flight, oldest_ns);
    if (in_flight > 0)
        p11prof_table_set_text(table, row, "oldest_function", p11prof_calls[oldest].name);
    p11prof_table_set_integer(table, row, "count", (int64_t)process->call_count);
    p11prof_table_set_integer(table, row, "lost_count", (int64_t)process->lost_count);
    p11prof_table_set_text(table, row, "state", process->keeps_calls ? "at its end" : "running");
}

void top_figures_make(struct top_figures *out, const struct top_snapshot *before,
                      const struct top_snapshot *now, const char *filter)
{
    int64_t duration_ns = now->monotonic_ns - before->monotonic_ns;
    double seconds = (double)(duration_ns > 0 ? duration_ns : 1) / 1e9;
    p11prof_table_add_columns(&out->functions, TOP_FUNCTION_COLUMNS);
    p11prof_table_add_columns(&out->processes, TOP_PROCESS_COLUMNS);
    out->all.wall_ns = now->wall_ns;
    out->all.duration_ns = (uint64_t)(duration_ns > 0 ? duration_ns : 0);
    out->all.process_count = now->process_count;
    functions_make(out, before, now, filter, seconds);
    for (size_t i = 0; i < now->process_count; i++) {
        const struct top_process *process = &now->processes[i];
        out->all.lost_count += process->lost_count;
        out->all.keeping_count += process->keeps_calls;
        if (fits(filter, process->program))
            process_row(out, process, before, now, seconds);
    }
}

void top_figures_clear(struct top_figures *figures)
{
    p11prof_table_clear(&figures->functions);
    p11prof_table_clear(&figures->processes);
    memset(&figures->all, 0, sizeof figures->all);
}
