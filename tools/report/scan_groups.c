/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Tallies from the histograms that the database keeps, of whole runs or of windows. */
#include "allocate.h"
#include "query.h"
#include "scan_key.h"
#include "scan_ways.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

enum column {
    COLUMN_ID,
    COLUMN_COUNT,
    COLUMN_SUCCESSES,
    COLUMN_ERRORS,
    COLUMN_UNDISCLOSED,
    COLUMN_SUM,
    COLUMN_ERROR_SUM,
    COLUMN_SQUARES,
    COLUMN_MIN,
    COLUMN_MAX,
    COLUMN_IN,
    COLUMN_OUT,
    COLUMN_DIMENSIONS,
};

static char *make_sql(const struct p11prof_condition *condition,
                      const struct p11prof_grouping *grouping, bool operations, bool windows)
{
    const char *of = windows ? "w" : "g";
    char *sql;
    size_t bytes;
    FILE *stream = p11prof_text_open(&sql, &bytes);
    fprintf(stream,
            "SELECT %1$s.id, %1$s.count, %1$s.success_count, %1$s.error_count, "
            "%1$s.undisclosed_count, %1$s.sum_ns, %1$s.error_sum_ns, %1$s.sum_squares, "
            "%1$s.min_ns, %1$s.max_ns, %1$s.in_bytes, %1$s.out_bytes",
            of);
    p11prof_scan_key_columns(stream, grouping,
                             operations ? P11PROF_SCAN_OPERATION : P11PROF_SCAN_GROUP);
    fprintf(stream, " FROM call_group AS g%s WHERE g.run = ?1 AND coalesce(?2, 0) IS NOT NULL",
            windows ? " JOIN group_window AS w ON w.call_group = g.id" : "");
    fprintf(stream, " AND %s%s", operations ? "g.is_operation" : "NOT g.is_operation",
            operations ? condition->of_operation : condition->of_group);
    if (operations && !p11prof_grouping_has(grouping, P11PROF_BY_PART))
        fputs(" AND (g.part = 0 OR g.part & 3)", stream); /* without service times */
    fclose(stream);
    return sql;
}

static uint64_t number(sqlite3_stmt *row, int column)
{
    return (uint64_t)sqlite3_column_int64(row, column);
}

static void add_sums(struct p11prof_tally_group *group, sqlite3_stmt *row)
{
    struct p11prof_sums sums = {.count = number(row, COLUMN_SUCCESSES),
                                .sum_ns = number(row, COLUMN_SUM),
                                .min_ns = number(row, COLUMN_MIN),
                                .max_ns = number(row, COLUMN_MAX),
                                .sum_squares = sqlite3_column_double(row, COLUMN_SQUARES)};
    p11prof_sums_add(&group->sums, &sums);
    group->count += number(row, COLUMN_COUNT);
    group->error_count += number(row, COLUMN_ERRORS);
    group->undisclosed_count += number(row, COLUMN_UNDISCLOSED);
    group->total_ns += sums.sum_ns + number(row, COLUMN_ERROR_SUM);
    group->in_bytes += number(row, COLUMN_IN);
    group->out_bytes += number(row, COLUMN_OUT);
}

static enum p11prof_status add_buckets(struct p11prof_tally_group *group, sqlite3_stmt *buckets,
                                       int64_t id, struct p11prof_error *error)
{
    int result;
    sqlite3_reset(buckets);
    sqlite3_bind_int64(buckets, 1, id);
    while ((result = sqlite3_step(buckets)) == SQLITE_ROW)
        p11prof_buckets_add(&group->buckets, number(buckets, 0), number(buckets, 1));
    if (result == SQLITE_DONE)
        return P11PROF_OK;
    return p11prof_error_set(error, P11PROF_FAILED, "the histograms cannot be read: %s",
                             sqlite3_errmsg(sqlite3_db_handle(buckets)));
}

static enum p11prof_status take_group(const struct p11prof_scan_runs *runs, size_t run,
                                      struct p11prof_tally *tally, sqlite3_stmt *row,
                                      sqlite3_stmt *buckets, struct p11prof_error *error)
{
    struct p11prof_scan_place place = {.run_id = runs->run_ids[run]};
    struct p11prof_key key;
    p11prof_scan_key(&key, &tally->grouping, &runs->scan->texts, &place, row, COLUMN_DIMENSIONS);
    struct p11prof_tally_group *group = p11prof_tally_find(tally, &key);
    add_sums(group, row);
    return add_buckets(group, buckets, sqlite3_column_int64(row, COLUMN_ID), error);
}

static enum p11prof_status take_groups(const struct p11prof_scan_runs *runs, size_t run,
                                       struct p11prof_tally *tally, const char *sql,
                                       const char *buckets_sql, struct p11prof_error *error)
{
    sqlite3_stmt *groups, *buckets;
    enum p11prof_status status = P11PROF_OK;
    int result = SQLITE_ROW;
    if (p11prof_query_prepare(runs->db, sql, runs->run_ids[run], &groups, error) != P11PROF_OK)
        return error->status;
    sqlite3_bind_int64(groups, 2, runs->conditions[run].start_wall_ns);
    if (p11prof_query_prepare(runs->db, buckets_sql, 0, &buckets, error) != P11PROF_OK) {
        sqlite3_finalize(groups);
        return error->status;
    }
    while (status == P11PROF_OK && (result = sqlite3_step(groups)) == SQLITE_ROW)
        status = take_group(runs, run, tally, groups, buckets, error);
    sqlite3_finalize(buckets);
    if (status == P11PROF_OK)
        return p11prof_query_end(groups, result, error);
    sqlite3_finalize(groups);
    return status;
}

enum p11prof_status p11prof_scan_groups(const struct p11prof_scan_runs *runs, size_t run,
                                        struct p11prof_tally *tally, bool operations,
                                        struct p11prof_error *error)
{
    const struct p11prof_condition *condition = &runs->conditions[run];
    bool windows = condition->of_window || p11prof_grouping_needs_windows(&tally->grouping);
    char *sql = make_sql(condition, &tally->grouping, operations, windows);
    enum p11prof_status status =
        take_groups(runs, run, tally, sql,
                    windows ? "SELECT low_ns, count FROM window_bucket WHERE group_window = ?1"
                            : "SELECT low_ns, count FROM group_bucket WHERE call_group = ?1",
                    error);
    free(sql);
    return status;
}
