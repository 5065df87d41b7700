/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "run_report.h"
#include "imported.h"
#include "live_calls.h"
#include "query.h"
#include "redact.h"
#include "report_parts.h"
#include "row_scan.h"
#include "run_times.h"
#include "run_windows.h"
#include "slo.h"
#include "startup.h"
#include "stats_table.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

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
        {&out->errors,
         "SELECT run_id, function, rv, rv_code, count, total_ns, mean_ns, min_ns, "
         "max_ns, NULL AS meaning FROM errors WHERE run_id = ?1 ORDER BY function, rv"},
        {&out->losses, "SELECT run_id, cause, function, sum(count) AS count FROM losses "
                       "WHERE run_id = ?1 GROUP BY cause, function"},
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

/* The time that rates are of. */
static uint64_t duration_of(const struct p11prof_run_report *report,
                            const struct p11prof_selection *selection)
{
    uint64_t duration_ns = 0;
    for (size_t i = 0; i < report->run.row_count; i++)
        duration_ns +=
            p11prof_moments_overlap_ns(&selection->since, &selection->until,
                                       p11prof_table_integer(&report->run, i, "start_wall_ns", 0),
                                       p11prof_table_integer(&report->run, i, "duration_ns", 0));
    return duration_ns;
}

static enum p11prof_status set_tables(struct p11prof_run_report *out,
                                      const struct p11prof_scan *scan, struct sqlite3 *db,
                                      const struct p11prof_run_set *runs, bool windows,
                                      struct p11prof_error *error)
{
    int64_t run_id = runs->run_count == 1 ? runs->run_ids[0] : -1;
    enum p11prof_status status =
        p11prof_stats_tables(scan, run_id, db, &out->functions, &out->others, error);
    if (status == P11PROF_OK)
        status = p11prof_results_table(scan, run_id, db, duration_of(out, scan->selection),
                                       &out->operations, error);
    if (status == P11PROF_OK && windows)
        status = p11prof_run_windows_set(out, scan, db, runs, error);
    for (size_t i = 0; i < runs->run_count && status == P11PROF_OK; i++)
        status = p11prof_bench_results_load(&out->results, scan, db, runs->run_ids[i], error);
    for (size_t i = 0; i < runs->run_count && status == P11PROF_OK; i++)
        status = p11prof_stress_load(&out->stress, db, runs->run_ids[i], error);
    for (size_t i = 0; i < runs->run_count && !out->selected && status == P11PROF_OK; i++)
        status = p11prof_ramp_load(&out->ramps, &out->results.loads, db, runs->run_ids[i], error);
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
        status = set_tables(out, &scan, db, runs, options->windows, error);
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

static enum p11prof_status load_startup(struct p11prof_run_report *out, struct sqlite3 *db,
                                        const struct p11prof_run_set *runs,
                                        struct p11prof_error *error)
{
    enum p11prof_status status = P11PROF_OK;
    p11prof_table_add_columns(&out->startup, P11PROF_STARTUP_COLUMNS);
    for (size_t i = 0; i < runs->run_count && !out->selected && status == P11PROF_OK; i++)
        status = p11prof_startup_load(&out->startup, db, runs->run_ids[i], error);
    return status;
}

/* Those that were asked for, or all of a profile that is small enough. */
static enum p11prof_status load_insights(struct p11prof_run_report *out, struct sqlite3 *db,
                                         const struct p11prof_run_set *runs,
                                         const struct p11prof_report_options *options,
                                         struct p11prof_error *error)
{
    unsigned wanted = options->insights;
    uint64_t row_count = 0;
    enum p11prof_status status = P11PROF_OK;
    if (options->results_only || runs->run_count != 1 ||
        (!wanted && p11prof_run_report_is_bench(out)))
        return P11PROF_OK;
    if (!wanted)
        status = p11prof_row_scan_count(db, runs->run_ids, 1, &row_count, error);
    if (row_count > P11PROF_INSIGHT_ROWS_MAX) {
        out->uninspected_count = row_count;
        return status;
    }
    for (unsigned i = 0; i < P11PROF_INSIGHTS && status == P11PROF_OK; i++) {
        out->insights[i].redact = options->redact;
        if (!wanted || wanted & 1U << i)
            status = p11prof_insight_load(&out->insights[i], (enum p11prof_insight)i, db,
                                          runs->run_ids[0], &options->selection,
                                          wanted != 0 || options->insights_full, error);
    }
    return status;
}

static void count_untimed(struct p11prof_run_report *out, struct sqlite3 *db,
                          const struct p11prof_run_set *runs)
{
    char untimed[P11PROF_UNTIMED_BYTES];
    for (size_t i = 0; i < runs->run_count; i++)
        out->untimed_count += p11prof_run_is_untimed(db, runs->run_ids[i], untimed);
}

static enum p11prof_status load_all(struct p11prof_run_report *out, struct sqlite3 *db,
                                    const struct p11prof_run_set *runs,
                                    const struct p11prof_report_options *options,
                                    struct p11prof_error *error)
{
    if (load_runs(out, db, runs, error) != P11PROF_OK ||
        load_stats(out, db, runs, options, error) != P11PROF_OK ||
        load_startup(out, db, runs, error) != P11PROF_OK ||
        load_insights(out, db, runs, options, error) != P11PROF_OK ||
        p11prof_run_times_load(out, db, error) != P11PROF_OK)
        return error->status;
    count_untimed(out, db, runs);
    if (out->selected && p11prof_report_errors_select(out, db, runs, options, error) != P11PROF_OK)
        return error->status;
    p11prof_report_errors_explain(out);
    return P11PROF_OK;
}

/* Takes out of all tables what others need not know. */
static enum p11prof_status redact(struct p11prof_run_report *out, struct sqlite3 *db,
                                  struct p11prof_error *error)
{
    struct p11prof_redaction redaction = {.texts = {{.columns = NULL}}};
    struct p11prof_table *const tables[] = {&out->run,    &out->processes,  &out->functions,
                                            &out->others, &out->operations, &out->errors,
                                            &out->losses, &out->in_flight,  &out->startup};
    enum p11prof_status status = p11prof_redaction_load(&redaction, db, error);
    for (size_t i = 0; i < sizeof tables / sizeof tables[0] && status == P11PROF_OK; i++)
        p11prof_redact_table(&redaction, tables[i]);
    if (status == P11PROF_OK) {
        p11prof_redact_suites(&redaction, &out->results.loads);
        p11prof_redact_suites(&redaction, &out->results.suites);
    }
    for (size_t i = 0; i < P11PROF_INSIGHTS && status == P11PROF_OK; i++)
        for (size_t j = 0; j < out->insights[i].table_count; j++)
            p11prof_redact_table(&redaction, &out->insights[i].tables[j].table);
    p11prof_redact_reasons(&out->results.skipped);
    p11prof_redaction_clear(&redaction);
    return status;
}

static enum p11prof_status load_objectives(struct p11prof_run_report *out, struct sqlite3 *db,
                                           const struct p11prof_run_set *runs,
                                           const struct p11prof_report_options *options,
                                           struct p11prof_error *error)
{
    if (!options->objectives)
        return P11PROF_OK;
    enum p11prof_status status = p11prof_objectives_check(
        options->objectives, db, runs, &options->selection, &out->objectives, error);
    if (!options->missed)
        return status;
    if (options->missed->column_count == 0)
        p11prof_table_add_columns(options->missed, "objective value limit missed_by");
    for (size_t i = 0; i < out->objectives.row_count; i++)
        if (strcmp(p11prof_table_text(&out->objectives, i, "verdict", ""), "missed") == 0)
            p11prof_table_copy_row(options->missed, p11prof_table_add_row(options->missed),
                                   &out->objectives, i);
    return status;
}

enum p11prof_status p11prof_run_report_load(struct p11prof_run_report *out, struct sqlite3 *db,
                                            const struct p11prof_run_set *runs,
                                            const struct p11prof_report_options *options,
                                            struct p11prof_error *error)
{
    out->selected = !p11prof_selection_is_all(&options->selection);
    if (out->selected)
        out->selection = p11prof_selection_text(&options->selection, options->redact);
    sqlite3_exec(db, "BEGIN", NULL, NULL, NULL);
    enum p11prof_status status = load_all(out, db, runs, options, error);
    if (status == P11PROF_OK)
        status = load_objectives(out, db, runs, options, error);
    sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    if (status != P11PROF_OK)
        return status;
    add_live_calls(out, options);
    p11prof_report_order(out, options);
    return options->redact ? redact(out, db, error) : P11PROF_OK;
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
    p11prof_stress_clear(&report->stress);
    p11prof_ramps_clear(&report->ramps);
    p11prof_table_clear(&report->errors);
    p11prof_table_clear(&report->losses);
    p11prof_table_clear(&report->in_flight);
    p11prof_table_clear(&report->times);
    p11prof_table_clear(&report->startup);
    p11prof_table_clear(&report->objectives);
    for (size_t i = 0; i < P11PROF_INSIGHTS; i++)
        p11prof_section_clear(&report->insights[i]);
    free(report->selection);
}

void p11prof_run_report_columns(struct p11prof_table *out, const struct p11prof_grouping *by)
{
    struct p11prof_table all = {.columns = NULL};
    p11prof_stats_columns(&all, by);
    p11prof_table_add_columns(&all, P11PROF_RESULT_COLUMNS " " P11PROF_ERROR_COLUMNS
                                                           " " P11PROF_LOSS_COLUMNS
                                                           " " P11PROF_IN_FLIGHT_COLUMNS);
    for (size_t i = 0; i < all.column_count; i++)
        if (all.columns[i].type != P11PROF_TYPE_JSON &&
            p11prof_table_find(out, all.columns[i].name) == out->column_count)
            p11prof_table_add_columns(out, all.columns[i].name);
    p11prof_table_clear(&all);
}
