/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "allocate.h"
#include "histogram_steps.h"
#include "imported.h"
#include "p11prof/batch.h"
#include "p11prof/load.h"
#include "query.h"
#include "row_scan.h"

#include <sqlite3.h>
#include <stdlib.h>

static const struct p11prof_grouping operation_grouping = {
    {P11PROF_BY_OPERATION, P11PROF_BY_MECHANISM, P11PROF_BY_KEY_TYPE, P11PROF_BY_KEY_BITS}, 4};
static const struct p11prof_grouping load_grouping = {
    {P11PROF_BY_RUN, P11PROF_BY_PART, P11PROF_BY_OPERATION}, 3};

const struct p11prof_tally *p11prof_histogram_tally(const struct p11prof_histogram_set *set)
{
    return set->of == P11PROF_HISTOGRAM_CALLS ? &set->scan.calls : &set->scan.operations;
}

size_t p11prof_histogram_load_row(const struct p11prof_histogram_set *set,
                                  const struct p11prof_key *key)
{
    const struct p11prof_tally *tally = p11prof_histogram_tally(set);
    int64_t run_id = -1, part = 0, operation = -1;
    size_t row = 0;
    p11prof_tally_value(tally, key, P11PROF_BY_RUN, &run_id);
    p11prof_tally_value(tally, key, P11PROF_BY_PART, &part);
    p11prof_tally_value(tally, key, P11PROF_BY_OPERATION, &operation);
    if ((part & 3) != P11PROF_PHASE_MEASURED)
        return set->loads.row_count;
    while (row < set->loads.row_count &&
           (p11prof_table_integer(&set->loads, row, "run_id", -1) != run_id ||
            p11prof_table_integer(&set->loads, row, "load", -1) != part >> 2 ||
            p11prof_table_integer(&set->loads, row, "operation_code", -1) != operation))
        row++;
    return row;
}

static enum p11prof_status load_runs(struct p11prof_histogram_set *set, struct sqlite3 *db,
                                     struct p11prof_error *error)
{
    static const char runs_sql[] = "SELECT * FROM runs WHERE run_id = ?1";
    static const char loads_sql[] = "SELECT l.*, b.operation AS operation_code FROM loads AS l "
                                    "JOIN bench_load AS b ON b.run = l.run_id AND b.load = l.load "
                                    "WHERE l.run_id = ?1 ORDER BY l.load";
    for (size_t i = 0; i < set->runs->run_count; i++)
        if (p11prof_query_table(db, runs_sql, set->runs->run_ids[i], &set->runs_table, error) !=
                P11PROF_OK ||
            p11prof_query_table(db, loads_sql, set->runs->run_ids[i], &set->loads, error) !=
                P11PROF_OK)
            return error->status;
    return P11PROF_OK;
}

static void choose(struct p11prof_histogram_set *set,
                   const struct p11prof_histogram_options *options)
{
    bool plain = options->by.count == 0 && !options->operations;
    if (plain && set->loads.row_count > 0) {
        set->of = P11PROF_HISTOGRAM_LOADS;
        set->scan.operations.grouping = load_grouping;
    } else if (options->operations) {
        set->of = P11PROF_HISTOGRAM_OPERATIONS;
        set->scan.operations.grouping = options->by.count ? options->by : operation_grouping;
    } else {
        set->scan.calls.grouping = options->by.count ? options->by : p11prof_default_grouping;
    }
    set->scan.selection = &options->selection;
}

static enum p11prof_status complain_empty(const struct p11prof_histogram_set *set,
                                          struct sqlite3 *db, struct p11prof_error *error)
{
    const struct p11prof_run_set *runs = set->runs;
    if (set->scan.calls_unknown || set->scan.operations_unknown)
        return p11prof_error_set(error, P11PROF_BAD_INPUT,
                                 "the calls of run %lld are not kept one by one, and its "
                                 "histograms do not tell apart what is selected",
                                 (long long)runs->run_ids[0]);
    if (!p11prof_selection_is_all(set->scan.selection))
        return p11prof_selection_empty(set->scan.selection, db, runs->run_ids, runs->run_count,
                                       error);
    return p11prof_error_set(error, P11PROF_BAD_INPUT, "run %lld has no %s",
                             (long long)runs->run_ids[0],
                             set->of == P11PROF_HISTOGRAM_CALLS ? "calls" : "operations");
}

static bool is_shown(const struct p11prof_histogram_set *set,
                     const struct p11prof_tally_group *group)
{
    return group->count > 0 &&
           (set->of != P11PROF_HISTOGRAM_LOADS ||
            p11prof_histogram_load_row(set, &group->key) < set->loads.row_count);
}

/* Adds the groups of a set to *out. */
static void add_groups(struct p11prof_histogram *out, struct p11prof_histogram_set *set)
{
    const struct p11prof_tally *tally = p11prof_histogram_tally(set);
    size_t capacity = out->group_count;
    for (size_t i = 0; i < tally->group_count; i++) {
        if (!is_shown(set, &tally->groups[i]))
            continue;
        out->groups =
            p11prof_grow(out->groups, &capacity, out->group_count + 1, sizeof *out->groups);
        out->groups[out->group_count++] =
            (struct p11prof_histogram_group){.set = set, .tally = &tally->groups[i]};
    }
}

static enum p11prof_status load_set(struct p11prof_histogram *out,
                                    struct p11prof_histogram_set *set, struct sqlite3 *db,
                                    const struct p11prof_histogram_options *options,
                                    struct p11prof_error *error)
{
    const struct p11prof_run_set *runs = set->runs;
    size_t before = out->group_count;
    if (load_runs(set, db, error) != P11PROF_OK)
        return error->status;
    choose(set, options);
    set->conditions = p11prof_zalloc(runs->run_count, sizeof *set->conditions);
    for (size_t i = 0; i < runs->run_count; i++)
        if (p11prof_selection_resolve(&options->selection, db, runs->run_ids[i],
                                      &set->conditions[i], error) != P11PROF_OK)
            return error->status;
    if (p11prof_scan_runs(&set->scan, db, runs->run_ids, runs->run_count, error) != P11PROF_OK)
        return error->status;
    add_groups(out, set);
    return out->group_count > before ? P11PROF_OK : complain_empty(set, db, error);
}

static bool is_call(const struct p11prof_histogram_group *group)
{
    int64_t kind = P11PROF_KIND_CALL;
    p11prof_tally_value(p11prof_histogram_tally(group->set), &group->tally->key, P11PROF_BY_KIND,
                        &kind);
    return kind == P11PROF_KIND_CALL;
}

/* Size queries and calls that wait come last, whatever their time. */
static int by_time(const void *a, const void *b)
{
    const struct p11prof_histogram_group *first = a, *second = b;
    if (is_call(first) != is_call(second))
        return is_call(first) ? -1 : 1;
    return (first->tally->total_ns < second->tally->total_ns) -
           (first->tally->total_ns > second->tally->total_ns);
}

static void cut(struct p11prof_histogram *out, size_t top)
{
    qsort(out->groups, out->group_count, sizeof *out->groups, by_time);
    for (size_t i = top; top > 0 && i < out->group_count; i++) {
        out->rest_count++;
        out->rest_calls += out->groups[i].tally->count;
        out->rest_ns += out->groups[i].tally->total_ns;
    }
    if (top > 0 && out->group_count > top)
        out->group_count = top;
}

static void describe(struct p11prof_histogram_group *group)
{
    struct p11prof_buckets buckets = {.count = 0};
    p11prof_tally_stats(group->tally, &group->stats);
    p11prof_outliers_find(&group->outliers, group->tally);
    p11prof_buckets_merge(&buckets, &group->tally->buckets);
    for (size_t i = 0; i < group->tally->duration_count; i++)
        p11prof_buckets_add(&buckets, group->tally->durations[i], 1);
    p11prof_modes_find(&group->modes, &buckets);
    p11prof_buckets_clear(&buckets);
}

/* Bins over all groups; nothing if all calls failed. */
static void bin(struct p11prof_histogram *out)
{
    uint64_t min_ns = UINT64_MAX, max_ns = 0;
    bool of_buckets = false;
    for (size_t i = 0; i < out->group_count; i++) {
        const struct p11prof_histogram_group *group = &out->groups[i];
        if (group->stats.count == 0)
            continue;
        min_ns = group->stats.min_ns < min_ns ? group->stats.min_ns : min_ns;
        max_ns = group->stats.max_ns > max_ns ? group->stats.max_ns : max_ns;
        of_buckets = of_buckets || group->tally->sums.count > 0;
    }
    if (min_ns > max_ns)
        return;
    p11prof_bins_choose(&out->bins, min_ns, max_ns, of_buckets);
    for (size_t i = 0; i < out->group_count; i++)
        p11prof_bins_count(&out->bins, out->groups[i].tally, out->groups[i].counts);
}

/* Whether the calls of all runs of a set are kept one by one. */
static enum p11prof_status check_rows(const struct p11prof_histogram_set *set, struct sqlite3 *db,
                                      bool *there, struct p11prof_error *error)
{
    static const char sql[] =
        "SELECT sum(count) FROM call_group WHERE run = ?1 AND NOT is_operation";
    uint64_t row_count;
    *there = true;
    for (size_t i = 0; i < set->runs->run_count; i++) {
        int64_t counted;
        if (p11prof_query_integer(db, sql, set->runs->run_ids[i], 0, &counted, error) !=
                P11PROF_OK ||
            p11prof_row_scan_count(db, &set->runs->run_ids[i], 1, &row_count, error) != P11PROF_OK)
            return error->status;
        *there = *there && row_count > 0 && row_count == (uint64_t)counted;
    }
    return P11PROF_OK;
}

static enum p11prof_status find_worst(struct p11prof_histogram *out, struct sqlite3 *db,
                                      struct p11prof_error *error)
{
    enum p11prof_status status = P11PROF_OK;
    for (size_t i = 0; i < out->set_count && status == P11PROF_OK; i++) {
        struct p11prof_histogram_set *set = &out->sets[i];
        bool rows = false;
        status = check_rows(set, db, &rows, error);
        if (status == P11PROF_OK && rows)
            status = p11prof_histogram_find_worst(out, set, db, error);
        if (status == P11PROF_OK && rows && set->of == P11PROF_HISTOGRAM_LOADS)
            status = p11prof_histogram_number_worst(out, set, db, error);
    }
    return status;
}

static enum p11prof_status load_all(struct p11prof_histogram *out, struct sqlite3 *db,
                                    const struct p11prof_histogram_options *options,
                                    struct p11prof_error *error)
{
    for (size_t i = 0; i < out->set_count; i++)
        if (load_set(out, &out->sets[i], db, options, error) != P11PROF_OK)
            return error->status;
    cut(out, options->top);
    for (size_t i = 0; i < out->group_count; i++)
        describe(&out->groups[i]);
    bin(out);
    if (find_worst(out, db, error) != P11PROF_OK)
        return error->status;
    return p11prof_histogram_name(out, db, error);
}

/* There is nothing to draw of a run without durations. */
static enum p11prof_status check_times(const struct p11prof_histogram *histogram,
                                       struct sqlite3 *db, struct p11prof_error *error)
{
    char untimed[P11PROF_UNTIMED_BYTES];
    for (size_t i = 0; i < histogram->set_count; i++)
        for (size_t k = 0; k < histogram->sets[i].runs->run_count; k++)
            if (p11prof_run_is_untimed(db, histogram->sets[i].runs->run_ids[k], untimed))
                return p11prof_error_set(error, P11PROF_BAD_INPUT, "%s", untimed);
    return P11PROF_OK;
}

enum p11prof_status p11prof_histogram_load(struct p11prof_histogram *out, struct sqlite3 *db,
                                           const struct p11prof_run_set *runs, size_t count,
                                           const struct p11prof_histogram_options *options,
                                           struct p11prof_error *error)
{
    out->sets = p11prof_zalloc(count, sizeof *out->sets);
    out->set_count = count;
    for (size_t i = 0; i < count; i++)
        out->sets[i].runs = &runs[i];
    sqlite3_exec(db, "BEGIN", NULL, NULL, NULL);
    enum p11prof_status status = check_times(out, db, error);
    if (status == P11PROF_OK)
        status = load_all(out, db, options, error);
    sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return status;
}

static void clear_set(struct p11prof_histogram_set *set)
{
    for (size_t i = 0; set->conditions && i < set->runs->run_count; i++)
        p11prof_condition_clear(&set->conditions[i]);
    free(set->conditions);
    p11prof_scan_clear(&set->scan);
    p11prof_table_clear(&set->runs_table);
    p11prof_table_clear(&set->loads);
}

void p11prof_histogram_clear(struct p11prof_histogram *histogram)
{
    for (size_t i = 0; i < histogram->set_count; i++)
        clear_set(&histogram->sets[i]);
    for (size_t i = 0; i < histogram->group_count; i++)
        for (size_t k = 0; k < histogram->groups[i].worst_count; k++)
            free(histogram->groups[i].worst[k].program);
    p11prof_table_clear(&histogram->names);
    free(histogram->groups);
    free(histogram->sets);
    *histogram = (struct p11prof_histogram){.sets = NULL};
}
