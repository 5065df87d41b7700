/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "call_around.h"
#include "imported.h"
#include "p11prof/batch.h"
#include "progress.h"
#include "query.h"
#include "units.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t day_ns = INT64_C(86400) * 1000000000;

/* "10:15", "10:15:30.25": ns of the day. */
static bool read_clock(const char *text, int64_t *ns)
{
    char dated[64];
    struct p11prof_moment moment;
    int length = snprintf(dated, sizeof dated, "1970-01-01T%s", text);
    if (strlen(text) < 5 || text[2] != ':' || length >= (int)sizeof dated ||
        !p11prof_read_moment(dated, &moment) || moment.kind != P11PROF_MOMENT_UTC)
        return false;
    *ns = moment.ns;
    return true;
}

bool p11prof_call_anchor_read(const char *text, struct p11prof_call_anchor *out)
{
    static const char call[] = "call:";
    char *end;
    *out = (struct p11prof_call_anchor){.kind = P11PROF_AROUND_SLOWEST};
    if (strcmp(text, "slowest") == 0)
        return true;
    if (strncmp(text, call, sizeof call - 1) == 0) {
        const char *digits = text + sizeof call - 1;
        out->kind = P11PROF_AROUND_CALL;
        out->id = strtoll(digits, &end, 10);
        return digits[0] >= '0' && digits[0] <= '9' && *end == '\0';
    }
    out->kind = P11PROF_AROUND_CLOCK;
    if (read_clock(text, &out->moment.ns))
        return true;
    out->kind = P11PROF_AROUND_MOMENT;
    return p11prof_read_moment(text, &out->moment);
}

/* --- the call that is meant --- */

/* One query for one call: nothing added if there is none. ?5 is `value`. */
static enum p11prof_status take_one(struct p11prof_call_list *out,
                                    const struct p11prof_call_scope *scope, const char *columns,
                                    const char *where, const char *order, int64_t value,
                                    struct p11prof_error *error)
{
    char *all = sqlite3_mprintf("%s%s", where, scope->where);
    sqlite3_stmt *rows;
    enum p11prof_status status =
        p11prof_call_scope_prepare(scope, columns, all ? all : where, order, false, &rows, error);
    sqlite3_free(all);
    if (status != P11PROF_OK)
        return status;
    sqlite3_bind_int64(rows, 5, value);
    return p11prof_call_list_take(out, rows, P11PROF_CALL_AT, error);
}

static enum p11prof_status complain_no_call(const struct p11prof_call_scope *scope, int64_t id,
                                            struct p11prof_error *error)
{
    static const char range[] =
        "SELECT min(first_call), max(last_call) FROM segment WHERE run = ?1";
    struct p11prof_call_scope all = *scope;
    struct p11prof_call_list found = {.refs = NULL};
    struct p11prof_table ids = {.columns = NULL};
    all.where = (char[]){""};
    enum p11prof_status status =
        take_one(&found, &all, P11PROF_CALL_REF, " AND c.id = ?5", "", id, error);
    if (status == P11PROF_OK)
        status = p11prof_query_table(scope->db, range, scope->run_id, &ids, error);
    if (status == P11PROF_OK && found.count > 0)
        p11prof_error_set(error, P11PROF_BAD_INPUT,
                          "call %lld of run %lld is not among those that the filters select",
                          (long long)id, (long long)scope->run_id);
    else if (status == P11PROF_OK)
        p11prof_error_set(error, P11PROF_BAD_INPUT,
                          "run %lld has no call %lld: its calls are from %lld to %lld",
                          (long long)scope->run_id, (long long)id,
                          (long long)p11prof_table_integer(&ids, 0, ids.columns[0].name, 0),
                          (long long)p11prof_table_integer(&ids, 0, ids.columns[1].name, 0));
    p11prof_call_list_clear(&found);
    p11prof_table_clear(&ids);
    return error->status;
}

static enum p11prof_status take_call(struct p11prof_call_list *out,
                                     const struct p11prof_call_scope *scope, int64_t id,
                                     struct p11prof_error *error)
{
    if (take_one(out, scope, P11PROF_CALL_REF, " AND c.id = ?5", "", id, error) != P11PROF_OK)
        return error->status;
    return out->count > 0 ? P11PROF_OK : complain_no_call(scope, id, error);
}

/* Waits are no anchor unless asked for: a thread that waits for hours is in all of them. */
static enum p11prof_status take_moment(struct p11prof_call_list *out,
                                       const struct p11prof_call_scope *scope, int64_t ns,
                                       struct p11prof_error *error)
{
    static const char under_way[] = " AND c.start_ns <= ?5 AND c.start_ns + c.duration_ns >= ?5";
    static const char no_waits[] = " AND c.kind <> 3";
    /* Of an aggregate with min(), SQLite gives the other columns of the row that has it. */
    static const char nearest[] =
        P11PROF_CALL_REF ", min(CASE WHEN c.start_ns > ?5 THEN c.start_ns - ?5 "
                         "ELSE ?5 - c.start_ns - c.duration_ns END)";
    char where[sizeof under_way + sizeof no_waits];
    const char *kinds = scope->with_blocking ? "" : no_waits;
    snprintf(where, sizeof where, "%s%s", under_way, kinds);
    if (take_one(out, scope, P11PROF_CALL_REF, where, "ORDER BY c.duration_ns DESC LIMIT 1", ns,
                 error) != P11PROF_OK)
        return error->status;
    if (out->count == 0)
        return take_one(out, scope, nearest, kinds, "HAVING count(*) > 0", ns, error);
    return P11PROF_OK;
}

/* Since the run's start; P11PROF_BAD_INPUT outside the run. */
static enum p11prof_status find_moment(const struct p11prof_call_scope *scope,
                                       const struct p11prof_call_anchor *anchor, int64_t *ns,
                                       struct p11prof_error *error)
{
    char duration[P11PROF_UNIT_TEXT_BYTES], start[P11PROF_UTC_BYTES], end[P11PROF_UTC_BYTES];
    if (anchor->kind == P11PROF_AROUND_CLOCK)
        *ns = ((anchor->moment.ns - scope->start_wall_ns) % day_ns + day_ns) % day_ns;
    else
        *ns = p11prof_moment_in_run(&anchor->moment, scope->start_wall_ns, scope->duration_ns);
    if (*ns >= 0 && *ns <= scope->duration_ns)
        return P11PROF_OK;
    p11prof_format_ns(duration, (uint64_t)scope->duration_ns);
    p11prof_format_utc(start, scope->start_wall_ns);
    p11prof_format_utc(end, scope->start_wall_ns + scope->duration_ns);
    return p11prof_error_set(error, P11PROF_BAD_INPUT,
                             "that moment is outside run %lld, which took %s (%s to %s)",
                             (long long)scope->run_id, duration, start, end);
}

static enum p11prof_status take_slowest(struct p11prof_call_list *out,
                                        const struct p11prof_call_scope *scope,
                                        struct p11prof_error *error)
{
    char untimed[P11PROF_UNTIMED_BYTES];
    if (p11prof_run_is_untimed(scope->db, scope->run_id, untimed))
        return p11prof_error_set(error, P11PROF_BAD_INPUT,
                                 "%s: no call is the slowest; --around takes a time, too", untimed);
    return p11prof_call_list_pick(out, scope, P11PROF_PICK_SLOWEST, 1, error);
}

/* *moment_ns: when others are asked what they had in flight. */
static enum p11prof_status take_anchor(struct p11prof_call_list *out,
                                       const struct p11prof_call_scope *scope,
                                       const struct p11prof_call_anchor *anchor, int64_t *moment_ns,
                                       struct p11prof_error *error)
{
    enum p11prof_status status;
    bool moment = anchor->kind == P11PROF_AROUND_MOMENT || anchor->kind == P11PROF_AROUND_CLOCK;
    if (anchor->kind == P11PROF_AROUND_CALL)
        status = take_call(out, scope, anchor->id, error);
    else if (!moment)
        status = take_slowest(out, scope, error);
    else if ((status = find_moment(scope, anchor, moment_ns, error)) == P11PROF_OK)
        status = take_moment(out, scope, *moment_ns, error);
    if (status != P11PROF_OK || out->count == 0)
        return status;
    out->refs[0].relation = P11PROF_CALL_AT;
    if (!moment)
        *moment_ns = out->refs[0].start_ns;
    return P11PROF_OK;
}

/* --- its thread, and others --- */

/* Rows of the anchor's thread between two ids. */
static enum p11prof_status take_thread(struct p11prof_call_list *out,
                                       const struct p11prof_call_scope *scope,
                                       const struct p11prof_call_ref *anchor, const char *where,
                                       const char *order, int64_t first, int64_t last,
                                       uint64_t count, enum p11prof_call_relation relation,
                                       struct p11prof_error *error)
{
    char all[256];
    sqlite3_stmt *rows;
    snprintf(all, sizeof all, " AND s.process = ?5 AND c.thread_id = ?6 AND c.id <> ?7%s", where);
    if (p11prof_call_scope_prepare(scope, P11PROF_CALL_REF, all, order, false, &rows, error) !=
        P11PROF_OK)
        return error->status;
    sqlite3_bind_int64(rows, 3, first);
    sqlite3_bind_int64(rows, 4, last);
    sqlite3_bind_int64(rows, 5, anchor->process_id);
    sqlite3_bind_int64(rows, 6, anchor->thread_id);
    sqlite3_bind_int64(rows, 7, anchor->id);
    sqlite3_bind_int64(rows, 8, anchor->start_ns);
    sqlite3_bind_int64(rows, 9, (int64_t)count);
    return p11prof_call_list_take(out, rows, relation, error);
}

#define BACKWARD "ORDER BY s.first_call DESC, c.id DESC LIMIT ?9"
#define FORWARD  "ORDER BY s.first_call, c.id LIMIT ?9"

/* A thread's rows are in the order in which its calls ended: those before an id are what had ended
 * before, and the walk stops when there are enough. */
static enum p11prof_status take_neighbours(struct p11prof_call_list *out,
                                           const struct p11prof_call_scope *scope, uint64_t before,
                                           uint64_t after, struct p11prof_error *error)
{
    static const char ended[] = " AND c.start_ns + c.duration_ns <= ?8";
    static const char began[] = " AND c.start_ns >= ?8 AND c.start_ns + c.duration_ns > ?8";
    struct p11prof_call_ref anchor = out->refs[0];
    bool timed = anchor.duration_ns >= 0; /* else the order of results is all that is known */
    size_t first = out->count;
    enum p11prof_status status = take_thread(out, scope, &anchor, ended, BACKWARD, 0, anchor.id,
                                             before > 0 ? before : 1, P11PROF_CALL_BEFORE, error);
    int64_t last_ended = out->count > first ? out->refs[first].id : 0;
    if (before == 0)
        out->count = first;
    if (status == P11PROF_OK && after > 0)
        status = take_thread(out, scope, &anchor, timed ? began : "", FORWARD,
                             timed ? last_ended + 1 : anchor.id + 1, INT64_MAX, after,
                             P11PROF_CALL_AFTER, error);
    if (status == P11PROF_OK && (anchor.flags & P11PROF_ROW_NESTED))
        status = take_thread(out, scope, &anchor, " AND c.start_ns <= ?8", FORWARD, anchor.id,
                             INT64_MAX, 1, P11PROF_CALL_ENCLOSING, error);
    return status;
}

static enum p11prof_status take_in_flight(struct p11prof_call_list *out,
                                          const struct p11prof_call_scope *scope, int64_t moment_ns,
                                          struct p11prof_error *error)
{
    sqlite3_stmt *rows;
    if (p11prof_call_scope_prepare(scope, P11PROF_CALL_REF,
                                   " AND c.start_ns <= ?5 AND c.start_ns + c.duration_ns >= ?5 "
                                   "AND NOT (s.process = ?6 AND c.thread_id = ?7)",
                                   "", false, &rows, error) != P11PROF_OK)
        return error->status;
    sqlite3_bind_int64(rows, 5, moment_ns);
    sqlite3_bind_int64(rows, 6, out->refs[0].process_id);
    sqlite3_bind_int64(rows, 7, out->refs[0].thread_id);
    return p11prof_call_list_take(out, rows, P11PROF_CALL_IN_FLIGHT, error);
}

/* What encloses another comes first. */
static int by_start(const void *a, const void *b)
{
    const struct p11prof_call_ref *first = a, *second = b;
    if (first->start_ns != second->start_ns)
        return first->start_ns < second->start_ns ? -1 : 1;
    if (first->duration_ns != second->duration_ns)
        return first->duration_ns > second->duration_ns ? -1 : 1;
    return (first->id > second->id) - (first->id < second->id);
}

/* One that began with what it encloses was found both ways. */
static void sort(struct p11prof_call_list *list)
{
    size_t kept = 0;
    qsort(list->refs, list->count, sizeof *list->refs, by_start);
    for (size_t i = 0; i < list->count; i++)
        if (kept == 0 || list->refs[i].id != list->refs[kept - 1].id)
            list->refs[kept++] = list->refs[i];
    list->count = kept;
}

enum p11prof_status p11prof_call_list_around(struct p11prof_call_list *out,
                                             const struct p11prof_call_scope *scope,
                                             const struct p11prof_call_anchor *anchor,
                                             uint64_t before, uint64_t after, bool all_threads,
                                             struct p11prof_error *error)
{
    struct p11prof_progress progress;
    int64_t moment_ns = 0;
    p11prof_progress_begin(&progress, scope->db, "reading calls");
    enum p11prof_status status = take_anchor(out, scope, anchor, &moment_ns, error);
    if (status == P11PROF_OK && out->count > 0)
        status = take_neighbours(out, scope, before, after, error);
    if (status == P11PROF_OK && out->count > 0 && all_threads)
        status = take_in_flight(out, scope, moment_ns, error);
    p11prof_progress_end(&progress);
    if (status == P11PROF_OK && out->count > 1)
        sort(out);
    return status;
}
