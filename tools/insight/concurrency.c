/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "concurrency.h"
#include "concurrency_tables.h"
#include "p11prof/batch.h"
#include "report/allocate.h"
#include "report/query.h"
#include "report/units.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

enum { PROCESSES_SAID = 3, ROWS_TOGETHER_MAX = P11PROF_SWEEP_CALLS_MAX };

/* From such a deviation on Little's law is worth a word. */
static const double deviation_least = 0.02;

struct gathering {
    struct p11prof_concurrency *of;
    int64_t slice_ns, lag_ns;
    bool together; /* all processes too */
    size_t last;   /* of the call before */
};

static struct p11prof_concurrency_process *process_of(struct gathering *gathering,
                                                      int64_t process_id)
{
    struct p11prof_concurrency *of = gathering->of;
    if (of->process_count > 0 && of->processes[gathering->last]->process_id == process_id)
        return of->processes[gathering->last];
    for (size_t i = 0; i < of->process_count; i++)
        if (of->processes[i]->process_id == process_id)
            return of->processes[gathering->last = i];
    of->processes = p11prof_grow(of->processes, &of->process_capacity, of->process_count + 1,
                                 sizeof *of->processes);
    gathering->last = of->process_count++;
    return of->processes[gathering->last] = p11prof_concurrency_process_new(
               process_id, gathering->slice_ns, gathering->lag_ns, of->flows);
}

static void take(void *payload, const struct p11prof_event *event)
{
    struct gathering *gathering = payload;
    struct p11prof_concurrency *of = gathering->of;
    if (event->duration_ns < 0)
        of->untimed_count++;
    if (event->duration_ns < 0 || event->kind == P11PROF_KIND_BLOCKING ||
        event->flags & P11PROF_ROW_NESTED)
        return;
    uint32_t group = p11prof_call_group_of(&of->groups, event);
    p11prof_concurrency_process_add(process_of(gathering, event->process_id), event, group);
    if (!gathering->together)
        return;
    if (!of->all)
        of->all = p11prof_concurrency_process_new(-1, gathering->slice_ns, P11PROF_SWEEP_ALL_NS,
                                                  of->flows);
    p11prof_concurrency_process_add(of->all, event, group);
}

static enum p11prof_status load_lost(struct p11prof_concurrency *of, struct sqlite3 *db,
                                     int64_t run_id, struct p11prof_error *error)
{
    struct p11prof_table lost = {.columns = NULL};
    enum p11prof_status status = p11prof_query_table(
        db, "SELECT function, sum(count) AS count FROM losses WHERE run_id = ?1 GROUP BY function",
        run_id, &lost, error);
    for (size_t i = 0; i < lost.row_count; i++)
        of->lost_counts[p11prof_function_named(p11prof_table_text(&lost, i, "function", ""))] +=
            (uint64_t)p11prof_table_integer(&lost, i, "count", 0);
    p11prof_table_clear(&lost);
    return status;
}

/* The longest call: nothing is sure of what began so long ago. */
static const char longest_sql[] =
    "SELECT max(coalesce((SELECT max(max_ns) FROM function_stats WHERE run_id = ?1 AND kind IS NOT "
    "'blocking'), 0), coalesce((SELECT max(max_ns) FROM errors WHERE run_id = ?1), 0))";

static enum p11prof_status load_facts(struct gathering *gathering, struct sqlite3 *db,
                                      int64_t run_id, struct p11prof_error *error)
{
    int64_t processes = 0, calls = 0;
    struct p11prof_concurrency *of = gathering->of;
    const struct {
        const char *sql;
        int64_t *out;
    } facts[] = {
        {"SELECT duration_ns FROM runs WHERE run_id = ?1", &of->run_duration_ns},
        {"SELECT cpu_count FROM runs WHERE run_id = ?1", &of->cpu_count},
        {"SELECT count(*) FROM processes WHERE run_id = ?1 AND call_count > 0", &processes},
        {"SELECT call_count FROM runs WHERE run_id = ?1", &calls},
        {longest_sql, &gathering->lag_ns}};
    enum p11prof_status status = P11PROF_OK;
    for (size_t i = 0; i < sizeof facts / sizeof facts[0] && status == P11PROF_OK; i++)
        status = p11prof_query_integer(db, facts[i].sql, run_id, 0, facts[i].out, error);
    if (status == P11PROF_OK)
        status = p11prof_code_names_load(&of->mechanisms, db, "mechanism_name", error);
    if (status == P11PROF_OK)
        status = p11prof_code_names_load(&of->key_types, db, "key_type_name", error);
    gathering->slice_ns = of->run_duration_ns / P11PROF_TURN_SLICES + 1;
    gathering->together = processes > 1 && calls <= ROWS_TOGETHER_MAX;
    return status;
}

static int by_call_count(const void *a, const void *b)
{
    const struct p11prof_concurrency_verdict *first = a, *second = b;
    uint64_t one = first->module.call_count, other = second->module.call_count;
    return (one < other) - (one > other);
}

static void say_flow(struct p11prof_section *out, const struct p11prof_concurrency *of, bool full)
{
    unsigned function;
    char text[P11PROF_UNIT_TEXT_BYTES];
    double deviation = p11prof_concurrency_deviation(of, deviation_least, &function);
    p11prof_format_change(text, deviation);
    if (function != 0)
        p11prof_section_say(out,
                            "What was in flight of %s is %s off its rate by its mean duration "
                            "(Little's law): calls were lost, or the clock was set.",
                            p11prof_calls[function].name, text);
    else if (full)
        p11prof_section_say(out, "What was in flight agrees with rates by mean durations (Little's "
                                 "law): nothing that counts was lost.");
}

/* Those that matter most first; true: any. */
static bool say_verdicts(struct p11prof_section *out, const struct p11prof_concurrency *of,
                         const struct p11prof_concurrency_verdict *verdicts, size_t count,
                         bool full)
{
    size_t said = 0;
    char who[48] = "";
    for (size_t i = 0; i < count && said < PROCESSES_SAID; i++) {
        size_t before = out->sentence_count;
        if (count > 1 && verdicts[i].process->process_id >= 0)
            snprintf(who, sizeof who, "Process %" PRId64 ": ", verdicts[i].process->process_id);
        else
            *who = '\0';
        p11prof_concurrency_say(out, &verdicts[i], who, of->cpu_count, full);
        said += out->sentence_count > before;
    }
    return said > 0;
}

static void report(struct p11prof_section *out, const struct p11prof_concurrency *of, bool full)
{
    size_t count = of->process_count + (of->all != NULL);
    struct p11prof_concurrency_verdict *verdicts = p11prof_zalloc(count + 1, sizeof *verdicts);
    for (size_t i = 0; i < count; i++)
        p11prof_concurrency_judge(&verdicts[i], i < of->process_count ? of->processes[i] : of->all,
                                  &of->groups);
    qsort(verdicts, count, sizeof *verdicts, by_call_count);
    bool any = say_verdicts(out, of, verdicts, count, full);
    if (count == 0 && of->untimed_count == 0 && full)
        p11prof_section_say(out, "No calls are kept one by one: what was in flight is not known.");
    if (of->untimed_count > 0 && full)
        p11prof_section_say(out, "Of %" PRIu64 " calls no time is known: they are left out.",
                            of->untimed_count);
    if (count > 0 && (any || full))
        say_flow(out, of, full);
    if (count > 0 && full)
        p11prof_concurrency_tables(out, of, verdicts, count);
    free(verdicts);
}

static void clear(struct p11prof_concurrency *of)
{
    for (size_t i = 0; i < of->process_count; i++)
        p11prof_concurrency_process_free(of->processes[i]);
    if (of->all)
        p11prof_concurrency_process_free(of->all);
    free(of->processes);
    free(of->groups.all);
    p11prof_code_names_clear(&of->mechanisms);
    p11prof_code_names_clear(&of->key_types);
    free(of);
}

enum p11prof_status p11prof_concurrency_section(struct p11prof_section *out, struct sqlite3 *db,
                                                int64_t run_id,
                                                const struct p11prof_selection *selection,
                                                bool full, struct p11prof_error *error)
{
    struct p11prof_concurrency *of = p11prof_zalloc(1, sizeof *of);
    struct gathering gathering = {.of = of};
    enum p11prof_status status = load_facts(&gathering, db, run_id, error);
    if (status == P11PROF_OK && (!selection || p11prof_selection_is_all(selection)))
        status = load_lost(of, db, run_id, error);
    if (status == P11PROF_OK)
        status = p11prof_events_read(db, run_id, selection, take, &gathering, error);
    for (size_t i = 0; i < of->process_count; i++)
        p11prof_concurrency_process_finish(of->processes[i]);
    if (of->all)
        p11prof_concurrency_process_finish(of->all);
    if (status == P11PROF_OK)
        report(out, of, full);
    clear(of);
    return status;
}
