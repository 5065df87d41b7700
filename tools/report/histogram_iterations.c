/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The worst outliers of a load: the how many-th operations they were. Only a count of all that
 * ended before tells, since rows are not quite in the order of their ends. */
#include "allocate.h"
#include "histogram_steps.h"
#include "p11prof/load.h"
#include "row_scan.h"

#include <sqlite3.h>
#include <stdlib.h>

/* One of the worst, as it is looked for. */
struct place {
    struct p11prof_worst *worst;
    int64_t run_id, part, operation;
};

/* One thread. */
struct counter {
    const struct p11prof_run_set *runs;
    const struct place *places;
    size_t count;
    uint64_t *before; /* of each place: operations that ended no later */
};

enum { ROW_PART, ROW_OPERATION, ROW_END };

static void take_row(void *payload, size_t run, sqlite3_stmt *row)
{
    struct counter *counter = payload;
    int64_t part = sqlite3_column_int64(row, ROW_PART);
    int64_t operation = sqlite3_column_int64(row, ROW_OPERATION);
    int64_t end_ns = sqlite3_column_int64(row, ROW_END);
    for (size_t i = 0; i < counter->count; i++) {
        const struct place *place = &counter->places[i];
        counter->before[i] += place->part == part && place->operation == operation &&
                              place->run_id == counter->runs->run_ids[run] &&
                              end_ns <= place->worst->end_ns;
    }
}

static size_t list_places(struct place *out, struct p11prof_histogram *histogram,
                          const struct p11prof_histogram_set *set)
{
    const struct p11prof_tally *tally = p11prof_histogram_tally(set);
    size_t count = 0;
    for (size_t i = 0; i < histogram->group_count; i++) {
        struct p11prof_histogram_group *group = &histogram->groups[i];
        for (size_t k = 0; group->set == set && k < group->worst_count; k++) {
            struct place *place = &out[count++];
            *place = (struct place){.worst = &group->worst[k], .run_id = group->worst[k].run_id};
            p11prof_tally_value(tally, &group->tally->key, P11PROF_BY_PART, &place->part);
            p11prof_tally_value(tally, &group->tally->key, P11PROF_BY_OPERATION, &place->operation);
        }
    }
    return count;
}

static enum p11prof_status scan(struct counter *counters, size_t threads,
                                const struct p11prof_condition *conditions, struct sqlite3 *db,
                                struct p11prof_error *error)
{
    void *payloads[P11PROF_SCAN_THREADS_MAX];
    struct p11prof_row_scan rows = {.db = db,
                                    .run_ids = counters[0].runs->run_ids,
                                    .conditions = conditions,
                                    .run_count = counters[0].runs->run_count,
                                    .columns = "c.part, c.operation, c.start_ns + c.duration_ns",
                                    .where = " AND c.part & 3 = 2 AND c.operation IS NOT NULL",
                                    .take = take_row};
    for (size_t i = 0; i < threads; i++)
        payloads[i] = &counters[i];
    return p11prof_row_scan_run(&rows, payloads, threads, error);
}

static enum p11prof_status count_before(const struct place *places, size_t count,
                                        const struct p11prof_histogram_set *set,
                                        const struct p11prof_condition *conditions,
                                        struct sqlite3 *db, struct p11prof_error *error)
{
    struct counter counters[P11PROF_SCAN_THREADS_MAX];
    uint64_t row_count;
    if (p11prof_row_scan_count(db, set->runs->run_ids, set->runs->run_count, &row_count, error) !=
        P11PROF_OK)
        return error->status;
    size_t threads = p11prof_row_scan_threads(row_count);
    for (size_t i = 0; i < threads; i++)
        counters[i] =
            (struct counter){set->runs, places, count, p11prof_zalloc(count, sizeof(uint64_t))};
    enum p11prof_status status = scan(counters, threads, conditions, db, error);
    for (size_t i = 0; i < threads; i++) {
        for (size_t k = 0; k < count; k++)
            places[k].worst->iteration += counters[i].before[k];
        free(counters[i].before);
    }
    return status;
}

enum p11prof_status p11prof_histogram_number_worst(struct p11prof_histogram *histogram,
                                                   struct p11prof_histogram_set *set,
                                                   struct sqlite3 *db, struct p11prof_error *error)
{
    struct place *places = p11prof_zalloc(histogram->group_count * P11PROF_WORST, sizeof *places);
    struct p11prof_condition *all = p11prof_zalloc(set->runs->run_count, sizeof *all);
    size_t count = list_places(places, histogram, set);
    enum p11prof_status status = P11PROF_OK;
    for (size_t i = 0; i < set->runs->run_count && count > 0 && status == P11PROF_OK; i++)
        status = p11prof_selection_resolve(NULL, db, set->runs->run_ids[i], &all[i], error);
    if (status == P11PROF_OK && count > 0)
        status = count_before(places, count, set, all, db, error);
    for (size_t i = 0; i < set->runs->run_count; i++)
        p11prof_condition_clear(&all[i]);
    free(all);
    free(places);
    return status;
}
