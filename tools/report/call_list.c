/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "call_list.h"
#include "allocate.h"
#include "progress.h"
#include "query.h"
#include "row_scan.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdlib.h>

static char *make_where(const struct p11prof_condition *condition,
                        const struct p11prof_selection *selection)
{
    char *where;
    size_t bytes;
    FILE *stream = p11prof_text_open(&where, &bytes);
    fputs(condition->of_call, stream);
    if (selection->slower_than_ns > 0)
        fprintf(stream, " AND c.duration_ns >= %" PRIu64, selection->slower_than_ns);
    fclose(stream);
    return where;
}

static bool asks_for_kinds(const struct p11prof_selection *selection)
{
    for (size_t i = 0; i < selection->filter_count; i++)
        if (selection->filters[i].id == P11PROF_BY_KIND)
            return true;
    return false;
}

static enum p11prof_status read_run(struct p11prof_call_scope *out, struct p11prof_error *error)
{
    static const char calls[] = "SELECT sum(count) FROM call_group WHERE run = ?1 AND "
                                "NOT is_operation";
    int64_t call_count;
    if (p11prof_query_integer(out->db, "SELECT duration_ns FROM runs WHERE run_id = ?1",
                              out->run_id, 0, &out->duration_ns, error) != P11PROF_OK ||
        p11prof_query_integer(out->db, calls, out->run_id, 0, &call_count, error) != P11PROF_OK)
        return error->status;
    out->call_count = (uint64_t)call_count;
    return p11prof_row_scan_count(out->db, &out->run_id, 1, &out->row_count, error);
}

enum p11prof_status p11prof_call_scope_open(struct p11prof_call_scope *out, struct sqlite3 *db,
                                            int64_t run_id,
                                            const struct p11prof_selection *selection,
                                            struct p11prof_error *error)
{
    struct p11prof_condition condition;
    if (p11prof_selection_resolve(selection, db, run_id, &condition, error) != P11PROF_OK)
        return error->status;
    *out = (struct p11prof_call_scope){.db = db,
                                       .run_id = run_id,
                                       .start_wall_ns = condition.start_wall_ns,
                                       .with_blocking = asks_for_kinds(selection),
                                       .where = make_where(&condition, selection)};
    p11prof_condition_clear(&condition);
    return read_run(out, error);
}

void p11prof_call_scope_clear(struct p11prof_call_scope *scope)
{
    free(scope->where);
    *scope = (struct p11prof_call_scope){.db = NULL};
}

enum p11prof_status p11prof_call_scope_check(const struct p11prof_call_scope *scope,
                                             struct p11prof_error *error)
{
    long long run_id = scope->run_id;
    if (scope->row_count > 0)
        return P11PROF_OK;
    if (scope->call_count == 0)
        return p11prof_error_set(error, P11PROF_BAD_INPUT,
                                 "run %lld has no calls: 'p11prof report %lld' shows what it has",
                                 run_id, run_id);
    return p11prof_error_set(error, P11PROF_BAD_INPUT,
                             "run %lld keeps no calls one by one (record = summary, or pruned); "
                             "'p11prof report %lld' and 'p11prof errors %lld' still answer",
                             run_id, run_id, run_id);
}

enum p11prof_status p11prof_call_scope_prepare(const struct p11prof_call_scope *scope,
                                               const char *columns, const char *where,
                                               const char *order, bool in_order,
                                               struct sqlite3_stmt **out,
                                               struct p11prof_error *error)
{
    char *sql;
    size_t bytes;
    FILE *stream = p11prof_text_open(&sql, &bytes);
    /* Without the index, segments come in the order of their ids, and nothing has to be sorted. */
    fprintf(stream,
            "SELECT %s FROM segment AS s %s CROSS JOIN call AS c ON c.id BETWEEN "
            "max(s.first_call, ?3) AND min(s.last_call, ?4) "
            "WHERE s.run = ?1 AND s.first_call <= ?4 AND s.last_call >= ?3 "
            "AND coalesce(?2, 0) IS NOT NULL%s %s",
            columns, in_order ? "NOT INDEXED" : "", where, order);
    fclose(stream);
    enum p11prof_status status = p11prof_query_prepare(scope->db, sql, scope->run_id, out, error);
    free(sql);
    if (status != P11PROF_OK)
        return status;
    sqlite3_bind_int64(*out, 2, scope->start_wall_ns);
    sqlite3_bind_int64(*out, 3, 0);
    sqlite3_bind_int64(*out, 4, INT64_MAX);
    return status;
}

void p11prof_call_list_clear(struct p11prof_call_list *list)
{
    free(list->refs);
    *list = (struct p11prof_call_list){.refs = NULL};
}

struct p11prof_call_ref p11prof_call_ref_read(struct sqlite3_stmt *row)
{
    return (struct p11prof_call_ref){.id = sqlite3_column_int64(row, 0),
                                     .process_id = sqlite3_column_int64(row, 1),
                                     .thread_id = sqlite3_column_int64(row, 2),
                                     .start_ns = sqlite3_column_int64(row, 3),
                                     .duration_ns = sqlite3_column_int64(row, 4),
                                     .gap_ns = P11PROF_NO_GAP,
                                     .flags = (unsigned)sqlite3_column_int(row, 5)};
}

enum p11prof_status p11prof_call_list_take(struct p11prof_call_list *list,
                                           struct sqlite3_stmt *rows,
                                           enum p11prof_call_relation relation,
                                           struct p11prof_error *error)
{
    int result;
    while ((result = sqlite3_step(rows)) == SQLITE_ROW) {
        list->refs = p11prof_grow(list->refs, &list->capacity, list->count + 1, sizeof *list->refs);
        list->refs[list->count] = p11prof_call_ref_read(rows);
        list->refs[list->count++].relation = relation;
    }
    return p11prof_query_end(rows, result, error);
}

static void reverse(struct p11prof_call_list *list)
{
    for (size_t i = 0; i < list->count / 2; i++) {
        struct p11prof_call_ref ref = list->refs[i];
        list->refs[i] = list->refs[list->count - 1 - i];
        list->refs[list->count - 1 - i] = ref;
    }
}

/* Takes at most `count`; ?6 is `value`. */
static enum p11prof_status take(struct p11prof_call_list *out,
                                const struct p11prof_call_scope *scope, const char *where,
                                const char *order, bool in_order, uint64_t count, int64_t value,
                                struct p11prof_error *error)
{
    sqlite3_stmt *rows;
    char *all = sqlite3_mprintf("%s%s", where, scope->where);
    enum p11prof_status status = p11prof_call_scope_prepare(
        scope, P11PROF_CALL_REF, all ? all : where, order, in_order, &rows, error);
    sqlite3_free(all);
    if (status != P11PROF_OK)
        return status;
    sqlite3_bind_int64(rows, 5, (int64_t)count);
    sqlite3_bind_int64(rows, 6, value);
    return p11prof_call_list_take(out, rows, P11PROF_CALL_LISTED, error);
}

#define NEWEST_FIRST "ORDER BY c.start_ns DESC, c.id DESC LIMIT ?5"

/* Rows come nearly in order, and each would be the newest so far: those that were recorded last say
 * first what is too old to be sorted in. */
static enum p11prof_status take_newest(struct p11prof_call_list *out,
                                       const struct p11prof_call_scope *scope, uint64_t count,
                                       struct p11prof_error *error)
{
    int64_t oldest_ns = INT64_MAX;
    if (take(out, scope, "", "ORDER BY s.first_call DESC, c.id DESC LIMIT ?5", true, count, 0,
             error) != P11PROF_OK)
        return error->status;
    if (out->count < count)
        oldest_ns = INT64_MIN;
    for (size_t i = 0; i < out->count; i++)
        if (out->refs[i].start_ns < oldest_ns)
            oldest_ns = out->refs[i].start_ns;
    out->count = 0;
    enum p11prof_status status =
        take(out, scope, " AND c.start_ns >= ?6", NEWEST_FIRST, false, count, oldest_ns, error);
    reverse(out);
    return status;
}

static enum p11prof_status take_slowest(struct p11prof_call_list *out,
                                        const struct p11prof_call_scope *scope, uint64_t count,
                                        struct p11prof_error *error)
{
    return take(out, scope, scope->with_blocking ? "" : " AND c.kind <> 3",
                "ORDER BY c.duration_ns DESC, c.id LIMIT ?5", false, count, 0, error);
}

static enum p11prof_status take_failed(struct p11prof_call_list *out,
                                       const struct p11prof_call_scope *scope, uint64_t count,
                                       struct p11prof_error *error)
{
    return take(out, scope, " AND c.rv <> 0 AND c.kind <> 2", NEWEST_FIRST, false, count, 0, error);
}

enum p11prof_status p11prof_call_list_pick(struct p11prof_call_list *out,
                                           const struct p11prof_call_scope *scope,
                                           enum p11prof_call_pick pick, uint64_t count,
                                           struct p11prof_error *error)
{
    static enum p11prof_status (*const picks[])(struct p11prof_call_list * out,
                                                const struct p11prof_call_scope *scope,
                                                uint64_t count, struct p11prof_error *error) = {
        [P11PROF_PICK_SLOWEST] = take_slowest,
        [P11PROF_PICK_NEWEST] = take_newest,
        [P11PROF_PICK_FAILED] = take_failed,
    };
    struct p11prof_progress progress;
    p11prof_progress_begin(&progress, scope->db, "reading calls");
    enum p11prof_status status = picks[pick](out, scope, count, error);
    p11prof_progress_end(&progress);
    return status;
}
