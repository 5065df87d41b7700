/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "allocate.h"
#include "metrics_parts.h"
#include "query.h"
#include "run_report.h"
#include "stats_table.h"
#include "window_read.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define LOAD_COLUMNS P11PROF_RESULT_COLUMNS " token sum_ns"
#define LOAD_CALL_COLUMNS                                                                          \
    "test token operation mechanism key_type key_bits data_bytes threads processes weight suite "  \
    "step rate arrivals think_time_ns function kind calls errors"

#define OF_RUN        "coalesce(r.program, '') AS program, coalesce(r.token_label, '') AS token"
#define OF_KEY        "s.mechanism, s.key_type, s.key_bits"
#define TOTAL(column) "CAST(total(s." column ") AS INTEGER)"
#define SUM(column)   TOTAL(column) " AS " column
#define COUNTS        SUM("count") ", " SUM("error_count") ", " SUM("in_bytes") ", " SUM("out_bytes")
#define BUCKETS                                                                                    \
    "group_concat((SELECT group_concat(b.low_ns || ' ' || b.high_ns || ' ' || b.count, ' ') "      \
    "FROM group_bucket AS b WHERE b.call_group = s.group_id), ' ') AS histogram"

/* Groups of several runs that have the same names are one series; their buckets follow each other.
 */
#define SERIES(names, view)                                                                        \
    "SELECT " OF_RUN ", " names ", " OF_KEY ", " COUNTS                                            \
    ", iif(count(s.total_ns) = 0, NULL, " TOTAL(                                                   \
        "sum_ns") ") AS sum_ns, " BUCKETS " FROM " view                                            \
                  " AS s JOIN runs AS r USING (run_id) WHERE " P11PROF_IS_APPLICATION(             \
                      "r.kind", "r.run_id") " "                                                    \
                                            "AND run_id IN (%s) GROUP BY 1, 2, " names ", " OF_KEY \
                                            " ORDER BY 1, 2, " names ", " OF_KEY

static const struct {
    enum metrics_table table;
    const char *sql; /* %s: the runs */
} series[] = {
    {METRICS_CALLS, SERIES("s.function, s.kind", "function_stats")},
    {METRICS_OPERATIONS, SERIES("s.operation", "operation_stats")},
    {METRICS_LOST,
     "SELECT " OF_RUN ", s.function, s.cause, " SUM(
         "count") " FROM losses AS s JOIN runs AS r USING (run_id) WHERE run_id IN (%s) "
                  "GROUP BY 1, 2, s.function, s.cause ORDER BY 1, 2, s.function, s.cause"},
};

/* "1,2,3"; the caller frees it. */
static char *list(const int64_t *run_ids, size_t count)
{
    char *text;
    size_t bytes;
    FILE *stream = p11prof_text_open(&text, &bytes);
    for (size_t i = 0; i < count; i++)
        fprintf(stream, "%s%" PRId64, i > 0 ? "," : "", run_ids[i]);
    fclose(stream);
    return text;
}

static enum p11prof_status load_series(struct metrics *out, struct sqlite3 *db,
                                       const int64_t *run_ids, size_t count,
                                       struct p11prof_error *error)
{
    char *runs = list(run_ids, count);
    enum p11prof_status status = P11PROF_OK;
    for (size_t i = 0; i < sizeof series / sizeof *series && status == P11PROF_OK; i++) {
        char *sql;
        size_t bytes;
        FILE *stream = p11prof_text_open(&sql, &bytes);
        fprintf(stream, series[i].sql, runs);
        fclose(stream);
        status = p11prof_query_table(db, sql, 0, &out->tables[series[i].table], error);
        free(sql);
    }
    free(runs);
    return status;
}

/* -1: there is none with a time. */
static enum p11prof_status sum_of(struct sqlite3 *db, int64_t run_id, int64_t load, int64_t *sum_ns,
                                  struct p11prof_error *error)
{
    char sql[192];
    snprintf(
        sql, sizeof sql,
        "SELECT iif(count(total_ns) = 0, -1, CAST(total(sum_ns) AS INTEGER)) FROM operation_stats "
        "WHERE run_id = ?1 "
        "AND load = %" PRId64 " AND phase = 'measured'",
        load);
    return p11prof_query_integer(db, sql, run_id, 0, sum_ns, error);
}

/* Adds the results of a run to those of the runs before it. */
static enum p11prof_status loads_add(struct p11prof_table *out, struct sqlite3 *db, int64_t run_id,
                                     struct p11prof_error *error)
{
    const struct p11prof_report_options options = {.results_only = true};
    struct p11prof_run_report report = {.exact = false};
    enum p11prof_status status = p11prof_run_report_load_one(&report, db, run_id, &options, error);
    const struct p11prof_table *loads = &report.results.loads;
    for (size_t i = 0; status == P11PROF_OK && i < loads->row_count; i++) {
        int64_t sum_ns;
        struct p11prof_cell *row = p11prof_table_add_row(out);
        p11prof_table_copy_row(out, row, loads, i);
        p11prof_table_set_text(out, row, "token",
                               p11prof_table_text(&report.run, 0, "token_label", NULL));
        if (!p11prof_table_text(loads, i, "suite",
                                NULL)) /* only a suite's are what the user wrote */
            p11prof_table_set_text(out, row, "step", "");
        status = sum_of(db, run_id, p11prof_table_integer(loads, i, "load", 0), &sum_ns, error);
        if (status == P11PROF_OK && sum_ns >= 0)
            p11prof_table_set_integer(out, row, "sum_ns", sum_ns);
    }
    p11prof_run_report_clear(&report);
    return status;
}

/* The labels of each row; the caller frees them. */
static char **labels_of(const struct p11prof_table *loads)
{
    char **labels = p11prof_zalloc(loads->row_count + 1, sizeof *labels);
    for (size_t i = 0; i < loads->row_count; i++) {
        size_t bytes;
        FILE *stream = p11prof_text_open(&labels[i], &bytes);
        metrics_labels_write(stream, METRICS_LOADS, loads, i, false);
        fclose(stream);
    }
    return labels;
}

/* Of the rows that would be the same series, the last one. */
static void keep_last(struct p11prof_table *out, const struct p11prof_table *loads)
{
    char **labels = labels_of(loads);
    for (size_t i = 0; i < loads->row_count; i++) {
        size_t later = i + 1;
        while (later < loads->row_count && strcmp(labels[i], labels[later]) != 0)
            later++;
        if (later == loads->row_count)
            p11prof_table_copy_row(out, p11prof_table_add_row(out), loads, i);
    }
    for (size_t i = 0; i < loads->row_count; i++)
        free(labels[i]);
    free(labels);
}

/* The calls of the measured part of a load, with the load's labels. */
static enum p11prof_status load_calls_add(struct metrics *out, struct sqlite3 *db, size_t load,
                                          struct p11prof_error *error)
{
    const struct p11prof_table *loads = &out->tables[METRICS_LOADS];
    struct p11prof_table *table = &out->tables[METRICS_LOAD_CALLS];
    struct p11prof_table calls = {.columns = NULL};
    char sql[320];
    snprintf(sql, sizeof sql,
             "SELECT function, kind, CAST(total(count) AS INTEGER) AS calls, "
             "CAST(total(error_count) AS INTEGER) AS errors FROM function_stats WHERE run_id = ?1 "
             "AND load = %" PRId64 " AND phase = 'measured' GROUP BY function, kind",
             p11prof_table_integer(loads, load, "load", 0));
    enum p11prof_status status = p11prof_query_table(
        db, sql, p11prof_table_integer(loads, load, "run_id", 0), &calls, error);
    for (size_t i = 0; status == P11PROF_OK && i < calls.row_count; i++) {
        struct p11prof_cell *row = p11prof_table_add_row(table);
        p11prof_table_copy_row(table, row, loads, load);
        p11prof_table_set_text(table, row, "function",
                               p11prof_table_text(&calls, i, "function", NULL));
        p11prof_table_set_text(table, row, "kind", p11prof_table_text(&calls, i, "kind", NULL));
        p11prof_table_set_integer(table, row, "calls",
                                  p11prof_table_integer(&calls, i, "calls", 0));
        p11prof_table_set_integer(table, row, "errors",
                                  p11prof_table_integer(&calls, i, "errors", 0));
    }
    p11prof_table_clear(&calls);
    return status;
}

enum p11prof_status metrics_load(struct metrics *out, struct sqlite3 *db, const int64_t *run_ids,
                                 size_t count, struct p11prof_error *error)
{
    struct p11prof_table all = {.columns = NULL};
    struct p11prof_table *loads = &out->tables[METRICS_LOADS];
    enum p11prof_status status = P11PROF_OK;
    p11prof_table_add_columns(&all, LOAD_COLUMNS);
    p11prof_table_add_columns(loads, LOAD_COLUMNS);
    p11prof_table_add_columns(&out->tables[METRICS_LOAD_CALLS], LOAD_CALL_COLUMNS);
    for (size_t i = 0; i < count && status == P11PROF_OK; i++)
        status = loads_add(&all, db, run_ids[i], error);
    if (status == P11PROF_OK)
        keep_last(loads, &all);
    for (size_t i = 0; i < loads->row_count && status == P11PROF_OK; i++)
        status = load_calls_add(out, db, i, error);
    p11prof_table_clear(&all);
    return status == P11PROF_OK ? load_series(out, db, run_ids, count, error) : status;
}

void metrics_clear(struct metrics *metrics)
{
    for (size_t i = 0; i < METRICS_TABLES; i++)
        p11prof_table_clear(&metrics->tables[i]);
}
