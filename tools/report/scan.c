/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "scan.h"
#include "allocate.h"
#include "query.h"
#include "row_scan.h"
#include "scan_ways.h"

#include <sqlite3.h>
#include <stdlib.h>

/* What the histograms of all runs counted. */
struct counts {
    int64_t calls, loads;
    bool without_calls; /* a run has operations only: a bench that measured by itself */
};

static enum p11prof_status count(struct sqlite3 *db, int64_t run_id, struct counts *counts,
                                 struct p11prof_error *error)
{
    int64_t calls, operations, loads;
    const struct {
        const char *sql;
        int64_t *out;
    } queries[] = {
        {"SELECT sum(count) FROM call_group WHERE run = ?1 AND NOT is_operation", &calls},
        {"SELECT sum(count) FROM call_group WHERE run = ?1 AND is_operation", &operations},
        {"SELECT count(*) FROM bench_load WHERE run = ?1", &loads},
    };
    for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++)
        if (p11prof_query_integer(db, queries[i].sql, run_id, 0, queries[i].out, error) !=
            P11PROF_OK)
            return error->status;
    counts->calls += calls;
    counts->loads += loads;
    counts->without_calls = counts->without_calls || (calls == 0 && operations > 0);
    return P11PROF_OK;
}

static bool has_all_rows(const struct counts *counts, uint64_t row_count)
{
    return row_count == (uint64_t)counts->calls && !counts->without_calls;
}

/* Whether histograms give what a tally asks for; of a tally that is left out: yes. */
static bool histograms_do(const struct p11prof_scan_runs *runs, const struct p11prof_tally *tally,
                          bool operations)
{
    for (size_t i = 0; i < runs->run_count && tally->grouping.count > 0; i++)
        if (!(operations ? runs->conditions[i].of_operation : runs->conditions[i].of_group))
            return false;
    return !p11prof_grouping_needs_rows(&tally->grouping, operations);
}

/* The same, of whole runs: with the rank of each percentile. */
static bool whole_runs_do(const struct p11prof_scan_runs *runs, const struct p11prof_tally *tally,
                          bool operations)
{
    for (size_t i = 0; i < runs->run_count; i++)
        if (runs->conditions[i].of_window)
            return false;
    return histograms_do(runs, tally, operations) &&
           !p11prof_grouping_needs_windows(&tally->grouping);
}

static void clear_tallies(struct p11prof_scan *scan)
{
    p11prof_tally_clear(&scan->calls);
    p11prof_tally_clear(&scan->operations);
    p11prof_tally_clear(&scan->loads);
}

static enum p11prof_status add_groups(const struct p11prof_scan_runs *runs,
                                      struct p11prof_tally *tally, bool operations,
                                      struct p11prof_error *error)
{
    enum p11prof_status status = P11PROF_OK;
    for (size_t i = 0; i < runs->run_count && tally->grouping.count > 0 && status == P11PROF_OK;
         i++)
        status = p11prof_scan_groups(runs, i, tally, operations, error);
    return status;
}

static enum p11prof_status complain_missing(const struct p11prof_scan_runs *runs,
                                            const struct p11prof_dimension *missing,
                                            struct p11prof_error *error)
{
    return p11prof_error_set(error, P11PROF_BAD_INPUT,
                             "the calls of run %lld are not kept one by one (or are more than "
                             "%d): --by %s needs them",
                             (long long)runs->run_ids[0], P11PROF_SCAN_ROWS_MAX, missing->name);
}

/* Dimensions that need rows stand at the end. */
static void drop_what_needs_rows(struct p11prof_grouping *grouping)
{
    while (p11prof_grouping_needs_rows(grouping, true))
        grouping->count--;
}

static enum p11prof_status scan_histograms(const struct p11prof_scan_runs *runs,
                                           struct p11prof_error *error)
{
    struct p11prof_scan *scan = runs->scan;
    const struct p11prof_dimension *missing =
        p11prof_grouping_needs_rows(&scan->calls.grouping, false);
    if (missing)
        return complain_missing(runs, missing, error);
    clear_tallies(scan);
    drop_what_needs_rows(&scan->loads.grouping);
    scan->exact = false;
    scan->calls_unknown = !histograms_do(runs, &scan->calls, false);
    scan->operations_unknown = !histograms_do(runs, &scan->operations, true);
    if ((!scan->calls_unknown && add_groups(runs, &scan->calls, false, error) != P11PROF_OK) ||
        (!scan->operations_unknown &&
         (add_groups(runs, &scan->operations, true, error) != P11PROF_OK ||
          add_groups(runs, &scan->loads, true, error) != P11PROF_OK)))
        return error->status;
    if (scan->calls_unknown && scan->operations_unknown)
        return p11prof_error_set(error, P11PROF_BAD_INPUT,
                                 "the calls of run %lld are not kept one by one, and its "
                                 "histograms do not tell apart what is selected",
                                 (long long)runs->run_ids[0]);
    return P11PROF_OK;
}

/* Operations of loads, row by row. */
static enum p11prof_status scan_loads(const struct p11prof_scan_runs *runs,
                                      struct p11prof_error *error)
{
    struct p11prof_scan loads = *runs->scan;
    struct p11prof_scan_runs of_loads = *runs;
    uint64_t found;
    of_loads.scan = &loads;
    loads.calls = loads.operations = (struct p11prof_tally){.groups = NULL};
    enum p11prof_status status = p11prof_scan_rows(&of_loads, &found, error);
    runs->scan->loads = loads.loads;
    return status;
}

/* *agreed: it could be done this way. */
static enum p11prof_status scan_quickly(const struct p11prof_scan_runs *runs, bool *agreed,
                                        struct p11prof_error *error)
{
    if (add_groups(runs, &runs->scan->calls, false, error) != P11PROF_OK ||
        add_groups(runs, &runs->scan->operations, true, error) != P11PROF_OK ||
        p11prof_scan_percentiles(runs, agreed, error) != P11PROF_OK)
        return error->status;
    return *agreed && runs->scan->loads.grouping.count > 0 ? scan_loads(runs, error) : P11PROF_OK;
}

static enum p11prof_status scan_all(const struct p11prof_scan_runs *runs,
                                    const struct counts *counts, struct p11prof_error *error)
{
    struct p11prof_scan *scan = runs->scan;
    bool all = !scan->selection || p11prof_selection_is_all(scan->selection), agreed = false;
    uint64_t found = 0;
    if (counts->loads == 0)
        scan->loads.grouping.count = 0;
    if (!has_all_rows(counts, runs->row_count) || runs->row_count > P11PROF_SCAN_ROWS_MAX)
        return scan_histograms(runs, error);
    scan->exact = true;
    if (whole_runs_do(runs, &scan->calls, false) && whole_runs_do(runs, &scan->operations, true) &&
        scan_quickly(runs, &agreed, error) != P11PROF_OK)
        return error->status;
    if (agreed)
        return P11PROF_OK;
    clear_tallies(scan);
    if (p11prof_scan_rows(runs, &found, error) != P11PROF_OK)
        return error->status;
    return all && scan->calls.grouping.count > 0 && found != (uint64_t)counts->calls
               ? scan_histograms(runs, error)
               : P11PROF_OK;
}

static enum p11prof_status load_texts(struct p11prof_scan *scan, struct sqlite3 *db, int64_t run_id,
                                      struct p11prof_error *error)
{
    const struct p11prof_grouping *groupings[] = {&scan->calls.grouping, &scan->operations.grouping,
                                                  &scan->loads.grouping};
    for (size_t id = 0; id < P11PROF_DIMENSIONS; id++) {
        bool used = false;
        for (size_t i = 0; i < sizeof groupings / sizeof groupings[0]; i++)
            used = used || p11prof_grouping_has(groupings[i], (enum p11prof_dimension_id)id);
        if (used && p11prof_dimension_has_texts((enum p11prof_dimension_id)id) &&
            p11prof_texts_load(&scan->texts, (enum p11prof_dimension_id)id, db, run_id, error) !=
                P11PROF_OK)
            return error->status;
    }
    return P11PROF_OK;
}

enum p11prof_status p11prof_scan_runs(struct p11prof_scan *scan, struct sqlite3 *db,
                                      const int64_t *run_ids, size_t run_count,
                                      struct p11prof_error *error)
{
    struct counts counts = {.calls = 0};
    struct p11prof_condition *conditions = p11prof_zalloc(run_count, sizeof *conditions);
    struct p11prof_scan_runs runs = {.scan = scan,
                                     .db = db,
                                     .run_ids = run_ids,
                                     .conditions = conditions,
                                     .run_count = run_count};
    enum p11prof_status status =
        p11prof_row_scan_count(db, run_ids, run_count, &runs.row_count, error);
    for (size_t i = 0; i < run_count && status == P11PROF_OK; i++) {
        status = p11prof_selection_resolve(scan->selection, db, run_ids[i], &conditions[i], error);
        if (status == P11PROF_OK)
            status = load_texts(scan, db, run_ids[i], error);
        if (status == P11PROF_OK)
            status = count(db, run_ids[i], &counts, error);
    }
    if (status == P11PROF_OK)
        status = scan_all(&runs, &counts, error);
    for (size_t i = 0; i < run_count; i++)
        p11prof_condition_clear(&conditions[i]);
    free(conditions);
    return status;
}

void p11prof_scan_clear(struct p11prof_scan *scan)
{
    clear_tallies(scan);
    p11prof_texts_clear(&scan->texts);
}
