/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Timelines of the operations of a bench's loads in the order of their ends. Each is one number
 * while they are put in order: its end, whether it failed, and the bucket of its duration. */
#include "allocate.h"
#include "operation_ns.h"
#include "p11prof/batch.h"
#include "p11prof/load.h"
#include "query.h"
#include "round_steps.h"
#include "row_scan.h"
#include "timeline_steps.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdlib.h>

/* end_ns << 14 | failed << 13 | bucket: ends of up to 13 days. */
enum { BUCKET_BITS = 13, END_SHIFT = BUCKET_BITS + 1, BUCKET_MASK = (1 << BUCKET_BITS) - 1 };
_Static_assert(P11PROF_OCTAVES *P11PROF_OCTAVE_BUCKETS <= 1 << BUCKET_BITS, "a bucket fits");

struct load {
    int64_t number, operation;
    uint64_t *all; /* one for each operation, as packed above */
    uint64_t room;
    _Atomic uint64_t count;
};

struct loads {
    struct load *all;
    size_t count;
};

enum row { ROW_PART, ROW_OPERATION, ROW_END, ROW_DURATION, ROW_RV };
static const char columns[] =
    "c.part, c.operation, c.start_ns + c.duration_ns, " P11PROF_OPERATION_NS ", c.rv";

static struct load *find(const struct loads *loads, int64_t number, int64_t operation)
{
    for (size_t i = 0; i < loads->count; i++)
        if (loads->all[i].number == number && loads->all[i].operation == operation)
            return &loads->all[i];
    return NULL;
}

static uint64_t pack(uint64_t end_ns, bool failed, uint64_t duration_ns)
{
    uint64_t most = UINT64_MAX >> END_SHIFT;
    unsigned octave = p11prof_octave(duration_ns);
    uint64_t bucket = octave * P11PROF_OCTAVE_BUCKETS + p11prof_octave_bucket(duration_ns, octave);
    return (end_ns < most ? end_ns : most) << END_SHIFT | (uint64_t)failed << BUCKET_BITS | bucket;
}

static void take_row(void *payload, size_t run, sqlite3_stmt *row)
{
    struct load *load = find(payload, sqlite3_column_int64(row, ROW_PART) >> 2,
                             sqlite3_column_int64(row, ROW_OPERATION));
    int64_t end_ns = sqlite3_column_int64(row, ROW_END);
    bool failed = sqlite3_column_type(row, ROW_RV) != SQLITE_NULL &&
                  sqlite3_column_int64(row, ROW_RV) != CKR_OK;
    (void)run;
    if (!load)
        return;
    uint64_t at = atomic_fetch_add_explicit(&load->count, 1, memory_order_relaxed);
    if (at < load->room)
        load->all[at] = pack(end_ns > 0 ? (uint64_t)end_ns : 0, failed,
                             (uint64_t)sqlite3_column_int64(row, ROW_DURATION));
}

static enum p11prof_status scan(struct loads *loads, const struct p11prof_timeline_source *source,
                                struct p11prof_error *error)
{
    void *payloads[P11PROF_SCAN_THREADS_MAX];
    char where[320];
    snprintf(where, sizeof where,
             " AND c.part & 3 = %d AND c.operation IS NOT NULL AND " P11PROF_OPERATION_NS
             " >= %" PRIu64,
             P11PROF_PHASE_MEASURED, source->options->selection.slower_than_ns);
    struct p11prof_row_scan rows = {.db = source->db,
                                    .run_ids = &source->run_id,
                                    .conditions = &source->condition,
                                    .run_count = 1,
                                    .columns = columns,
                                    .where = where,
                                    .take = take_row};
    for (size_t i = 0; i < source->threads; i++)
        payloads[i] = loads;
    return p11prof_row_scan_run(&rows, payloads, source->threads, error);
}

/* Adds the operations of one step, which stand in any order. */
static void fill_step(struct p11prof_timeline_step *step, const uint64_t *all, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        unsigned bucket = (unsigned)(all[i] & BUCKET_MASK);
        unsigned octave = bucket / P11PROF_OCTAVE_BUCKETS;
        uint64_t low_ns = p11prof_bucket_low_ns(octave, bucket % P11PROF_OCTAVE_BUCKETS);
        uint64_t ns = low_ns + (p11prof_bucket_width_ns(octave) - 1) / 2;
        bool failed = all[i] >> BUCKET_BITS & 1;
        step->count++;
        step->error_count += failed;
        if (failed)
            continue;
        p11prof_buckets_add(&step->buckets, low_ns, 1);
        p11prof_sums_add(&step->sums, &(struct p11prof_sums){1, ns, ns, ns, 0});
    }
}

/* Puts operations into steps of that many: only the edges of steps have to be in order. */
static void fill(struct p11prof_timeline *timeline, struct load *load, uint64_t step)
{
    uint64_t count = load->count;
    p11prof_timeline_make(timeline, 0, count, step);
    uint64_t *ranks = p11prof_zalloc(timeline->count, sizeof *ranks);
    uint64_t *edges = p11prof_zalloc(timeline->count, sizeof *edges);
    for (size_t i = 0; i < timeline->count; i++)
        ranks[i] = i * step + 1;
    p11prof_select(load->all, count, ranks, timeline->count, edges);
    for (size_t i = 0; i < timeline->count; i++) {
        uint64_t first = i * step, left = count - first;
        fill_step(&timeline->steps[i], load->all + first, left < step ? left : step);
    }
    free(edges);
    free(ranks);
}

/* Loads that have operations which are selected; their rows go to out->loads. */
static enum p11prof_status make_timelines(struct p11prof_run_timelines *out, struct loads *loads,
                                          const struct p11prof_table *table,
                                          const struct p11prof_timeline_source *source,
                                          struct p11prof_error *error)
{
    uint64_t most = 0, step;
    for (size_t i = 0; i < loads->count; i++)
        most = loads->all[i].count > most ? loads->all[i].count : most;
    if (most == 0)
        return p11prof_error_set(
            error, P11PROF_BAD_INPUT,
            "run %lld has no operations of loads that are kept one by one%s",
            (long long)source->run_id,
            p11prof_selection_is_all(&source->options->selection) ? "" : " and selected");
    if (p11prof_timeline_choose_step(source, most, 1, 0, &step, error) != P11PROF_OK)
        return error->status;
    out->timelines = p11prof_zalloc(loads->count, sizeof *out->timelines);
    for (size_t i = 0; i < loads->count; i++) {
        uint64_t own = step;
        if (loads->all[i].count == 0)
            continue;
        p11prof_timeline_choose_step(source, loads->all[i].count, 1, 0, &own, error);
        fill(&out->timelines[out->count++], &loads->all[i], own);
        p11prof_table_copy_row(&out->loads, p11prof_table_add_row(&out->loads), table, i);
    }
    return P11PROF_OK;
}

static void make_loads(struct loads *loads, const struct p11prof_table *table)
{
    loads->count = table->row_count;
    loads->all = p11prof_zalloc(loads->count, sizeof *loads->all);
    for (size_t i = 0; i < loads->count; i++) {
        struct load *load = &loads->all[i];
        load->number = p11prof_table_integer(table, i, "load", -1);
        load->operation = p11prof_table_integer(table, i, "operation_code", -1);
        load->room = (uint64_t)p11prof_table_integer(table, i, "operation_count", 0);
        load->all = p11prof_zalloc(load->room, sizeof *load->all);
    }
}

static enum p11prof_status read_loads(struct p11prof_run_timelines *out,
                                      const struct p11prof_table *table,
                                      const struct p11prof_timeline_source *source,
                                      struct p11prof_error *error)
{
    struct loads loads;
    make_loads(&loads, table);
    enum p11prof_status status = scan(&loads, source, error);
    for (size_t i = 0; i < loads.count; i++)
        if (loads.all[i].count > loads.all[i].room)
            loads.all[i].count = loads.all[i].room;
    if (status == P11PROF_OK)
        status = make_timelines(out, &loads, table, source, error);
    for (size_t i = 0; i < loads.count; i++)
        free(loads.all[i].all);
    free(loads.all);
    return status;
}

enum p11prof_status p11prof_timelines_of_loads(struct p11prof_run_timelines *out,
                                               const struct p11prof_timeline_source *source,
                                               struct p11prof_error *error)
{
    static const char sql[] =
        "SELECT l.*, b.operation AS operation_code, (SELECT coalesce(sum(g.count), 0) "
        "FROM call_group AS g WHERE g.run = b.run AND g.is_operation AND g.part = b.load * 4 + 2 "
        "AND g.code = b.operation) AS operation_count "
        "FROM loads AS l JOIN bench_load AS b ON b.run = l.run_id AND b.load = l.load "
        "WHERE l.run_id = ?1 ORDER BY l.load";
    struct p11prof_table table = {.columns = NULL};
    enum p11prof_status status =
        p11prof_query_table(source->db, sql, source->run_id, &table, error);
    if (status == P11PROF_OK && table.row_count == 0)
        status = p11prof_error_set(error, P11PROF_BAD_INPUT,
                                   "run %lld is no bench: only its operations have iterations",
                                   (long long)source->run_id);
    for (size_t i = 0; i < table.column_count; i++)
        p11prof_table_add_column(&out->loads, table.columns[i].name, false);
    if (status == P11PROF_OK)
        status = read_loads(out, &table, source, error);
    p11prof_table_clear(&table);
    return status;
}
