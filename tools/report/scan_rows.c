/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "allocate.h"
#include "p11prof/batch.h"
#include "p11prof/load.h"
#include "row_scan.h"
#include "scan_key.h"
#include "scan_ways.h"

#include <sqlite3.h>
#include <stdlib.h>

/* What a row is read as; the dimensions follow. Plain columns: an expression costs more than all
 * that is done with its value. */
static const char row_columns[] =
    "c.duration_ns, c.rv, c.kind, c.in_bytes, c.out_bytes, s.process, c.operation, "
    "c.operation_call_count, c.operation_duration_ns, c.operation_in_bytes, c.operation_out_bytes, "
    "c.part, c.intended_start_ns, c.start_ns";

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
    ROW_PART,
    ROW_INTENDED,
    ROW_START,
    ROW_DIMENSIONS,
};

/* What one thread fills. */
struct tallies {
    const struct p11prof_scan_runs *runs;
    uint64_t slower_than_ns;
    uint64_t row_count;
    struct p11prof_tally calls, operations, loads;
};

static void read_key(const struct tallies *tallies, const struct p11prof_tally *tally, size_t run,
                     sqlite3_stmt *row, int first, struct p11prof_key *key)
{
    struct p11prof_scan_place place = {tallies->runs->run_ids[run],
                                       sqlite3_column_int64(row, ROW_PROCESS)};
    p11prof_scan_key(key, &tally->grouping, &tallies->runs->scan->texts, &place, row, first);
}

static bool is_scheduled(sqlite3_stmt *row)
{
    return sqlite3_column_type(row, ROW_INTENDED) != SQLITE_NULL;
}

/* Of the operation that the row carries. Below 0, as of a call: unknown, of an imported log. */
static int64_t service_ns(sqlite3_stmt *row)
{
    int64_t of_call = sqlite3_column_int64(row, ROW_DURATION);
    return of_call < 0 || sqlite3_column_type(row, ROW_OPERATION_DURATION) == SQLITE_NULL
               ? of_call
               : sqlite3_column_int64(row, ROW_OPERATION_DURATION);
}

/* As operation_ns.h says. */
static int64_t operation_ns(sqlite3_stmt *row)
{
    return is_scheduled(row)
               ? sqlite3_column_int64(row, ROW_START) + sqlite3_column_int64(row, ROW_DURATION) -
                     sqlite3_column_int64(row, ROW_INTENDED)
               : service_ns(row);
}

static bool is_slow(const struct tallies *tallies, int64_t duration_ns)
{
    return tallies->slower_than_ns == 0 ||
           (duration_ns >= 0 && (uint64_t)duration_ns >= tallies->slower_than_ns);
}

/* One call, or one operation; bytes are in the columns from `in` on. */
static void add_row(struct p11prof_tally *tally, struct p11prof_tally_group *group,
                    sqlite3_stmt *row, int64_t duration_ns, int in)
{
    bool undisclosed = sqlite3_column_type(row, ROW_RV) == SQLITE_NULL;
    bool too_small = sqlite3_column_int(row, ROW_KIND) == P11PROF_KIND_TOO_SMALL;
    bool failed = !too_small && !undisclosed && sqlite3_column_int64(row, ROW_RV) != CKR_OK;
    group->count++;
    group->error_count += failed;
    group->undisclosed_count += undisclosed;
    group->in_bytes += (uint64_t)sqlite3_column_int64(row, in);
    group->out_bytes += (uint64_t)sqlite3_column_int64(row, in + 1);
    if (duration_ns < 0)
        return;
    group->total_ns += (uint64_t)duration_ns;
    if (!failed || p11prof_grouping_has(&tally->grouping, P11PROF_BY_RV))
        p11prof_tally_add_duration(group, (uint64_t)duration_ns);
}

/* Makes a key of a measured part that of its service times. False: it is none, or parts are not
 * told apart. */
static bool set_service_part(const struct p11prof_grouping *grouping, struct p11prof_key *key)
{
    for (size_t i = 0; i < grouping->count; i++)
        if (grouping->ids[i] == P11PROF_BY_PART && (key->known & 1U << i) &&
            p11prof_part_phase((uint32_t)key->values[i]) == P11PROF_PHASE_MEASURED) {
            key->values[i] = p11prof_service_part((uint32_t)key->values[i]);
            return true;
        }
    return false;
}

static void take_operation(const struct tallies *tallies, struct p11prof_tally *tally, size_t run,
                           sqlite3_stmt *row, int first)
{
    struct p11prof_key key;
    /* One that is a single call has that call's facts. */
    bool single = sqlite3_column_type(row, ROW_OPERATION_CALLS) == SQLITE_NULL;
    int in = single ? ROW_IN : ROW_OPERATION_IN;
    int64_t duration_ns = operation_ns(row);
    if (!is_slow(tallies, duration_ns))
        return;
    read_key(tallies, tally, run, row, first, &key);
    add_row(tally, p11prof_tally_find(tally, &key), row, duration_ns, in);
    if (is_scheduled(row) && set_service_part(&tally->grouping, &key))
        add_row(tally, p11prof_tally_find(tally, &key), row, service_ns(row), in);
}

static void take_call(struct tallies *tallies, size_t run, sqlite3_stmt *row)
{
    struct p11prof_key key;
    int64_t duration_ns = sqlite3_column_int64(row, ROW_DURATION);
    if (!is_slow(tallies, duration_ns))
        return;
    read_key(tallies, &tallies->calls, run, row, ROW_DIMENSIONS, &key);
    add_row(&tallies->calls, p11prof_tally_find(&tallies->calls, &key), row, duration_ns, ROW_IN);
}

static void take_row(void *payload, size_t run, sqlite3_stmt *row)
{
    struct tallies *tallies = payload;
    int of_operations = ROW_DIMENSIONS + (int)tallies->calls.grouping.count;
    int of_loads = of_operations + (int)tallies->operations.grouping.count;
    tallies->row_count++;
    if (tallies->calls.grouping.count > 0)
        take_call(tallies, run, row);
    if (sqlite3_column_type(row, ROW_OPERATION) == SQLITE_NULL)
        return;
    if (tallies->operations.grouping.count > 0)
        take_operation(tallies, &tallies->operations, run, row, of_operations);
    if (tallies->loads.grouping.count > 0 &&
        (sqlite3_column_int64(row, ROW_PART) & 3) >= P11PROF_PHASE_MEASURED)
        take_operation(tallies, &tallies->loads, run, row, of_loads);
}

static char *make_columns(const struct p11prof_scan *scan)
{
    char *columns;
    size_t bytes;
    FILE *stream = p11prof_text_open(&columns, &bytes);
    fputs(row_columns, stream);
    p11prof_scan_key_columns(stream, &scan->calls.grouping, P11PROF_SCAN_CALL);
    p11prof_scan_key_columns(stream, &scan->operations.grouping, P11PROF_SCAN_CALL);
    p11prof_scan_key_columns(stream, &scan->loads.grouping, P11PROF_SCAN_CALL);
    fclose(stream);
    return columns;
}

enum p11prof_status p11prof_scan_rows(const struct p11prof_scan_runs *runs, uint64_t *found,
                                      struct p11prof_error *error)
{
    struct tallies tallies[P11PROF_SCAN_THREADS_MAX];
    void *payloads[P11PROF_SCAN_THREADS_MAX];
    struct p11prof_scan *scan = runs->scan;
    size_t threads = p11prof_row_scan_threads(runs->row_count);
    char *columns = make_columns(scan);
    struct p11prof_row_scan rows = {
        .db = runs->db,
        .run_ids = runs->run_ids,
        .conditions = runs->conditions,
        .run_count = runs->run_count,
        .columns = columns,
        .where = scan->calls.grouping.count > 0 ? "" : " AND c.operation IS NOT NULL",
        .take = take_row};
    for (size_t i = 0; i < threads; i++) {
        tallies[i] = (struct tallies){.runs = runs,
                                      .slower_than_ns =
                                          scan->selection ? scan->selection->slower_than_ns : 0,
                                      .calls.grouping = scan->calls.grouping,
                                      .operations.grouping = scan->operations.grouping,
                                      .loads.grouping = scan->loads.grouping};
        payloads[i] = &tallies[i];
    }
    enum p11prof_status status = p11prof_row_scan_run(&rows, payloads, threads, error);
    *found = 0;
    for (size_t i = 0; i < threads; i++) {
        *found += tallies[i].row_count;
        p11prof_tally_absorb(&scan->calls, &tallies[i].calls);
        p11prof_tally_absorb(&scan->operations, &tallies[i].operations);
        p11prof_tally_absorb(&scan->loads, &tallies[i].loads);
    }
    free(columns);
    return status;
}
