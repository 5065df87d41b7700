/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Exact percentiles of tallies that are from histograms. A histogram says in which bucket a
 * percentile lies and how many durations are below it: only the rows in those buckets decide. */
#include "allocate.h"
#include "operation_ns.h"
#include "p11prof/batch.h"
#include "p11prof/calls.h"
#include "row_scan.h"
#include "scan_key.h"
#include "scan_ways.h"

#include <sqlite3.h>
#include <stdlib.h>

enum { BUCKETS = P11PROF_OCTAVES * P11PROF_OCTAVE_BUCKETS };

/* A bucket that has percentiles of a group. */
struct target {
    uint64_t low_ns, high_ns;
    uint64_t below, count; /* durations under it, and in it */
    uint64_t *durations;   /* found so far */
    size_t found, capacity;
};

/* Those of one group; in the order of durations. */
struct targets {
    struct target all[P11PROF_QUANTILES];
    size_t count;
};

/* Those of a tally, as one thread fills them. */
struct seeker {
    const struct p11prof_tally *tally;
    struct targets *targets; /* of each group */
    bool wanted[BUCKETS];    /* in any group */
    bool strange;            /* a row of no group */
};

/* What one thread has. */
struct search {
    const struct p11prof_scan_runs *runs;
    struct seeker calls, operations;
    bool ends[P11PROF_CALLS + 1]; /* functions that may end an operation */
};

enum row {
    ROW_DURATION,
    ROW_RV,
    ROW_KIND,
    ROW_PROCESS,
    ROW_OPERATION,
    ROW_OPERATION_DURATION,
    ROW_DIMENSIONS
};
static const char row_columns[] =
    "c.duration_ns, c.rv, c.kind, s.process, c.operation, " P11PROF_OPERATION_NS;

/* The operation's columns stand far back in a row: they are looked at only where there may be one.
 * p11prof_wanted() says 1: take this row; 2: look at its operation; 0: neither. */
static const char row_where[] =
    " AND CASE p11prof_wanted(c.duration_ns, c.function) WHEN 0 THEN 0 WHEN 1 THEN 1 "
    "ELSE c.operation IS NOT NULL AND "
    "p11prof_wanted(" P11PROF_OPERATION_NS ") END";

static unsigned bucket_of(uint64_t duration_ns)
{
    unsigned octave = p11prof_octave(duration_ns);
    return octave * P11PROF_OCTAVE_BUCKETS + p11prof_octave_bucket(duration_ns, octave);
}

static void wanted_call(sqlite3_context *context, int count, sqlite3_value **values)
{
    const struct search *search = sqlite3_user_data(context);
    uint64_t function = (uint64_t)sqlite3_value_int64(values[1]);
    (void)count;
    if (search->calls.wanted[bucket_of((uint64_t)sqlite3_value_int64(values[0]))])
        sqlite3_result_int(context, 1);
    else
        sqlite3_result_int(context, function <= P11PROF_CALLS && search->ends[function] ? 2 : 0);
}

static void wanted_operation(sqlite3_context *context, int count, sqlite3_value **values)
{
    const struct search *search = sqlite3_user_data(context);
    (void)count;
    sqlite3_result_int(
        context, search->operations.wanted[bucket_of((uint64_t)sqlite3_value_int64(values[0]))]);
}

static int make_functions(sqlite3 *connection, void *payload)
{
    int flags = SQLITE_UTF8 | SQLITE_DIRECTONLY;
    int result = sqlite3_create_function(connection, "p11prof_wanted", 2, flags, payload,
                                         wanted_call, NULL, NULL);
    return result != SQLITE_OK ? result
                               : sqlite3_create_function(connection, "p11prof_wanted", 1, flags,
                                                         payload, wanted_operation, NULL, NULL);
}

/* The bucket of each quantile; quantiles that share one have it once. */
static void set_targets(struct targets *targets, const struct p11prof_tally_group *group)
{
    struct p11prof_bucket bucket = {0};
    uint64_t passed = 0;
    size_t next = 0;
    while (next < P11PROF_QUANTILES && p11prof_buckets_next(&group->buckets, &bucket)) {
        bool has = false;
        for (; next < P11PROF_QUANTILES &&
               p11prof_quantile_rank(group->buckets.count, p11prof_quantile_millionths[next]) <=
                   passed + bucket.count;
             next++)
            has = true;
        if (has)
            targets->all[targets->count++] = (struct target){.low_ns = bucket.low_ns,
                                                             .high_ns = bucket.high_ns,
                                                             .below = passed,
                                                             .count = bucket.count};
        passed += bucket.count;
    }
}

static void seeker_open(struct seeker *seeker, const struct p11prof_tally *tally)
{
    *seeker = (struct seeker){.tally = tally};
    seeker->targets = p11prof_zalloc(tally->group_count + 1, sizeof *seeker->targets);
    for (size_t i = 0; i < tally->group_count; i++) {
        set_targets(&seeker->targets[i], &tally->groups[i]);
        for (size_t k = 0; k < seeker->targets[i].count; k++)
            seeker->wanted[bucket_of(seeker->targets[i].all[k].low_ns)] = true;
    }
}

static void seeker_close(struct seeker *seeker)
{
    for (size_t i = 0; seeker->targets && i < seeker->tally->group_count; i++)
        for (size_t k = 0; k < seeker->targets[i].count; k++)
            free(seeker->targets[i].all[k].durations);
    free(seeker->targets);
}

static void add_duration(struct target *target, uint64_t duration_ns)
{
    if (target->found == target->capacity)
        target->durations = p11prof_grow(target->durations, &target->capacity, target->found + 1,
                                         sizeof *target->durations);
    target->durations[target->found++] = duration_ns;
}

static void take_duration(struct seeker *seeker, const struct p11prof_key *key,
                          uint64_t duration_ns)
{
    size_t group = p11prof_tally_index(seeker->tally, key);
    if (group == seeker->tally->group_count) {
        seeker->strange = true;
        return;
    }
    struct targets *targets = &seeker->targets[group];
    for (size_t i = 0; i < targets->count; i++)
        if (duration_ns >= targets->all[i].low_ns && duration_ns < targets->all[i].high_ns)
            add_duration(&targets->all[i], duration_ns);
}

static void take(struct search *search, struct seeker *seeker, size_t run, sqlite3_stmt *row,
                 int duration, int dimensions)
{
    uint64_t duration_ns = (uint64_t)sqlite3_column_int64(row, duration);
    struct p11prof_scan_place place = {search->runs->run_ids[run],
                                       sqlite3_column_int64(row, ROW_PROCESS)};
    struct p11prof_key key;
    if (sqlite3_column_int64(row, ROW_DURATION) < 0 || !seeker->wanted[bucket_of(duration_ns)])
        return;
    p11prof_scan_key(&key, &seeker->tally->grouping, &search->runs->scan->texts, &place, row,
                     dimensions);
    take_duration(seeker, &key, duration_ns);
}

static void take_row(void *payload, size_t run, sqlite3_stmt *row)
{
    struct search *search = payload;
    bool failed = sqlite3_column_type(row, ROW_RV) != SQLITE_NULL &&
                  sqlite3_column_int64(row, ROW_RV) != CKR_OK &&
                  sqlite3_column_int(row, ROW_KIND) != P11PROF_KIND_TOO_SMALL;
    if (failed)
        return;
    int of_operations = ROW_DIMENSIONS + (int)search->calls.tally->grouping.count;
    take(search, &search->calls, run, row, ROW_DURATION, ROW_DIMENSIONS);
    if (sqlite3_column_type(row, ROW_OPERATION) != SQLITE_NULL)
        take(search, &search->operations, run, row, ROW_OPERATION_DURATION, of_operations);
}

static void search_open(struct search *search, const struct p11prof_scan_runs *runs)
{
    *search = (struct search){.runs = runs};
    seeker_open(&search->calls, &runs->scan->calls);
    seeker_open(&search->operations, &runs->scan->operations);
    for (unsigned i = 0; i <= P11PROF_CALLS && runs->scan->operations.group_count > 0; i++)
        search->ends[i] = p11prof_calls[i].role != P11PROF_ROLE_NONE &&
                          p11prof_calls[i].role != P11PROF_ROLE_INIT;
}

static void search_close(struct search *search)
{
    seeker_close(&search->operations);
    seeker_close(&search->calls);
}

/* Moves what another thread found. */
static void gather(struct seeker *into, struct seeker *from)
{
    into->strange = into->strange || from->strange;
    for (size_t i = 0; i < into->tally->group_count; i++)
        for (size_t k = 0; k < into->targets[i].count; k++)
            for (size_t d = 0; d < from->targets[i].all[k].found; d++)
                add_duration(&into->targets[i].all[k], from->targets[i].all[k].durations[d]);
}

static bool agrees(const struct seeker *seeker)
{
    for (size_t i = 0; i < seeker->tally->group_count; i++)
        for (size_t k = 0; k < seeker->targets[i].count; k++)
            if (seeker->targets[i].all[k].found != seeker->targets[i].all[k].count)
                return false;
    return !seeker->strange;
}

static void set_quantile(struct p11prof_tally_group *group, enum p11prof_quantile quantile,
                         const struct targets *targets)
{
    uint64_t rank =
        p11prof_quantile_rank(group->buckets.count, p11prof_quantile_millionths[quantile]);
    for (size_t i = 0; i < targets->count; i++) {
        struct target target = targets->all[i];
        if (rank > target.below && rank <= target.below + target.count) {
            uint64_t rank_inside = rank - target.below;
            p11prof_select(target.durations, target.found, &rank_inside, 1,
                           &group->quantile_ns[quantile]);
        }
    }
}

static void set_quantiles(struct p11prof_tally *tally, const struct seeker *seeker)
{
    for (size_t i = 0; i < tally->group_count; i++) {
        for (size_t k = 0; k < P11PROF_QUANTILES; k++)
            set_quantile(&tally->groups[i], (enum p11prof_quantile)k, &seeker->targets[i]);
        tally->groups[i].quantiles_known = true;
    }
}

static enum p11prof_status run_searches(struct search *searches, size_t threads,
                                        const struct p11prof_scan_runs *runs, const char *columns,
                                        struct p11prof_error *error)
{
    void *payloads[P11PROF_SCAN_THREADS_MAX];
    struct p11prof_row_scan rows = {.db = runs->db,
                                    .run_ids = runs->run_ids,
                                    .conditions = runs->conditions,
                                    .run_count = runs->run_count,
                                    .columns = columns,
                                    .where = row_where,
                                    .prepare = make_functions,
                                    .take = take_row};
    for (size_t i = 0; i < threads; i++)
        payloads[i] = &searches[i];
    return p11prof_row_scan_run(&rows, payloads, threads, error);
}

static char *make_columns(const struct p11prof_scan *scan)
{
    char *columns;
    size_t bytes;
    FILE *stream = p11prof_text_open(&columns, &bytes);
    fputs(row_columns, stream);
    p11prof_scan_key_columns(stream, &scan->calls.grouping, P11PROF_SCAN_CALL);
    p11prof_scan_key_columns(stream, &scan->operations.grouping, P11PROF_SCAN_CALL);
    fclose(stream);
    return columns;
}

enum p11prof_status p11prof_scan_percentiles(const struct p11prof_scan_runs *runs, bool *agreed,
                                             struct p11prof_error *error)
{
    size_t threads = p11prof_row_scan_threads(runs->row_count);
    struct search *searches = p11prof_zalloc(threads, sizeof *searches);
    char *columns = make_columns(runs->scan);
    for (size_t i = 0; i < threads; i++)
        search_open(&searches[i], runs);
    enum p11prof_status status = run_searches(searches, threads, runs, columns, error);
    for (size_t i = 1; i < threads; i++) {
        gather(&searches[0].calls, &searches[i].calls);
        gather(&searches[0].operations, &searches[i].operations);
    }
    *agreed = status == P11PROF_OK && agrees(&searches[0].calls) && agrees(&searches[0].operations);
    if (*agreed) {
        set_quantiles(&runs->scan->calls, &searches[0].calls);
        set_quantiles(&runs->scan->operations, &searches[0].operations);
    }
    for (size_t i = 0; i < threads; i++)
        search_close(&searches[i]);
    free(columns);
    free(searches);
    return status;
}
