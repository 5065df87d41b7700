/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "run_times.h"
#include "query.h"
#include "run_report.h"

#include <string.h>

static const char threads_sql[] =
    "SELECT count(*) AS thread_count, sum(in_module_ns) AS in_module_ns, "
    "sum(waiting_ns) AS waiting_ns, sum(between_ns) AS between_ns "
    "FROM threads WHERE run_id = ?1";

static int64_t sum(const struct p11prof_table *table, const char *column)
{
    int64_t total = 0;
    for (size_t i = 0; i < table->row_count; i++)
        total += p11prof_table_integer(table, i, column, 0);
    return total;
}

/* Time of the calls of a kind; *count is added to. */
static int64_t time_of_kind(const struct p11prof_table *table, const char *kind, int64_t *count)
{
    int64_t total_ns = 0;
    for (size_t i = 0; i < table->row_count; i++) {
        if (strcmp(p11prof_table_text(table, i, "kind", ""), kind) != 0)
            continue;
        *count += p11prof_table_integer(table, i, "count", 0);
        total_ns += p11prof_table_integer(table, i, "total_ns", 0);
    }
    return total_ns;
}

/* Whether any of the calls has a duration. */
static bool is_timed(const struct p11prof_table *table)
{
    for (size_t i = 0; i < table->row_count; i++)
        if (p11prof_table_get(table, i, "total_ns")->kind != P11PROF_CELL_NULL)
            return true;
    return false;
}

static void set_kinds(struct p11prof_run_report *report, struct p11prof_cell *row,
                      double overhead_ns)
{
    const struct p11prof_table *times = &report->times;
    int64_t count = 0, waits = 0;
    bool timed = is_timed(&report->functions) || is_timed(&report->others);
    int64_t call_ns = time_of_kind(&report->functions, "call", &count);
    int64_t query_ns = time_of_kind(&report->others, "size-query", &count);
    int64_t small_ns = time_of_kind(&report->others, "too-small", &count);
    int64_t blocking_ns = time_of_kind(&report->others, "blocking", &waits);
    report->wait_count = waits;
    p11prof_table_set_integer(times, row, "count", count);
    if (!timed && count + waits > 0)
        return;
    p11prof_table_set_integer(times, row, "total_ns", call_ns + query_ns + small_ns);
    p11prof_table_set_integer(times, row, "size_query_ns", query_ns);
    p11prof_table_set_integer(times, row, "too_small_ns", small_ns);
    p11prof_table_set_integer(times, row, "blocking_ns", blocking_ns);
    if (overhead_ns >= 0)
        p11prof_table_set_integer(times, row, "measuring_ns",
                                  (int64_t)(overhead_ns * (double)count + 0.5));
}

/* The mean over the calls of the processes; -1: unknown. */
static double overhead(const struct p11prof_table *processes)
{
    double total_ns = 0, count = 0;
    for (size_t i = 0; i < processes->row_count; i++) {
        int64_t ns = p11prof_table_integer(processes, i, "overhead_ns", -1);
        double calls = (double)p11prof_table_integer(processes, i, "call_count", 0);
        total_ns += ns >= 0 ? (double)ns * calls : 0;
        count += ns >= 0 ? calls : 0;
    }
    return count > 0 ? total_ns / count : -1;
}

static void set_totals(struct p11prof_run_report *report, struct p11prof_cell *row)
{
    const struct p11prof_table *times = &report->times;
    int64_t duration_ns = sum(&report->run, "duration_ns");
    int64_t call_count = sum(&report->run, "call_count");
    double overhead_ns = overhead(&report->processes);
    p11prof_table_set_integer(times, row, "duration_ns", duration_ns);
    p11prof_table_set_integer(times, row, "call_count", call_count);
    if (duration_ns > 0)
        p11prof_table_set_real(times, row, "calls_per_s",
                               (double)call_count / ((double)duration_ns / 1e9));
    if (overhead_ns >= 0)
        p11prof_table_set_integer(times, row, "overhead_ns", (int64_t)(overhead_ns + 0.5));
    if (!report->calls_unknown)
        set_kinds(report, row, overhead_ns);
}

static enum p11prof_status set_threads(const struct p11prof_run_report *report,
                                       struct p11prof_cell *row, struct sqlite3 *db,
                                       struct p11prof_error *error)
{
    static const char *const columns[] = {"thread_count", "in_module_ns", "waiting_ns",
                                          "between_ns"};
    struct p11prof_table threads = {.columns = NULL};
    enum p11prof_status status = P11PROF_OK;
    bool known = !report->selected;
    for (size_t i = 0; i < report->run.row_count && status == P11PROF_OK && known; i++) {
        status = p11prof_query_table(
            db, threads_sql, p11prof_table_integer(&report->run, i, "run_id", -1), &threads, error);
        known = p11prof_table_integer(&threads, i, "thread_count", 0) > 0;
    }
    for (size_t i = 0; i < sizeof columns / sizeof columns[0] && status == P11PROF_OK && known; i++)
        p11prof_table_set_integer(&report->times, row, columns[i], sum(&threads, columns[i]));
    p11prof_table_clear(&threads);
    return status;
}

enum p11prof_status p11prof_run_times_load(struct p11prof_run_report *report, struct sqlite3 *db,
                                           struct p11prof_error *error)
{
    struct p11prof_table *times = &report->times;
    p11prof_table_add_columns(times, P11PROF_TIMES_COLUMNS);
    struct p11prof_cell *row = p11prof_table_add_row(times);
    if (report->run.row_count == 1)
        p11prof_table_set_integer(times, row, "run_id",
                                  p11prof_table_integer(&report->run, 0, "run_id", -1));
    set_totals(report, row);
    return set_threads(report, row, db, error);
}
