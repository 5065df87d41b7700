/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "trace.h"
#include "allocate.h"
#include "query.h"
#include "trace_event.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdlib.h>

/* Which calls of a run: of an id range, and a condition. */
struct part {
    int64_t run_id;
    int64_t first_call, last_call;
    int64_t offset_ns; /* of the run's start, since the earliest one's */
    struct p11prof_condition condition;
};

/* When calls began and ended, for the counter. */
struct edges {
    struct edge {
        int64_t ns;
        int change;
    } * all;
    size_t count, capacity;
};

static const char calls_sql[] =
    " s.process, c.thread_id, c.start_ns, c.duration_ns, c.function, c.rv, c.kind, c.session, "
    "c.mechanism, c.key_type, c.key_bits, c.in_bytes, c.out_bytes, c.operation, "
    "c.operation_call_count, c.operation_start_ns, c.id ";

static enum p11prof_status query(struct sqlite3 *db, const struct part *part, const char *columns,
                                 const char *tail, sqlite3_stmt **out, struct p11prof_error *error)
{
    char *sql;
    size_t bytes;
    FILE *stream = p11prof_text_open(&sql, &bytes);
    fprintf(stream,
            "SELECT %s FROM segment AS s CROSS JOIN call AS c ON c.id BETWEEN "
            "max(s.first_call, ?3) AND min(s.last_call, ?4) WHERE s.run = ?1 AND "
            "coalesce(?2, 0) IS NOT NULL%s%s",
            columns, part->condition.of_call, tail);
    fclose(stream);
    enum p11prof_status status = p11prof_query_prepare(db, sql, part->run_id, out, error);
    if (status == P11PROF_OK) {
        sqlite3_bind_int64(*out, 2, part->condition.start_wall_ns);
        sqlite3_bind_int64(*out, 3, part->first_call);
        sqlite3_bind_int64(*out, 4, part->last_call);
    }
    free(sql);
    return status;
}

static enum p11prof_status query_number(struct sqlite3 *db, const struct part *part,
                                        const char *columns, const char *tail, int64_t otherwise,
                                        int64_t *out, struct p11prof_error *error)
{
    sqlite3_stmt *row;
    *out = otherwise;
    if (query(db, part, columns, tail, &row, error) != P11PROF_OK)
        return error->status;
    int result = sqlite3_step(row);
    if (result == SQLITE_ROW && sqlite3_column_type(row, 0) != SQLITE_NULL)
        *out = sqlite3_column_int64(row, 0);
    return p11prof_query_end(row, result, error);
}

/* How many calls stand before and behind the slowest one in a cut. */
struct sides {
    uint64_t before, behind;
};

/* Half of the limit each; what one side does not have goes to the other. */
static struct sides share_out(const struct sides *all, uint64_t limit)
{
    struct sides share = {limit / 2, limit - limit / 2 - 1};
    if (all->before < share.before)
        share.behind = limit - 1 - all->before;
    else if (all->behind < share.behind)
        share.before = limit - 1 - all->behind;
    return share;
}

static enum p11prof_status narrow(struct sqlite3 *db, struct part *part, int64_t count,
                                  uint64_t limit, struct p11prof_error *error)
{
    int64_t slowest, up_to;
    char before[64], behind[64];
    if (query_number(db, part, "c.id", " AND c.kind <> 3 ORDER BY c.duration_ns DESC, c.id LIMIT 1",
                     0, &slowest, error) != P11PROF_OK)
        return error->status;
    struct part head = *part, tail = *part;
    head.last_call = tail.first_call = slowest;
    if (query_number(db, &head, "count(*)", "", 0, &up_to, error) != P11PROF_OK)
        return error->status;
    struct sides all = {(uint64_t)(up_to > 0 ? up_to - 1 : 0), (uint64_t)(count - up_to)};
    struct sides share = share_out(&all, limit);
    snprintf(before, sizeof before, " ORDER BY c.id DESC LIMIT 1 OFFSET %" PRIu64, share.before);
    snprintf(behind, sizeof behind, " ORDER BY c.id LIMIT 1 OFFSET %" PRIu64, share.behind);
    if (query_number(db, &head, "c.id", before, part->first_call, &part->first_call, error) !=
            P11PROF_OK ||
        query_number(db, &tail, "c.id", behind, part->last_call, &part->last_call, error) !=
            P11PROF_OK)
        return error->status;
    return P11PROF_OK;
}

static void add_edge(struct edges *edges, int64_t ns, int change)
{
    edges->all = p11prof_grow(edges->all, &edges->capacity, edges->count + 1, sizeof *edges->all);
    edges->all[edges->count++] = (struct edge){ns, change};
}

/* Ends come first: a call that begins when another ends was not in flight with it. */
static int compare_edges(const void *a, const void *b)
{
    const struct edge *first = a, *second = b;
    if (first->ns != second->ns)
        return first->ns < second->ns ? -1 : 1;
    return first->change - second->change;
}

static void write_counter(struct p11prof_trace_writer *writer, struct edges *edges)
{
    int64_t in_flight = 0;
    if (edges->count > 0)
        qsort(edges->all, edges->count, sizeof *edges->all, compare_edges);
    for (size_t i = 0; i < edges->count; i++) {
        in_flight += edges->all[i].change;
        if (i + 1 == edges->count || edges->all[i + 1].ns != edges->all[i].ns)
            p11prof_trace_counter(writer, edges->all[i].ns, in_flight);
    }
}

static enum p11prof_status write_operations(struct p11prof_trace_writer *writer, struct sqlite3 *db,
                                            const struct part *part, struct p11prof_error *error)
{
    sqlite3_stmt *row;
    int result;
    if (query(db, part, calls_sql, "", &row, error) != P11PROF_OK)
        return error->status;
    while ((result = sqlite3_step(row)) == SQLITE_ROW)
        p11prof_trace_operation(writer, row, part->offset_ns);
    p11prof_trace_rewind(writer);
    return p11prof_query_end(row, result, error);
}

static enum p11prof_status write_calls(struct p11prof_trace_writer *writer, struct sqlite3 *db,
                                       const struct part *part, struct edges *edges,
                                       uint64_t *written_count, struct p11prof_error *error)
{
    sqlite3_stmt *row;
    int result;
    if (query(db, part, calls_sql, "", &row, error) != P11PROF_OK)
        return error->status;
    while ((result = sqlite3_step(row)) == SQLITE_ROW) {
        int64_t start_ns = part->offset_ns + sqlite3_column_int64(row, P11PROF_TRACE_START);
        p11prof_trace_call(writer, row, part->offset_ns);
        int64_t duration_ns = sqlite3_column_int64(row, P11PROF_TRACE_DURATION);
        if (duration_ns >= 0) {
            add_edge(edges, start_ns, 1);
            add_edge(edges, start_ns + duration_ns, -1);
        }
        ++*written_count;
    }
    return p11prof_query_end(row, result, error);
}

static enum p11prof_status part_open(struct part *part, struct sqlite3 *db, int64_t run_id,
                                     const struct p11prof_trace *trace, uint64_t *selected_count,
                                     struct p11prof_error *error)
{
    int64_t count;
    *part = (struct part){.run_id = run_id, .first_call = 0, .last_call = INT64_MAX};
    if (p11prof_selection_resolve(trace->selection, db, run_id, &part->condition, error) !=
        P11PROF_OK)
        return error->status;
    if (query_number(db, part, "count(*)", "", 0, &count, error) != P11PROF_OK)
        return error->status;
    *selected_count += (uint64_t)count;
    return (uint64_t)count > trace->limit ? narrow(db, part, count, trace->limit, error)
                                          : P11PROF_OK;
}

static enum p11prof_status write_parts(struct p11prof_trace_writer *writer, struct sqlite3 *db,
                                       struct part *parts, const struct p11prof_run_set *runs,
                                       struct p11prof_trace *trace, struct p11prof_error *error)
{
    struct edges edges = {.all = NULL};
    int64_t first_wall_ns = INT64_MAX;
    enum p11prof_status status = P11PROF_OK;
    for (size_t i = 0; i < runs->run_count; i++)
        if (parts[i].condition.start_wall_ns < first_wall_ns)
            first_wall_ns = parts[i].condition.start_wall_ns;
    for (size_t i = 0; i < runs->run_count && status == P11PROF_OK; i++) {
        parts[i].offset_ns = parts[i].condition.start_wall_ns - first_wall_ns;
        status = p11prof_trace_processes(writer, db, runs->run_ids[i], error);
        if (status == P11PROF_OK)
            status = write_operations(writer, db, &parts[i], error);
        if (status == P11PROF_OK)
            status = write_calls(writer, db, &parts[i], &edges, &trace->written_count, error);
    }
    write_counter(writer, &edges);
    free(edges.all);
    return status;
}

static enum p11prof_status complain_empty(const struct p11prof_trace *trace, struct sqlite3 *db,
                                          const struct p11prof_run_set *runs,
                                          struct p11prof_error *error)
{
    if (trace->selection && !p11prof_selection_is_all(trace->selection))
        return p11prof_selection_empty(trace->selection, db, runs->run_ids, runs->run_count, error);
    return p11prof_error_set(error, P11PROF_BAD_INPUT,
                             "run %lld has no calls that are kept one by one: there is nothing to "
                             "trace",
                             (long long)runs->run_ids[0]);
}

enum p11prof_status p11prof_trace_write(FILE *stream, struct sqlite3 *db,
                                        const struct p11prof_run_set *runs,
                                        struct p11prof_trace *trace, struct p11prof_error *error)
{
    struct p11prof_trace_writer writer = {.stream = stream};
    struct part *parts = p11prof_zalloc(runs->run_count, sizeof *parts);
    enum p11prof_status status = P11PROF_OK;
    trace->written_count = trace->selected_count = 0;
    sqlite3_exec(db, "BEGIN", NULL, NULL, NULL);
    for (size_t i = 0; i < runs->run_count && status == P11PROF_OK; i++)
        status = part_open(&parts[i], db, runs->run_ids[i], trace, &trace->selected_count, error);
    if (status == P11PROF_OK && trace->selected_count == 0)
        status = complain_empty(trace, db, runs, error);
    if (status == P11PROF_OK)
        status = p11prof_trace_names(&writer, db, error);
    if (status == P11PROF_OK) {
        p11prof_trace_begin(&writer);
        status = write_parts(&writer, db, parts, runs, trace, error);
        p11prof_trace_end(&writer);
    }
    sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    p11prof_trace_clear(&writer);
    for (size_t i = 0; i < runs->run_count; i++)
        p11prof_condition_clear(&parts[i].condition);
    free(parts);
    return status;
}
