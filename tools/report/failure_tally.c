/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "failure_tally.h"
#include "allocate.h"
#include "p11prof/pkcs11.h"
#include "query.h"
#include "row_scan.h"
#include "scan_key.h"

#include <sqlite3.h>
#include <stdlib.h>

void p11prof_failure_tally_clear(struct p11prof_failure_tally *tally)
{
    p11prof_tally_clear(&tally->tally);
    free(tally->spans);
    *tally = (struct p11prof_failure_tally){.tally.grouping = tally->tally.grouping};
}

/* --- rows --- */

/* What one thread of a scan fills: failures, or the counts of all calls. */
struct part {
    struct p11prof_failure_tally failures;
    const struct p11prof_texts *texts;
    int64_t run_id;
};

enum { ROW_PROCESS, ROW_DURATION, ROW_START, ROW_KEY };

static struct p11prof_tally_group *find_group(struct part *part, sqlite3_stmt *row)
{
    struct p11prof_scan_place place = {part->run_id, sqlite3_column_int64(row, ROW_PROCESS)};
    struct p11prof_key key;
    p11prof_scan_key(&key, &part->failures.tally.grouping, part->texts, &place, row, ROW_KEY);
    return p11prof_tally_find(&part->failures.tally, &key);
}

static void widen(struct p11prof_failure_tally *failures, size_t index, bool is_new,
                  struct p11prof_failure_span span)
{
    failures->spans =
        p11prof_grow(failures->spans, &failures->span_capacity, index + 1, sizeof *failures->spans);
    struct p11prof_failure_span *known = &failures->spans[index];
    if (is_new || span.first_ns < known->first_ns)
        known->first_ns = span.first_ns;
    if (is_new || span.last_ns > known->last_ns)
        known->last_ns = span.last_ns;
}

static void take_failure(void *payload, size_t run, sqlite3_stmt *row)
{
    struct part *part = payload;
    struct p11prof_tally_group *group = find_group(part, row);
    int64_t start_ns = sqlite3_column_int64(row, ROW_START);
    int64_t duration_ns = sqlite3_column_int64(row, ROW_DURATION);
    (void)run;
    widen(&part->failures, (size_t)(group - part->failures.tally.groups), group->count == 0,
          (struct p11prof_failure_span){start_ns, start_ns});
    group->count++;
    if (duration_ns < 0)
        return;
    group->total_ns += (uint64_t)duration_ns;
    p11prof_tally_add_duration(group, (uint64_t)duration_ns);
}

static void take_call(void *payload, size_t run, sqlite3_stmt *row)
{
    (void)run;
    find_group(payload, row)->count++;
}

/* All that another thread found. */
static void absorb(struct p11prof_failure_tally *into, struct p11prof_failure_tally *from)
{
    for (size_t i = 0; i < from->tally.group_count; i++) {
        struct p11prof_tally_group *group =
            p11prof_tally_find(&into->tally, &from->tally.groups[i].key);
        if (from->spans)
            widen(into, (size_t)(group - into->tally.groups), group->count == 0, from->spans[i]);
        p11prof_tally_merge(group, &from->tally.groups[i]);
    }
}

static char *make_columns(const struct p11prof_grouping *grouping)
{
    char *columns;
    size_t bytes;
    FILE *stream = p11prof_text_open(&columns, &bytes);
    fputs("s.process, c.duration_ns, c.start_ns", stream);
    p11prof_scan_key_columns(stream, grouping, P11PROF_SCAN_CALL);
    fclose(stream);
    return columns;
}

static enum p11prof_status scan_parts(struct p11prof_failure_tally *out,
                                      const struct p11prof_row_scan *scan,
                                      const struct p11prof_texts *texts,
                                      struct p11prof_error *error)
{
    struct part parts[P11PROF_SCAN_THREADS_MAX];
    void *payloads[P11PROF_SCAN_THREADS_MAX];
    uint64_t row_count;
    if (p11prof_row_scan_count(scan->db, scan->run_ids, 1, &row_count, error) != P11PROF_OK)
        return error->status;
    size_t count = p11prof_row_scan_threads(row_count);
    for (size_t i = 0; i < count; i++) {
        parts[i] = (struct part){.failures.tally.grouping = out->tally.grouping,
                                 .texts = texts,
                                 .run_id = *scan->run_ids};
        payloads[i] = &parts[i];
    }
    enum p11prof_status status = p11prof_row_scan_run(scan, payloads, count, error);
    for (size_t i = 0; i < count; i++) {
        absorb(out, &parts[i].failures);
        p11prof_failure_tally_clear(&parts[i].failures);
    }
    return status;
}

/* `where`: besides the selection. */
static enum p11prof_status scan_rows(struct p11prof_failure_tally *out, struct sqlite3 *db,
                                     int64_t run_id, const struct p11prof_selection *selection,
                                     const char *where, bool failures,
                                     const struct p11prof_texts *texts, struct p11prof_error *error)
{
    struct p11prof_condition condition;
    if (p11prof_selection_resolve(selection, db, run_id, &condition, error) != P11PROF_OK)
        return error->status;
    char *columns = make_columns(&out->tally.grouping);
    char *all = sqlite3_mprintf("%s AND c.duration_ns >= %lld", where,
                                (long long)selection->slower_than_ns);
    struct p11prof_row_scan scan = {.db = db,
                                    .run_ids = &run_id,
                                    .conditions = &condition,
                                    .run_count = 1,
                                    .columns = columns,
                                    .where = selection->slower_than_ns > 0 && all ? all : where,
                                    .take = failures ? take_failure : take_call};
    enum p11prof_status status = scan_parts(out, &scan, texts, error);
    sqlite3_free(all);
    free(columns);
    p11prof_condition_clear(&condition);
    return status;
}

enum p11prof_status p11prof_failures_of_rows(struct p11prof_failure_tally *out, struct sqlite3 *db,
                                             int64_t run_id,
                                             const struct p11prof_selection *selection,
                                             const struct p11prof_texts *texts,
                                             struct p11prof_error *error)
{
    return scan_rows(out, db, run_id, selection, " AND c.rv IS NOT 0", true, texts, error);
}

/* --- sums --- */

/* The errors as a table of calls c: filters by function and rv find their columns in it. Buffers
 * that were too small are no errors, and undisclosed results have no times of their own. */
#define SUMS                                                                                       \
    "SELECT c.function, c.rv, c.count, c.sum_ns, c.min_ns, c.max_ns FROM ("                        \
    "SELECT function, rv, count, sum_ns, min_ns, max_ns FROM error_count WHERE run = ?1 "          \
    "UNION ALL SELECT code, ?3, sum(count), sum(sum_ns), min(min_ns), max(max_ns) "                \
    "FROM call_group WHERE run = ?1 AND NOT is_operation AND kind = 2 GROUP BY code "              \
    "UNION ALL SELECT code, NULL, sum(undisclosed_count), NULL, NULL, NULL "                       \
    "FROM call_group WHERE run = ?1 AND NOT is_operation GROUP BY code"                            \
    ") AS c WHERE c.count > 0 AND coalesce(?2, 0) IS NOT NULL"

static void take_sum(struct p11prof_tally *tally, sqlite3_stmt *row)
{
    struct p11prof_key key = {
        .values = {sqlite3_column_int64(row, 0), sqlite3_column_int64(row, 1)},
        .known = sqlite3_column_type(row, 1) == SQLITE_NULL ? 1 : 3};
    struct p11prof_tally_group *group = p11prof_tally_find(tally, &key);
    struct p11prof_sums sums = {.count = (uint64_t)sqlite3_column_int64(row, 2),
                                .sum_ns = (uint64_t)sqlite3_column_int64(row, 3),
                                .min_ns = (uint64_t)sqlite3_column_int64(row, 4),
                                .max_ns = (uint64_t)sqlite3_column_int64(row, 5)};
    group->count += sums.count;
    group->total_ns += sums.sum_ns;
    if (sqlite3_column_type(row, 3) != SQLITE_NULL)
        p11prof_sums_add(&group->sums, &sums);
}

enum p11prof_status p11prof_failures_of_sums(struct p11prof_failure_tally *out, struct sqlite3 *db,
                                             int64_t run_id,
                                             const struct p11prof_selection *selection,
                                             struct p11prof_error *error)
{
    struct p11prof_condition condition;
    sqlite3_stmt *rows;
    int result;
    if (p11prof_selection_resolve(selection, db, run_id, &condition, error) != P11PROF_OK)
        return error->status;
    char *sql = sqlite3_mprintf("%s%s", SUMS, condition.of_call);
    enum p11prof_status status = p11prof_query_prepare(db, sql ? sql : SUMS, run_id, &rows, error);
    sqlite3_free(sql);
    p11prof_condition_clear(&condition);
    if (status != P11PROF_OK)
        return status;
    sqlite3_bind_int64(rows, 3, (int64_t)CKR_BUFFER_TOO_SMALL);
    while ((result = sqlite3_step(rows)) == SQLITE_ROW)
        take_sum(&out->tally, rows);
    return p11prof_query_end(rows, result, error);
}

/* --- all calls --- */

static enum p11prof_status count_groups(struct p11prof_tally *out, struct sqlite3 *db,
                                        int64_t run_id, const struct p11prof_condition *condition,
                                        const struct p11prof_texts *texts,
                                        struct p11prof_error *error)
{
    struct p11prof_scan_place place = {.run_id = run_id};
    sqlite3_stmt *rows;
    char *sql;
    size_t bytes;
    int result;
    FILE *stream = p11prof_text_open(&sql, &bytes);
    fputs("SELECT g.count", stream);
    p11prof_scan_key_columns(stream, &out->grouping, P11PROF_SCAN_GROUP);
    fprintf(stream, " FROM call_group AS g WHERE g.run = ?1 AND NOT g.is_operation%s",
            condition->of_group);
    fclose(stream);
    enum p11prof_status status = p11prof_query_prepare(db, sql, run_id, &rows, error);
    free(sql);
    if (status != P11PROF_OK)
        return status;
    while ((result = sqlite3_step(rows)) == SQLITE_ROW) {
        struct p11prof_key key;
        p11prof_scan_key(&key, &out->grouping, texts, &place, rows, 1);
        p11prof_tally_find(out, &key)->count += (uint64_t)sqlite3_column_int64(rows, 0);
    }
    return p11prof_query_end(rows, result, error);
}

static struct p11prof_selection without_results(const struct p11prof_selection *selection)
{
    struct p11prof_selection out = *selection;
    out.filter_count = 0;
    for (size_t i = 0; i < selection->filter_count; i++)
        if (selection->filters[i].id != P11PROF_BY_RV)
            out.filters[out.filter_count++] = selection->filters[i];
    return out;
}

enum p11prof_status p11prof_failures_all_calls(struct p11prof_tally *out, struct sqlite3 *db,
                                               int64_t run_id,
                                               const struct p11prof_selection *selection,
                                               const struct p11prof_texts *texts,
                                               struct p11prof_error *error)
{
    struct p11prof_selection all = without_results(selection);
    struct p11prof_condition condition;
    if (p11prof_selection_resolve(&all, db, run_id, &condition, error) != P11PROF_OK)
        return error->status;
    bool groups_tell = condition.of_group && !condition.of_window &&
                       !p11prof_grouping_needs_rows(&out->grouping, false) &&
                       !p11prof_grouping_needs_windows(&out->grouping);
    enum p11prof_status status = P11PROF_OK;
    if (groups_tell)
        status = count_groups(out, db, run_id, &condition, texts, error);
    p11prof_condition_clear(&condition);
    if (groups_tell || status != P11PROF_OK)
        return status;
    struct p11prof_failure_tally counts = {.tally.grouping = out->grouping};
    status = scan_rows(&counts, db, run_id, &all, "", false, texts, error);
    *out = counts.tally;
    return status;
}
