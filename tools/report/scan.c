/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "scan.h"
#include "p11prof/batch.h"
#include "p11prof/load.h"
#include "query.h"
#include "scan_groups.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

/* What a row is read as; the dimensions follow. Plain columns: an expression costs more than all
 * that is done with its value. */
#define ROW                                                                                        \
    "SELECT c.duration_ns, c.rv, c.kind, c.in_bytes, c.out_bytes, s.process, c.operation, "        \
    "c.operation_call_count, c.operation_duration_ns, c.operation_in_bytes, c.operation_out_bytes"
#define ROWS                                                                                       \
    " FROM segment AS s CROSS JOIN call AS c ON c.id BETWEEN s.first_call AND s.last_call "        \
    "WHERE s.run = ?1"

enum row {
    ROW_DURATION,
    ROW_RV,
    ROW_KIND,
    ROW_IN,
    ROW_OUT,
    ROW_PROCESS,
    ROW_OPERATION,
    ROW_OPERATION_CALLS,
    ROW_OPERATION_DURATION,
    ROW_OPERATION_IN,
    ROW_OPERATION_OUT,
    ROW_DIMENSIONS,
};

enum { SQL_BYTES = 2048 };

struct counts {
    int64_t calls, operations;
};

static void append_dimensions(char *sql, const struct p11prof_grouping *grouping)
{
    for (size_t i = 0; i < grouping->count; i++) {
        size_t used = strlen(sql);
        snprintf(sql + used, SQL_BYTES - used, ", %s",
                 p11prof_dimensions[grouping->ids[i]].of_call);
    }
}

static void read_key(const struct p11prof_scan *scan, const struct p11prof_grouping *grouping,
                     sqlite3_stmt *row, int first, struct p11prof_key *key)
{
    key->known = 0;
    for (size_t i = 0; i < grouping->count; i++) {
        int column = first + (int)i;
        bool known = sqlite3_column_type(row, column) != SQLITE_NULL;
        key->values[i] = sqlite3_column_int64(row, column);
        if (known && grouping->ids[i] == P11PROF_BY_CALLER)
            key->values[i] = p11prof_caller_names_find(
                &scan->callers, sqlite3_column_int64(row, ROW_PROCESS), key->values[i]);
        if (known)
            key->known |= 1U << i;
    }
}

/* One call, or one operation with the facts that start at column `duration`. */
static void add_row(struct p11prof_tally *tally, struct p11prof_tally_group *group,
                    sqlite3_stmt *row, int duration, int in)
{
    uint64_t duration_ns = (uint64_t)sqlite3_column_int64(row, duration);
    bool undisclosed = sqlite3_column_type(row, ROW_RV) == SQLITE_NULL;
    bool too_small = sqlite3_column_int(row, ROW_KIND) == P11PROF_KIND_TOO_SMALL;
    bool failed = !too_small && !undisclosed && sqlite3_column_int64(row, ROW_RV) != CKR_OK;
    group->count++;
    group->error_count += failed;
    group->undisclosed_count += undisclosed;
    group->total_ns += duration_ns;
    group->in_bytes += (uint64_t)sqlite3_column_int64(row, in);
    group->out_bytes += (uint64_t)sqlite3_column_int64(row, in + 1);
    if (!failed || p11prof_grouping_has(&tally->grouping, P11PROF_BY_RV))
        p11prof_tally_add_duration(group, duration_ns);
}

static void take_operation(const struct p11prof_scan *scan, struct p11prof_tally *tally,
                           sqlite3_stmt *row, int first)
{
    struct p11prof_key key;
    /* One that is a single call has that call's facts. */
    bool single = sqlite3_column_type(row, ROW_OPERATION_CALLS) == SQLITE_NULL;
    read_key(scan, &tally->grouping, row, first, &key);
    add_row(tally, p11prof_tally_find(tally, &key), row,
            single ? ROW_DURATION : ROW_OPERATION_DURATION, single ? ROW_IN : ROW_OPERATION_IN);
}

/* False if the row carries no operation. */
static bool take_row(struct p11prof_scan *scan, sqlite3_stmt *row)
{
    struct p11prof_key key;
    int of_operations = ROW_DIMENSIONS + (int)scan->calls.grouping.count;
    int of_loads = of_operations + (int)scan->operations.grouping.count;
    read_key(scan, &scan->calls.grouping, row, ROW_DIMENSIONS, &key);
    add_row(&scan->calls, p11prof_tally_find(&scan->calls, &key), row, ROW_DURATION, ROW_IN);
    if (sqlite3_column_type(row, ROW_OPERATION) == SQLITE_NULL)
        return false;
    take_operation(scan, &scan->operations, row, of_operations);
    if (scan->loads.grouping.count > 0 &&
        (sqlite3_column_int64(row, of_loads) & 3) >= P11PROF_PHASE_MEASURED)
        take_operation(scan, &scan->loads, row, of_loads);
    return true;
}

static enum p11prof_status scan_rows(struct p11prof_scan *scan, struct sqlite3 *db,
                                     struct counts *rows, struct p11prof_error *error)
{
    char sql[SQL_BYTES] = ROW;
    sqlite3_stmt *statement;
    int result;
    append_dimensions(sql, &scan->calls.grouping);
    append_dimensions(sql, &scan->operations.grouping);
    append_dimensions(sql, &scan->loads.grouping);
    strcat(sql, ROWS);
    if (p11prof_query_prepare(db, sql, scan->run_id, &statement, error) != P11PROF_OK)
        return error->status;
    for (; (result = sqlite3_step(statement)) == SQLITE_ROW; rows->calls++)
        rows->operations += take_row(scan, statement);
    return p11prof_query_end(statement, result, error);
}

/* Dimensions that need rows stand at the end. */
static void drop_what_needs_rows(struct p11prof_grouping *grouping)
{
    while (p11prof_grouping_needs_rows(grouping))
        grouping->count--;
}

static enum p11prof_status scan_histograms(struct p11prof_scan *scan, struct sqlite3 *db,
                                           struct p11prof_error *error)
{
    const struct p11prof_dimension *missing = p11prof_grouping_needs_rows(&scan->calls.grouping);
    if (missing)
        return p11prof_error_set(error, P11PROF_BAD_INPUT,
                                 "the calls of run %lld are not kept one by one (or are more than "
                                 "%d): --by %s needs them",
                                 (long long)scan->run_id, P11PROF_SCAN_ROWS_MAX, missing->name);
    p11prof_tally_clear(&scan->calls);
    p11prof_tally_clear(&scan->operations);
    p11prof_tally_clear(&scan->loads);
    drop_what_needs_rows(&scan->loads.grouping);
    if (p11prof_scan_groups(&scan->calls, db, scan->run_id, false, error) != P11PROF_OK ||
        p11prof_scan_groups(&scan->operations, db, scan->run_id, true, error) != P11PROF_OK)
        return error->status;
    if (scan->loads.grouping.count == 0)
        return P11PROF_OK;
    return p11prof_scan_groups(&scan->loads, db, scan->run_id, true, error);
}

enum p11prof_status p11prof_scan_run(struct p11prof_scan *scan, struct sqlite3 *db,
                                     struct p11prof_error *error)
{
    static const char calls[] = "SELECT sum(count) FROM call_group WHERE run = ?1 AND "
                                "NOT is_operation";
    static const char operations[] = "SELECT sum(count) FROM call_group WHERE run = ?1 AND "
                                     "is_operation";
    struct counts counted, rows = {0, 0};
    if (p11prof_query_integer(db, calls, scan->run_id, 0, &counted.calls, error) != P11PROF_OK ||
        p11prof_query_integer(db, operations, scan->run_id, 0, &counted.operations, error) !=
            P11PROF_OK ||
        p11prof_caller_names_load(&scan->callers, db, scan->run_id, error) != P11PROF_OK)
        return error->status;
    if (counted.calls <= P11PROF_SCAN_ROWS_MAX && scan_rows(scan, db, &rows, error) != P11PROF_OK)
        return error->status;
    /* A bench that measures by itself has operations without calls. */
    scan->exact = rows.calls == counted.calls && rows.operations == counted.operations;
    return scan->exact ? P11PROF_OK : scan_histograms(scan, db, error);
}

void p11prof_scan_clear(struct p11prof_scan *scan)
{
    p11prof_tally_clear(&scan->calls);
    p11prof_tally_clear(&scan->operations);
    p11prof_tally_clear(&scan->loads);
    p11prof_caller_names_clear(&scan->callers);
}
