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

static enum p11prof_status load_stats(struct p11prof_run_report *out, struct sqlite3 *db,
                                      int64_t run_id, const struct p11prof_report_options *options,
                                      struct p11prof_error *error)
{
    struct p11prof_scan scan = {
        .run_id = run_id,
        .calls.grouping = options->by.count ? options->by : p11prof_default_grouping,
        .operations.grouping = operation_grouping,
        .loads.grouping = p11prof_load_grouping,
    };
    int64_t duration_ns = p11prof_table_integer(&out->run, 0, "duration_ns", 0);
    enum p11prof_status status = p11prof_scan_run(&scan, db, error);
    if (status == P11PROF_OK)
        status = p11prof_stats_tables(&scan, db, &out->functions, &out->others, error);
    if (status == P11PROF_OK)
        status = p11prof_results_table(&scan, db, (uint64_t)duration_ns, &out->operations, error);
    if (status == P11PROF_OK)
        status = p11prof_bench_results_load(&out->results, &scan, db, error);
    out->exact = scan.exact;
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

enum p11prof_status p11prof_run_report_load(struct p11prof_run_report *out, struct sqlite3 *db,
                                            int64_t run_id,
                                            const struct p11prof_report_options *options,
                                            struct p11prof_error *error)
{
    sqlite3_exec(db, "BEGIN", NULL, NULL, NULL);
    enum p11prof_status status = load_tables(out, db, run_id, error);
    if (status == P11PROF_OK && out->run.row_count == 0)
        status =
            p11prof_error_set(error, P11PROF_BAD_INPUT, "there is no run %lld", (long long)run_id);
    if (status == P11PROF_OK)
        status = load_stats(out, db, run_id, options, error);
    sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    if (status != P11PROF_OK)
        return status;
    out->module_ns = time_in_module(&out->functions) + time_in_module(&out->others);
    order(&out->functions, options);
    order(&out->others, options);
    order(&out->operations, options);
    const char *uuid = p11prof_table_text(&out->run, 0, "uuid", "");
    p11prof_live_calls(&out->in_flight, NULL, uuid, run_id);
    if (options->spool_folder && options->spool_folder[0])
        p11prof_live_calls(&out->in_flight, options->spool_folder, uuid, run_id);
    return P11PROF_OK;
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
