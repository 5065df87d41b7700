/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "trend_loads.h"
#include "p11prof/load.h"
#include "query.h"

#include <sqlite3.h>

const struct p11prof_grouping p11prof_trend_loads_grouping = {
    {P11PROF_BY_PART, P11PROF_BY_OPERATION}, 2};

/* Each load: its slices, the operations in those that ended, and what its threads counted. */
static const char loads_sql[] =
    "SELECT b.load, b.operation, "
    "(SELECT CAST(total(s.duration_ns) AS INTEGER) FROM bench_slice AS s "
    "WHERE s.run = b.run AND s.load = b.load), "
    "(SELECT CAST(total(w.count) AS INTEGER) FROM call_group AS g "
    "JOIN group_window AS w ON w.call_group = g.id "
    "JOIN bench_slice AS s ON s.run = b.run AND s.load = b.load AND s.start_ns = w.start_ns "
    "WHERE g.run = b.run AND g.is_operation = 1 AND g.code = b.operation AND g.kind = 0 "
    "AND g.part = b.load * 4 + 2), "
    "(SELECT f.ops_per_s FROM bench_figure AS f WHERE f.run = b.run AND f.load = b.load), "
    "CAST(total(t.count) AS INTEGER), CAST(total(max(0, t.error_count - t.wrong_count)) AS "
    "INTEGER), "
    "CAST(total(t.wrong_count) AS INTEGER) "
    "FROM bench_load AS b LEFT JOIN bench_thread AS t ON t.run = b.run AND t.load = b.load "
    "WHERE b.run = ?1 AND (b.mix IS NOT NULL) = ?2 AND b.ramp IS NULL GROUP BY b.load";

enum { LOAD, OPERATION, SLICES_NS, IN_SLICES, FIGURE_RATE, THREADS_COUNT, THREADS_FAILED, WRONG };

static uint64_t number(sqlite3_stmt *row, int column)
{
    int64_t value = sqlite3_column_int64(row, column);
    return value > 0 ? (uint64_t)value : 0;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* Measured operations of a load; NULL if there are none. */
static const struct p11prof_tally_group *find(const struct p11prof_tally *tally, int64_t load,
                                              int64_t operation)
{
    for (size_t i = 0; i < tally->group_count; i++) {
        int64_t part, code;
        if (p11prof_tally_value(tally, &tally->groups[i].key, P11PROF_BY_PART, &part) &&
            p11prof_tally_value(tally, &tally->groups[i].key, P11PROF_BY_OPERATION, &code) &&
            part == p11prof_part((uint32_t)load, P11PROF_PHASE_MEASURED) && code == operation)
            return &tally->groups[i];
    }
    return NULL;
}

static void add_load(struct p11prof_trend_loads *out, const struct p11prof_tally_group *group,
                     sqlite3_stmt *row)
{
    uint64_t in_slices = number(row, IN_SLICES), wrong = number(row, WRONG);
    uint64_t count = larger(group->count, number(row, THREADS_COUNT));
    uint64_t errors = larger(group->error_count, number(row, THREADS_FAILED)) + wrong;
    uint64_t outside = in_slices > 0 && group->count > in_slices ? group->count - in_slices : 0;
    errors = errors < count ? errors : count;
    p11prof_tally_merge(&out->measured, group);
    out->count += count;
    out->error_count += errors;
    out->timed_count += count - errors > outside ? count - errors - outside : 0;
    out->duration_ns += number(row, SLICES_NS);
}

/* What another tool measured has its rate. */
static void add_figure(struct p11prof_trend_loads *out, const struct p11prof_tally_group *group,
                       double rate)
{
    double seconds = rate > 0 ? (double)group->count / rate : 0;
    p11prof_tally_merge(&out->measured, group);
    out->count += group->count;
    if (seconds <= 0 || seconds > 1e9)
        return;
    out->timed_count += group->count;
    out->duration_ns += (uint64_t)(seconds * 1e9);
}

enum p11prof_status p11prof_trend_loads_read(struct p11prof_trend_loads *out,
                                             const struct p11prof_tally *tally, struct sqlite3 *db,
                                             int64_t run_id, bool mix, struct p11prof_error *error)
{
    sqlite3_stmt *loads;
    int result;
    if (tally->group_count == 0)
        return P11PROF_OK;
    if (p11prof_query_prepare(db, loads_sql, run_id, &loads, error) != P11PROF_OK)
        return error->status;
    sqlite3_bind_int(loads, 2, mix);
    while ((result = sqlite3_step(loads)) == SQLITE_ROW) {
        const struct p11prof_tally_group *group =
            find(tally, sqlite3_column_int64(loads, LOAD), sqlite3_column_int64(loads, OPERATION));
        if (group && sqlite3_column_type(loads, FIGURE_RATE) != SQLITE_NULL)
            add_figure(out, group, sqlite3_column_double(loads, FIGURE_RATE));
        else if (group)
            add_load(out, group, loads);
    }
    return p11prof_query_end(loads, result, error);
}
