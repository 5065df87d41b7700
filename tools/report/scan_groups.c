/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "scan_groups.h"
#include "query.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

enum { SQL_BYTES = 2048 };

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

static void make_sql(char *sql, const struct p11prof_grouping *grouping, bool operations)
{
    strcpy(sql, "SELECT g.id, g.count, g.success_count, g.error_count, g.undisclosed_count, "
                "g.sum_ns, g.error_sum_ns, g.sum_squares, g.min_ns, g.max_ns, g.in_bytes, "
                "g.out_bytes");
    for (size_t i = 0; i < grouping->count; i++) {
        size_t used = strlen(sql);
        snprintf(sql + used, SQL_BYTES - used, ", %s",
                 p11prof_dimensions[grouping->ids[i]].of_group);
    }
    strcat(sql, " FROM call_group AS g WHERE g.run = ?1 AND ");
    strcat(sql, operations ? "g.is_operation" : "NOT g.is_operation");
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
                                       int64_t call_group, struct p11prof_error *error)
{
    int result;
    sqlite3_reset(buckets);
    sqlite3_bind_int64(buckets, 1, call_group);
    while ((result = sqlite3_step(buckets)) == SQLITE_ROW)
        p11prof_buckets_add(&group->buckets, number(buckets, 0), number(buckets, 1));
    if (result == SQLITE_DONE)
        return P11PROF_OK;
    return p11prof_error_set(error, P11PROF_FAILED, "the histograms cannot be read: %s",
                             sqlite3_errmsg(sqlite3_db_handle(buckets)));
}

static enum p11prof_status take_group(struct p11prof_tally *tally, sqlite3_stmt *row,
                                      sqlite3_stmt *buckets, struct p11prof_error *error)
{
    struct p11prof_key key = {.known = 0};
    for (size_t i = 0; i < tally->grouping.count; i++) {
        int column = COLUMN_DIMENSIONS + (int)i;
        key.values[i] = sqlite3_column_int64(row, column);
        if (sqlite3_column_type(row, column) != SQLITE_NULL)
            key.known |= 1U << i;
    }
    struct p11prof_tally_group *group = p11prof_tally_find(tally, &key);
    add_sums(group, row);
    return add_buckets(group, buckets, sqlite3_column_int64(row, COLUMN_ID), error);
}

enum p11prof_status p11prof_scan_groups(struct p11prof_tally *tally, struct sqlite3 *db,
                                        int64_t run_id, bool operations,
                                        struct p11prof_error *error)
{
    char sql[SQL_BYTES];
    sqlite3_stmt *groups, *buckets;
    enum p11prof_status status = P11PROF_OK;
    int result = SQLITE_ROW;
    make_sql(sql, &tally->grouping, operations);
    if (p11prof_query_prepare(db, sql, run_id, &groups, error) != P11PROF_OK)
        return error->status;
    if (p11prof_query_prepare(db, "SELECT low_ns, count FROM group_bucket WHERE call_group = ?1", 0,
                              &buckets, error) != P11PROF_OK) {
        sqlite3_finalize(groups);
        return error->status;
    }
    while (status == P11PROF_OK && (result = sqlite3_step(groups)) == SQLITE_ROW)
        status = take_group(tally, groups, buckets, error);
    sqlite3_finalize(buckets);
    if (status == P11PROF_OK)
        return p11prof_query_end(groups, result, error);
    sqlite3_finalize(groups);
    return status;
}
