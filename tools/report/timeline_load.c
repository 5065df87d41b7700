/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "allocate.h"
#include "p11prof/batch.h"
#include "query.h"
#include "round_steps.h"
#include "row_scan.h"
#include "timeline_steps.h"
#include "units.h"

#include <sqlite3.h>
#include <stdlib.h>

/* Beyond that many steps, threads with steps of their own cost more memory than they are worth. */
enum { STEPS_FOR_THREADS = 1000 };

static void complain_of_step(const struct p11prof_timeline_source *source, uint64_t length,
                             uint64_t step, struct p11prof_error *error)
{
    const struct p11prof_timeline_options *options = source->options;
    char text[P11PROF_UNIT_TEXT_BYTES], least[P11PROF_UNIT_TEXT_BYTES];
    uint64_t fitting = p11prof_round_step(length, options->room, 0);
    if (options->by_iteration) {
        snprintf(text, sizeof text, "%llu", (unsigned long long)step);
        snprintf(least, sizeof least, "%llu", (unsigned long long)fitting);
    } else {
        p11prof_format_round_ns(text, step, 5);
        p11prof_format_round_ns(least, fitting, 5);
    }
    p11prof_error_set(error, P11PROF_BAD_INPUT,
                      "--step %s makes %llu steps, and there is room for %zu: take %s or more",
                      text, (unsigned long long)p11prof_step_count(length, step), options->room,
                      least);
}

enum p11prof_status p11prof_timeline_choose_step(const struct p11prof_timeline_source *source,
                                                 uint64_t length, uint64_t least,
                                                 uint64_t multiple_of, uint64_t *out,
                                                 struct p11prof_error *error)
{
    const struct p11prof_timeline_options *options = source->options;
    if (options->step == 0) {
        *out = p11prof_round_step(length, options->room, multiple_of);
        for (uint64_t shortest = *out; *out < least; *out += shortest)
            continue;
        return P11PROF_OK;
    }
    *out = options->step > least ? options->step : least;
    if (p11prof_step_count(length, *out) <= options->room)
        return P11PROF_OK;
    complain_of_step(source, length, *out, error);
    return error->status;
}

static int64_t clipped(const struct p11prof_moment *moment, int64_t otherwise,
                       const struct p11prof_timeline_source *source, int64_t duration_ns)
{
    if (moment->kind == P11PROF_MOMENT_NONE)
        return otherwise;
    int64_t ns = p11prof_moment_in_run(moment, source->condition.start_wall_ns, duration_ns);
    return ns < 0 ? 0 : ns < duration_ns ? ns : duration_ns;
}

/* The whole run, or what is selected of it. */
static void set_range(struct p11prof_timeline *timeline,
                      const struct p11prof_timeline_source *source, int64_t duration_ns)
{
    const struct p11prof_selection *selection = &source->options->selection;
    int64_t start_ns = clipped(&selection->since, 0, source, duration_ns);
    int64_t end_ns = clipped(&selection->until, duration_ns, source, duration_ns);
    timeline->start_ns = (uint64_t)start_ns;
    timeline->end_ns = (uint64_t)(end_ns > start_ns ? end_ns : start_ns + 1);
}

static enum p11prof_status complain_empty(const struct p11prof_timeline_source *source,
                                          struct p11prof_error *error)
{
    const struct p11prof_selection *selection = &source->options->selection;
    if (!p11prof_selection_is_all(selection))
        return p11prof_selection_empty(selection, source->db, &source->run_id, 1, error);
    return p11prof_error_set(error, P11PROF_BAD_INPUT, "run %lld has no calls",
                             (long long)source->run_id);
}

static bool is_empty(const struct p11prof_timeline *timeline)
{
    for (size_t i = 0; i < timeline->count; i++)
        if (timeline->steps[i].count > 0)
            return false;
    return true;
}

static enum p11prof_status load_calls(struct p11prof_run_timelines *out,
                                      const struct p11prof_timeline_source *source,
                                      struct p11prof_error *error)
{
    static const char sql[] =
        "SELECT sum(count) FROM call_group WHERE run = ?1 AND NOT is_operation";
    int64_t counted;
    if (p11prof_query_integer(source->db, sql, source->run_id, 0, &counted, error) != P11PROF_OK)
        return error->status;
    out->timelines = p11prof_zalloc(1, sizeof *out->timelines);
    out->count = 1;
    out->of_windows = (uint64_t)counted != source->row_count;
    set_range(out->timelines, source, p11prof_table_integer(&out->run, 0, "duration_ns", 0));
    enum p11prof_status status = out->of_windows
                                     ? p11prof_timeline_of_windows(out->timelines, source, error)
                                     : p11prof_timeline_of_rows(out->timelines, source, error);
    if (status != P11PROF_OK)
        return status;
    p11prof_timeline_finish(out->timelines);
    return is_empty(out->timelines) ? complain_empty(source, error) : P11PROF_OK;
}

static bool has_kind(const struct p11prof_selection *selection)
{
    for (size_t i = 0; i < selection->filter_count; i++)
        if (selection->filters[i].id == P11PROF_BY_KIND)
            return true;
    return false;
}

static enum p11prof_status resolve(struct p11prof_timeline_source *source,
                                   struct p11prof_error *error)
{
    struct p11prof_selection selection = source->options->selection;
    if (!source->options->by_iteration && !has_kind(&selection) &&
        !p11prof_selection_add(&selection, P11PROF_BY_KIND, "call"))
        return p11prof_error_set(error, P11PROF_BAD_INPUT, "more than %d filters",
                                 P11PROF_FILTERS_MAX - 1);
    return p11prof_selection_resolve(&selection, source->db, source->run_id, &source->condition,
                                     error);
}

static enum p11prof_status load_all(struct p11prof_run_timelines *out,
                                    struct p11prof_timeline_source *source,
                                    struct p11prof_error *error)
{
    if (p11prof_query_table(source->db, "SELECT * FROM runs WHERE run_id = ?1", source->run_id,
                            &out->run, error) != P11PROF_OK ||
        p11prof_row_scan_count(source->db, &source->run_id, 1, &source->row_count, error) !=
            P11PROF_OK ||
        resolve(source, error) != P11PROF_OK)
        return error->status;
    source->threads =
        source->options->room > STEPS_FOR_THREADS ? 1 : p11prof_row_scan_threads(source->row_count);
    return source->options->by_iteration ? p11prof_timelines_of_loads(out, source, error)
                                         : load_calls(out, source, error);
}

enum p11prof_status p11prof_run_timelines_load(struct p11prof_run_timelines *out,
                                               struct sqlite3 *db, int64_t run_id,
                                               const struct p11prof_timeline_options *options,
                                               struct p11prof_error *error)
{
    struct p11prof_timeline_source source = {.db = db, .run_id = run_id, .options = options};
    out->by_iteration = options->by_iteration;
    sqlite3_exec(db, "BEGIN", NULL, NULL, NULL);
    enum p11prof_status status = load_all(out, &source, error);
    sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    p11prof_condition_clear(&source.condition);
    return status;
}

void p11prof_run_timelines_clear(struct p11prof_run_timelines *timelines)
{
    for (size_t i = 0; i < timelines->count; i++)
        p11prof_timeline_clear(&timelines->timelines[i]);
    free(timelines->timelines);
    p11prof_table_clear(&timelines->run);
    p11prof_table_clear(&timelines->loads);
    *timelines = (struct p11prof_run_timelines){.timelines = NULL};
}
