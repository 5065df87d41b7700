/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The worst outliers: which calls they were. */
#include "allocate.h"
#include "histogram_steps.h"
#include "operation_ns.h"
#include "p11prof/batch.h"
#include "p11prof/load.h"
#include "query.h"
#include "row_scan.h"
#include "scan_key.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdlib.h>

enum row {
    ROW_RV,
    ROW_KIND,
    ROW_PROCESS,
    ROW_THREAD,
    ROW_END,
    ROW_START,
    ROW_DURATION,
    ROW_DIMENSIONS,
};
static const char row_columns[] =
    "c.rv, c.kind, s.process, c.thread_id, c.start_ns + c.duration_ns, ";
static const char of_call[] = "c.start_ns, c.duration_ns";
static const char of_operation[] =
    "coalesce(c.operation_start_ns, c.start_ns), " P11PROF_OPERATION_NS;

/* What a thread found of one group. */
struct found {
    uint64_t count;
    struct p11prof_worst worst[P11PROF_WORST];
    size_t worst_count;
};

/* One thread. */
struct search {
    const struct p11prof_histogram *histogram;
    const struct p11prof_histogram_set *set;
    struct found *found;    /* of each group of the histogram */
    const size_t *group_of; /* of each group of the tally: index in the histogram, or SIZE_MAX */
};

static void insert(struct p11prof_worst *worst, size_t *count, const struct p11prof_worst *one)
{
    size_t at = *count;
    while (at > 0 && worst[at - 1].duration_ns < one->duration_ns)
        at--;
    if (at == P11PROF_WORST)
        return;
    *count += *count < P11PROF_WORST;
    for (size_t i = *count - 1; i > at; i--)
        worst[i] = worst[i - 1];
    worst[at] = *one;
}

static bool is_failed(sqlite3_stmt *row)
{
    return sqlite3_column_type(row, ROW_RV) != SQLITE_NULL &&
           sqlite3_column_int64(row, ROW_RV) != CKR_OK &&
           sqlite3_column_int(row, ROW_KIND) != P11PROF_KIND_TOO_SMALL;
}

static void take_row(void *payload, size_t run, sqlite3_stmt *row)
{
    struct search *search = payload;
    const struct p11prof_tally *tally = p11prof_histogram_tally(search->set);
    struct p11prof_worst one = {.run_id = search->set->runs->run_ids[run],
                                .process_id = sqlite3_column_int64(row, ROW_PROCESS),
                                .thread_id = sqlite3_column_int64(row, ROW_THREAD),
                                .start_ns = sqlite3_column_int64(row, ROW_START),
                                .end_ns = sqlite3_column_int64(row, ROW_END),
                                .duration_ns = (uint64_t)sqlite3_column_int64(row, ROW_DURATION)};
    struct p11prof_scan_place place = {one.run_id, one.process_id};
    struct p11prof_key key;
    p11prof_scan_key(&key, &tally->grouping, &search->set->scan.texts, &place, row, ROW_DIMENSIONS);
    size_t index = p11prof_tally_index(tally, &key);
    size_t group = index < tally->group_count ? search->group_of[index] : SIZE_MAX;
    if (group == SIZE_MAX ||
        one.duration_ns <= search->histogram->groups[group].outliers.beyond_ns ||
        (is_failed(row) && !p11prof_grouping_has(&tally->grouping, P11PROF_BY_RV)))
        return;
    one.start_wall_ns = search->set->conditions[run].start_wall_ns + one.start_ns;
    search->found[group].count++;
    insert(search->found[group].worst, &search->found[group].worst_count, &one);
}

/* Index in the histogram of each group of the set's tally. */
static size_t *map_groups(const struct p11prof_histogram *histogram,
                          const struct p11prof_histogram_set *set)
{
    const struct p11prof_tally *tally = p11prof_histogram_tally(set);
    size_t *map = p11prof_zalloc(tally->group_count, sizeof *map);
    for (size_t i = 0; i < tally->group_count; i++)
        map[i] = SIZE_MAX;
    for (size_t i = 0; i < histogram->group_count; i++)
        if (histogram->groups[i].set == set)
            map[histogram->groups[i].tally - tally->groups] = i;
    return map;
}

/* The duration that all outliers of the set are beyond; INT64_MAX: there are none. */
static uint64_t least_beyond(const struct p11prof_histogram *histogram,
                             const struct p11prof_histogram_set *set)
{
    uint64_t least_ns = INT64_MAX;
    for (size_t i = 0; i < histogram->group_count; i++) {
        const struct p11prof_histogram_group *group = &histogram->groups[i];
        bool has = group->set == set && group->stats.count > 0 &&
                   group->stats.max_ns > group->outliers.beyond_ns;
        if (has && group->outliers.beyond_ns < least_ns)
            least_ns = group->outliers.beyond_ns;
    }
    return least_ns;
}

static char *make_columns(const struct p11prof_histogram_set *set)
{
    char *columns;
    size_t bytes;
    FILE *stream = p11prof_text_open(&columns, &bytes);
    fprintf(stream, "%s%s", row_columns,
            set->of == P11PROF_HISTOGRAM_CALLS ? of_call : of_operation);
    p11prof_scan_key_columns(stream, &p11prof_histogram_tally(set)->grouping, P11PROF_SCAN_CALL);
    fclose(stream);
    return columns;
}

static enum p11prof_status scan(struct search *searches, size_t threads, struct sqlite3 *db,
                                uint64_t beyond_ns, struct p11prof_error *error)
{
    const struct p11prof_histogram_set *set = searches[0].set;
    void *payloads[P11PROF_SCAN_THREADS_MAX];
    char where[320], *columns = make_columns(set);
    const char *form = set->of == P11PROF_HISTOGRAM_CALLS
                           ? " AND c.duration_ns > %" PRIu64
                           : " AND c.operation IS NOT NULL AND " P11PROF_OPERATION_NS " > %" PRIu64;
    snprintf(where, sizeof where, form, beyond_ns);
    struct p11prof_row_scan rows = {.db = db,
                                    .run_ids = set->runs->run_ids,
                                    .conditions = set->conditions,
                                    .run_count = set->runs->run_count,
                                    .columns = columns,
                                    .where = where,
                                    .take = take_row};
    for (size_t i = 0; i < threads; i++)
        payloads[i] = &searches[i];
    enum p11prof_status status = p11prof_row_scan_run(&rows, payloads, threads, error);
    free(columns);
    return status;
}

/* Who it was. */
static enum p11prof_status name_process(struct p11prof_worst *worst, struct sqlite3 *db,
                                        struct p11prof_error *error)
{
    struct p11prof_table table = {.columns = NULL};
    enum p11prof_status status = p11prof_query_table(
        db, "SELECT pid, program FROM process WHERE id = ?1", worst->process_id, &table, error);
    if (status == P11PROF_OK && table.row_count > 0) {
        const char *program = p11prof_table_text(&table, 0, "program", NULL);
        worst->pid = p11prof_table_integer(&table, 0, "pid", 0);
        worst->program = program ? p11prof_copy(program) : NULL;
    }
    p11prof_table_clear(&table);
    return status;
}

static enum p11prof_status gather(struct p11prof_histogram_group *group, size_t index,
                                  const struct search *searches, size_t threads, struct sqlite3 *db,
                                  struct p11prof_error *error)
{
    group->worst_known = true;
    group->outliers.count = 0;
    for (size_t i = 0; i < threads; i++) {
        const struct found *found = &searches[i].found[index];
        group->outliers.count += found->count;
        for (size_t k = 0; k < found->worst_count; k++)
            insert(group->worst, &group->worst_count, &found->worst[k]);
    }
    if (group->stats.count > 0)
        group->outliers.share = (double)group->outliers.count / (double)group->stats.count;
    for (size_t i = 0; i < group->worst_count; i++)
        if (name_process(&group->worst[i], db, error) != P11PROF_OK)
            return error->status;
    return P11PROF_OK;
}

static enum p11prof_status find(struct p11prof_histogram *histogram,
                                struct p11prof_histogram_set *set, struct sqlite3 *db,
                                const size_t *group_of, struct p11prof_error *error)
{
    struct search searches[P11PROF_SCAN_THREADS_MAX];
    uint64_t row_count, beyond_ns = least_beyond(histogram, set);
    if (p11prof_row_scan_count(db, set->runs->run_ids, set->runs->run_count, &row_count, error) !=
        P11PROF_OK)
        return error->status;
    size_t threads = p11prof_row_scan_threads(row_count);
    for (size_t i = 0; i < threads; i++)
        searches[i] =
            (struct search){.histogram = histogram,
                            .set = set,
                            .found = p11prof_zalloc(histogram->group_count, sizeof(struct found)),
                            .group_of = group_of};
    enum p11prof_status status =
        beyond_ns < INT64_MAX ? scan(searches, threads, db, beyond_ns, error) : P11PROF_OK;
    for (size_t i = 0; i < histogram->group_count && status == P11PROF_OK; i++)
        if (histogram->groups[i].set == set)
            status = gather(&histogram->groups[i], i, searches, threads, db, error);
    for (size_t i = 0; i < threads; i++)
        free(searches[i].found);
    return status;
}

enum p11prof_status p11prof_histogram_find_worst(struct p11prof_histogram *histogram,
                                                 struct p11prof_histogram_set *set,
                                                 struct sqlite3 *db, struct p11prof_error *error)
{
    size_t *group_of = map_groups(histogram, set);
    enum p11prof_status status = find(histogram, set, db, group_of, error);
    free(group_of);
    return status;
}
