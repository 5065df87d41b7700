/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "bench_threads.h"
#include "p11prof/load.h"
#include "query.h"

#include <sqlite3.h>

static const char threads_sql[] =
    "SELECT thread_id, count, error_count, wrong_count, duration_ns, mean_ns, p99_ns "
    "FROM bench_thread WHERE run = ?1 AND load = ?2 ORDER BY process, thread";

enum { THREAD_ID, COUNT, ERRORS, WRONG, DURATION, MEAN, P99 };

struct rates {
    uint64_t thread_count;
    double least, most, sum;
};

struct reader {
    struct p11prof_bench_threads *out;
    struct p11prof_table *table;
    const struct p11prof_tally *tally;
    struct p11prof_load_key key; /* part: of what was measured */
    struct rates rates;
};

bool p11prof_load_group_is(const struct p11prof_tally *tally,
                           const struct p11prof_tally_group *group,
                           const struct p11prof_load_key *key)
{
    const struct {
        enum p11prof_dimension_id id;
        int64_t wanted;
    } parts[] = {{P11PROF_BY_RUN, key->run_id},
                 {P11PROF_BY_PART, key->part},
                 {P11PROF_BY_OPERATION, key->operation}};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        int64_t value;
        if (!p11prof_tally_value(tally, &group->key, parts[i].id, &value) ||
            value != parts[i].wanted)
            return false;
    }
    return true;
}

/* From its rows, where they are there. */
static bool exact_stats(const struct reader *reader, int64_t thread_id, struct p11prof_stats *stats)
{
    for (size_t i = 0; i < reader->tally->group_count; i++) {
        struct p11prof_tally_group *group = &reader->tally->groups[i];
        int64_t of_thread;
        if (p11prof_load_group_is(reader->tally, group, &reader->key) &&
            p11prof_tally_value(reader->tally, &group->key, P11PROF_BY_THREAD, &of_thread) &&
            of_thread == thread_id) {
            p11prof_tally_stats(group, stats);
            return stats->count > 0;
        }
    }
    return false;
}

static void set_durations(const struct reader *reader, struct p11prof_cell *cells,
                          sqlite3_stmt *row, uint64_t success_count)
{
    struct p11prof_stats stats;
    bool exact = exact_stats(reader, sqlite3_column_int64(row, THREAD_ID), &stats);
    if (exact)
        success_count = stats.count;
    if (exact || sqlite3_column_type(row, MEAN) != SQLITE_NULL)
        p11prof_table_set_integer(reader->table, cells, "mean_ns",
                                  exact ? (int64_t)stats.mean_ns : sqlite3_column_int64(row, MEAN));
    if (exact || sqlite3_column_type(row, P99) != SQLITE_NULL)
        cells[p11prof_table_find(reader->table, "p99_ns")] =
            (struct p11prof_cell){.kind = P11PROF_CELL_INTEGER,
                                  .doubtful = !p11prof_quantile_supported(
                                      success_count, p11prof_quantile_millionths[P11PROF_P99]),
                                  .integer = exact ? (int64_t)stats.quantile_ns[P11PROF_P99]
                                                   : sqlite3_column_int64(row, P99)};
}

static void add_rate(struct rates *rates, double rate)
{
    if (rates->thread_count == 0 || rate < rates->least)
        rates->least = rate;
    if (rates->thread_count == 0 || rate > rates->most)
        rates->most = rate;
    rates->sum += rate;
    rates->thread_count++;
}

static void take_thread(struct reader *reader, sqlite3_stmt *row)
{
    struct p11prof_cell *cells = p11prof_table_add_row(reader->table);
    int64_t count = sqlite3_column_int64(row, COUNT), wrong = sqlite3_column_int64(row, WRONG);
    int64_t errors = sqlite3_column_int64(row, ERRORS);
    int64_t duration_ns = sqlite3_column_int64(row, DURATION);
    reader->out->count += (uint64_t)count;
    reader->out->wrong_count += (uint64_t)wrong;
    reader->out->failed_count += errors > wrong ? (uint64_t)(errors - wrong) : 0;
    p11prof_table_set_integer(reader->table, cells, "run_id", reader->key.run_id);
    p11prof_table_set_integer(reader->table, cells, "load", reader->key.load);
    p11prof_table_set_integer(reader->table, cells, "thread",
                              (int64_t)reader->rates.thread_count + 1);
    p11prof_table_set_integer(reader->table, cells, "count", count);
    double rate = duration_ns > 0 ? (double)(count - errors) / ((double)duration_ns / 1e9) : 0;
    add_rate(&reader->rates, rate);
    if (duration_ns > 0)
        p11prof_table_set_real(reader->table, cells, "ops_per_s", rate);
    set_durations(reader, cells, row, count > errors ? (uint64_t)(count - errors) : 0);
}

enum p11prof_status p11prof_bench_threads_load(struct p11prof_bench_threads *out,
                                               struct p11prof_table *table,
                                               const struct p11prof_scan *scan,
                                               const struct p11prof_load_key *key,
                                               struct sqlite3 *db, struct p11prof_error *error)
{
    struct reader reader = {.out = out, .table = table, .tally = &scan->loads, .key = *key};
    sqlite3_stmt *threads;
    int result;
    reader.key.part = p11prof_part((uint32_t)key->load, P11PROF_PHASE_MEASURED);
    if (p11prof_query_prepare(db, threads_sql, key->run_id, &threads, error) != P11PROF_OK)
        return error->status;
    sqlite3_bind_int64(threads, 2, key->load);
    while ((result = sqlite3_step(threads)) == SQLITE_ROW)
        take_thread(&reader, threads);
    out->contention_known = reader.rates.thread_count > 1 && reader.rates.sum > 0;
    if (out->contention_known)
        out->contention = (reader.rates.most - reader.rates.least) /
                          (reader.rates.sum / (double)reader.rates.thread_count);
    return p11prof_query_end(threads, result, error);
}
