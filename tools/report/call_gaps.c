/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "call_gaps.h"
#include "allocate.h"
#include "p11prof/batch.h"
#include "query.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdlib.h>

/* Rows before a call that are looked at for it alone; a longer way is gone once for all. */
enum { NEAR_ROWS = 20000, NEAR_CALLS = 1000 };

static bool stands_alone(const struct p11prof_call_ref *call)
{
    return (call->flags & (P11PROF_ROW_NESTED | P11PROF_ROW_SIGNAL)) == 0;
}

/* --- all threads at once --- */

void p11prof_thread_ends_clear(struct p11prof_thread_ends *ends)
{
    free(ends->slots);
    *ends = (struct p11prof_thread_ends){.slots = NULL};
}

/* The thread's slot, or the free one where it belongs. */
static struct p11prof_thread_end *find_slot(const struct p11prof_thread_ends *ends,
                                            int64_t process_id, int64_t thread_id)
{
    uint64_t hash =
        ((uint64_t)process_id << 32 ^ (uint64_t)thread_id) * UINT64_C(0x9E3779B97F4A7C15);
    size_t at = (size_t)(hash >> 32) & (ends->slot_count - 1);
    while (ends->slots[at].thread_id != -1 &&
           (ends->slots[at].process_id != process_id || ends->slots[at].thread_id != thread_id))
        at = (at + 1) & (ends->slot_count - 1);
    return &ends->slots[at];
}

static void grow(struct p11prof_thread_ends *ends)
{
    struct p11prof_thread_ends larger = {.count = ends->count,
                                         .slot_count = ends->slots ? 2 * ends->slot_count : 64};
    larger.slots = p11prof_zalloc(larger.slot_count, sizeof *larger.slots);
    for (size_t i = 0; i < larger.slot_count; i++)
        larger.slots[i].thread_id = -1;
    for (size_t i = 0; i < ends->slot_count; i++)
        if (ends->slots[i].thread_id != -1)
            *find_slot(&larger, ends->slots[i].process_id, ends->slots[i].thread_id) =
                ends->slots[i];
    p11prof_thread_ends_clear(ends);
    *ends = larger;
}

int64_t p11prof_thread_ends_gap(struct p11prof_thread_ends *ends,
                                const struct p11prof_call_ref *call)
{
    int64_t gap_ns = P11PROF_NO_GAP;
    if (!stands_alone(call))
        return gap_ns;
    if (2 * (ends->count + 1) > ends->slot_count)
        grow(ends);
    struct p11prof_thread_end *end = find_slot(ends, call->process_id, call->thread_id);
    if (end->thread_id == -1)
        ends->count++;
    else if (call->start_ns >= end->end_ns && end->known)
        gap_ns = call->start_ns - end->end_ns;
    *end = (struct p11prof_thread_end){call->process_id, call->thread_id,
                                       call->start_ns + call->duration_ns, call->duration_ns >= 0};
    return gap_ns;
}

/* --- calls of a list --- */

/* Looks at the rows just before the call. *found: one of the thread was there. */
static enum p11prof_status look_near(struct p11prof_call_ref *call, sqlite3_stmt *before,
                                     bool *found, struct p11prof_error *error)
{
    sqlite3_reset(before);
    sqlite3_bind_int64(before, 3, call->id - NEAR_ROWS);
    sqlite3_bind_int64(before, 4, call->id - 1);
    sqlite3_bind_int64(before, 5, call->process_id);
    sqlite3_bind_int64(before, 6, call->thread_id);
    int result = sqlite3_step(before);
    *found = result == SQLITE_ROW;
    if (!*found && result != SQLITE_DONE)
        return p11prof_error_set(error, P11PROF_FAILED, "calls cannot be read: %s",
                                 sqlite3_errmsg(sqlite3_db_handle(before)));
    if (*found && sqlite3_column_int(before, 1) &&
        call->start_ns >= sqlite3_column_int64(before, 0))
        call->gap_ns = call->start_ns - sqlite3_column_int64(before, 0);
    return P11PROF_OK;
}

/* *missing gets those that have no call of their thread near. */
static enum p11prof_status look_near_all(struct p11prof_call_list *list,
                                         const struct p11prof_call_scope *scope,
                                         struct p11prof_call_ref **missing, size_t *missing_count,
                                         struct p11prof_error *error)
{
    static const char where[] = " AND s.process = ?5 AND c.thread_id = ?6 AND (c.flags & 5) = 0";
    _Static_assert((P11PROF_ROW_NESTED | P11PROF_ROW_SIGNAL) == 5, "as the query has it");
    enum p11prof_status status = P11PROF_OK;
    sqlite3_stmt *before;
    bool near = list->count <= NEAR_CALLS;
    if (p11prof_call_scope_prepare(scope, "c.start_ns + c.duration_ns, c.duration_ns >= 0", where,
                                   "ORDER BY s.first_call DESC, c.id DESC LIMIT 1", false, &before,
                                   error) != P11PROF_OK)
        return error->status;
    for (size_t i = 0; i < list->count && status == P11PROF_OK; i++) {
        bool found = !stands_alone(&list->refs[i]);
        if (!found && near)
            status = look_near(&list->refs[i], before, &found, error);
        if (!found)
            missing[(*missing_count)++] = &list->refs[i];
    }
    sqlite3_finalize(before);
    return status;
}

static int by_id(const void *a, const void *b)
{
    const struct p11prof_call_ref *const *first = a, *const *second = b;
    return ((*first)->id > (*second)->id) - ((*first)->id < (*second)->id);
}

static int by_number(const void *a, const void *b)
{
    const int64_t *first = a, *second = b;
    return (*first > *second) - (*first < *second);
}

/* " AND c.thread_id IN (…)" */
static char *where_threads(struct p11prof_call_ref *const *calls, size_t count)
{
    char *where;
    size_t bytes;
    int64_t *threads = p11prof_zalloc(count, sizeof *threads);
    FILE *stream = p11prof_text_open(&where, &bytes);
    for (size_t i = 0; i < count; i++)
        threads[i] = calls[i]->thread_id;
    qsort(threads, count, sizeof *threads, by_number);
    fputs(" AND c.thread_id IN (", stream);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || threads[i] != threads[i - 1])
            fprintf(stream, "%s%" PRId64, i > 0 ? ", " : "", threads[i]);
    fputs(")", stream);
    fclose(stream);
    free(threads);
    return where;
}

/* Goes through all rows of the threads, in the order of their ids. */
static enum p11prof_status look_far(struct p11prof_call_ref **calls, size_t count,
                                    const struct p11prof_call_scope *scope,
                                    struct p11prof_error *error)
{
    struct p11prof_thread_ends ends = {.slots = NULL};
    sqlite3_stmt *rows;
    int result = SQLITE_DONE;
    qsort(calls, count, sizeof *calls, by_id);
    char *where = where_threads(calls, count);
    enum p11prof_status status =
        p11prof_call_scope_prepare(scope, P11PROF_CALL_REF, where, "", true, &rows, error);
    free(where);
    if (status != P11PROF_OK)
        return status;
    sqlite3_bind_int64(rows, 4, calls[count - 1]->id);
    for (size_t next = 0; next < count && (result = sqlite3_step(rows)) == SQLITE_ROW;) {
        struct p11prof_call_ref call = p11prof_call_ref_read(rows);
        int64_t gap_ns = p11prof_thread_ends_gap(&ends, &call);
        for (; next < count && calls[next]->id <= call.id; next++)
            if (calls[next]->id == call.id)
                calls[next]->gap_ns = gap_ns;
    }
    p11prof_thread_ends_clear(&ends);
    return p11prof_query_end(rows, result, error);
}

enum p11prof_status p11prof_call_gaps(struct p11prof_call_list *list,
                                      const struct p11prof_call_scope *scope,
                                      struct p11prof_error *error)
{
    if (list->count == 0)
        return P11PROF_OK;
    struct p11prof_call_ref **missing = p11prof_zalloc(list->count, sizeof *missing);
    size_t missing_count = 0;
    enum p11prof_status status = look_near_all(list, scope, missing, &missing_count, error);
    if (status == P11PROF_OK && missing_count > 0)
        status = look_far(missing, missing_count, scope, error);
    free(missing);
    return status;
}
