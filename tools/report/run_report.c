/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "run_report.h"
#include "live_calls.h"
#include "query.h"
#include "stats_table.h"
#include "writer.h"

#include <sqlite3.h>

static const struct p11prof_grouping operation_grouping = {
    {P11PROF_BY_OPERATION, P11PROF_BY_MECHANISM, P11PROF_BY_KEY_TYPE, P11PROF_BY_KEY_BITS}, 4};

static enum p11prof_status load_tables(struct p11prof_run_report *out, struct sqlite3 *db,
                                       int64_t run_id, struct p11prof_error *error)
{
    const struct {
        struct p11prof_table *table;
        const char *sql;
    } queries[] = {
        {&out->run, "SELECT * FROM runs WHERE run_id = ?1"},
        {&out->processes, "SELECT * FROM processes WHERE run_id = ?1 ORDER BY process_id"},
        {&out->errors, "SELECT run_id, function, rv, rv_code, count, total_ns, mean_ns, min_ns, "
                       "max_ns FROM errors WHERE run_id = ?1 ORDER BY count DESC, function, rv"},
        {&out->losses, "SELECT run_id, cause, function, sum(count) AS count FROM losses "
                       "WHERE run_id = ?1 GROUP BY cause, function ORDER BY count DESC"},
        {&out->in_flight,
         "SELECT i.run_id, p.pid, p.program, i.thread_id, i.function, i.age_ns, 'ended' AS state "
         "FROM in_flight AS i JOIN processes AS p ON p.process_id = i.process_id "
         "WHERE i.run_id = ?1"},
    };
    for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++)
        if (p11prof_query_table(db, queries[i].sql, run_id, queries[i].table, error) != P11PROF_OK)
            return error->status;
    return P11PROF_OK;
}

static enum p11prof_status load_runs(struct p11prof_run_report *out, struct sqlite3 *db,
                                     const struct p11prof_run_set *runs,
                                     struct p11prof_error *error)
{
    for (size_t i = 0; i < runs->run_count; i++) {
        if (load_tables(out, db, runs->run_ids[i], error) != P11PROF_OK)
            return error->status;
        if (out->run.row_count == i)
            return p11prof_error_set(error, P11PROF_BAD_INPUT, "there is no run %lld",
                                     (long long)runs->run_ids[i]);
    }
    return P11PROF_OK;
}

/* The time in which the runs ran: rates are by it. */
static uint64_t duration_of(const struct p11prof_run_report *report)
{
    uint64_t duration_ns = 0;
    for (size_t i = 0; i < report->run.row_count; i++)
        duration_ns += (uint64_t)p11prof_table_integer(&report->run, i, "duration_ns", 0);
    return duration_ns;
}

static enum p11prof_status set_tables(struct p11prof_run_report *out,
                                      const struct p11prof_scan *scan, struct sqlite3 *db,
                                      const struct p11prof_run_set *runs,
                                      struct p11prof_error *error)
{
    int64_t run_id = runs->run_count == 1 ? runs->run_ids[0] : -1;
    enum p11prof_status status =
        p11prof_stats_tables(scan, run_id, db, &out->functions, &out->others, error);
    if (status == P11PROF_OK)
        status = p11prof_results_table(scan, run_id, db, duration_of(out), &out->operations, error);
    for (size_t i = 0; i < runs->run_count && status == P11PROF_OK; i++)
        status = p11prof_bench_results_load(&out->results, scan, db, runs->run_ids[i], error);
    return status;
}

static enum p11prof_status load_stats(struct p11prof_run_report *out, struct sqlite3 *db,
                                      const struct p11prof_run_set *runs,
                                      const struct p11prof_report_options *options,
                                      struct p11prof_error *error)
{
    struct p11prof_scan scan = {
        .selection = &options->selection,
        .calls.grouping = options->by.count ? options->by : p11prof_default_grouping,
        .operations.grouping = operation_grouping,
        .loads.grouping = p11prof_load_grouping,
    };
    enum p11prof_status status =
        p11prof_scan_runs(&scan, db, runs->run_ids, runs->run_count, error);
    if (status == P11PROF_OK)
        status = set_tables(out, &scan, db, runs, error);
    if (status == P11PROF_OK && out->selected && scan.calls.group_count == 0 &&
        scan.operations.group_count == 0)
        status =
            p11prof_selection_empty(&options->selection, db, runs->run_ids, runs->run_count, error);
    out->exact = scan.exact;
    out->calls_unknown = scan.calls_unknown;
    out->operations_unknown = scan.operations_unknown;
    p11prof_scan_clear(&scan);
    return status;
}

/* The same columns as those of all errors, of failed calls that are selected. */
static enum p11prof_status load_selected_errors(struct p11prof_run_report *out, struct sqlite3 *db,
                                                const struct p11prof_run_set *runs,
                                                const struct p11prof_report_options *options,
                                                struct p11prof_error *error)
{
    static const struct p11prof_grouping by_result = {{P11PROF_BY_FUNCTION, P11PROF_BY_RV}, 2};
    struct p11prof_selection selection = options->selection;
    struct p11prof_scan scan = {.selection = &selection, .calls.grouping = by_result};
    struct p11prof_table ignored = {.columns = NULL};
    p11prof_table_clear(&out->errors);
    if (!out->exact || !p11prof_selection_add(&selection, P11PROF_BY_RV, "failed"))
        return P11PROF_OK;
    enum p11prof_status status =
        p11prof_scan_runs(&scan, db, runs->run_ids, runs->run_count, error);
    if (status == P11PROF_OK)
        status = p11prof_stats_tables(&scan, runs->run_count == 1 ? runs->run_ids[0] : -1, db,
                                      &out->errors, &ignored, error);
    p11prof_table_sort(&out->errors, "count");
    p11prof_table_clear(&ignored);
    p11prof_scan_clear(&scan);
    return status;
}

/* Time in the module, calls that wait left out as in `share`. */
static uint64_t time_in_module(const struct p11prof_table *table)
{
    uint64_t total_ns = 0;
    for (size_t i = 0; i < table->row_count; i++)
        if (p11prof_table_get(table, i, "share")->kind != P11PROF_CELL_NULL)
            total_ns += (uint64_t)p11prof_table_integer(table, i, "total_ns", 0);
    return total_ns;
}

static void order(struct p11prof_table *table, const struct p11prof_report_options *options)
{
    p11prof_table_sort(table, "total_ns");
    if (options->sort)
        p11prof_table_sort(table, options->sort);
    if (options->top > 0)
        p11prof_table_cut(table, options->top);
}

static void add_live_calls(struct p11prof_run_report *out,
                           const struct p11prof_report_options *options)
{
    for (size_t i = 0; i < out->run.row_count; i++) {
        const char *uuid = p11prof_table_text(&out->run, i, "uuid", "");
        int64_t run_id = p11prof_table_integer(&out->run, i, "run_id", 0);
        p11prof_live_calls(&out->in_flight, NULL, uuid, run_id);
        if (options->spool_folder && options->spool_folder[0])
            p11prof_live_calls(&out->in_flight, options->spool_folder, uuid, run_id);
    }
}

enum p11prof_status p11prof_run_report_load(struct p11prof_run_report *out, struct sqlite3 *db,
                                            const struct p11prof_run_set *runs,
                                            const struct p11prof_report_options *options,
                                            struct p11prof_error *error)
{
    out->selected = !p11prof_selection_is_all(&options->selection);
    sqlite3_exec(db, "BEGIN", NULL, NULL, NULL);
    enum p11prof_status status = load_runs(out, db, runs, error);
    if (status == P11PROF_OK)
        status = load_stats(out, db, runs, options, error);
    if (status == P11PROF_OK && out->selected)
        status = load_selected_errors(out, db, runs, options, error);
    sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    if (status != P11PROF_OK)
        return status;
    out->module_ns = time_in_module(&out->functions) + time_in_module(&out->others);
    order(&out->functions, options);
    order(&out->others, options);
    order(&out->operations, options);
    add_live_calls(out, options);
    return P11PROF_OK;
}

enum p11prof_status p11prof_run_report_load_one(struct p11prof_run_report *out, struct sqlite3 *db,
                                                int64_t run_id,
                                                const struct p11prof_report_options *options,
                                                struct p11prof_error *error)
{
    struct p11prof_run_set runs = {.run_ids = &run_id, .run_count = 1};
    return p11prof_run_report_load(out, db, &runs, options, error);
}

void p11prof_run_report_clear(struct p11prof_run_report *report)
{
    p11prof_table_clear(&report->run);
    p11prof_table_clear(&report->processes);
    p11prof_table_clear(&report->functions);
    p11prof_table_clear(&report->others);
    p11prof_table_clear(&report->operations);
    p11prof_bench_results_clear(&report->results);
    p11prof_table_clear(&report->errors);
    p11prof_table_clear(&report->losses);
    p11prof_table_clear(&report->in_flight);
}
