/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "sums_read.h"

#include "report/allocate.h"
#include "report/query.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

enum query { QUERY_RUN, QUERY_GROUPS, QUERY_BUCKETS, QUERY_RESULTS, QUERY_LOST };

/* As report/metrics_load.c reads runs. Counts of lost calls are not asked of their view: it would
 * group those of all runs. */
static const char *const queries[EXPORTER_QUERIES] = {
    [QUERY_RUN] = "SELECT program, token_label FROM runs WHERE run_id = ?1",
    [QUERY_GROUPS] = "SELECT group_id, is_operation, coalesce(function, operation), kind, "
                     "mechanism, key_type, key_bits, count, error_count, in_bytes, out_bytes, "
                     "sum_ns, total_ns IS NOT NULL FROM group_stats WHERE run_id = ?1 "
                     "ORDER BY group_id",
    [QUERY_BUCKETS] = "SELECT high_ns, count FROM group_bucket WHERE call_group = ?1",
    [QUERY_RESULTS] = "SELECT function, rv, count FROM errors WHERE run_id = ?1",
    [QUERY_LOST] = "SELECT iif(l.function = 0, NULL, coalesce(f.name, printf('0x%08X', "
                   "l.function))), c.name, l.count FROM process AS p "
                   "JOIN spool AS s ON s.process = p.id JOIN loss AS l ON l.spool = s.id "
                   "LEFT JOIN function_name AS f ON f.code = l.function "
                   "LEFT JOIN cause_name AS c ON c.code = l.cause WHERE p.run = ?1",
};

/* What is read, and what was there before. */
struct reading {
    struct exporter_reader *reader;
    struct exporter_book *book;
    struct exporter_run *run; /* gets the new parts */
    const struct exporter_part *old;
    size_t old_count;
    char *program, *token;
};

static const char *text_of(sqlite3_stmt *row, int column)
{
    return (const char *)sqlite3_column_text(row, column);
}

static uint64_t count_of(sqlite3_stmt *row, int column)
{
    int64_t count = sqlite3_column_int64(row, column);
    return count > 0 ? (uint64_t)count : 0;
}

/* NULL after a failure. */
static sqlite3_stmt *ask(struct exporter_reader *reader, enum query query, int64_t id,
                         struct p11prof_error *error)
{
    sqlite3_stmt **statement = &reader->statements[query];
    if (!*statement &&
        p11prof_query_prepare(reader->db, queries[query], 0, statement, error) != P11PROF_OK)
        return NULL;
    sqlite3_reset(*statement);
    sqlite3_bind_int64(*statement, 1, id);
    return *statement;
}

/* Of the last step. */
static enum p11prof_status answered(struct exporter_reader *reader, sqlite3_stmt *statement,
                                    int result, struct p11prof_error *error)
{
    enum p11prof_status status = P11PROF_OK;
    if (result != SQLITE_DONE)
        status =
            p11prof_error_set(error, P11PROF_FAILED, "%.256s: %.200s",
                              sqlite3_db_filename(reader->db, "main"), sqlite3_errmsg(reader->db));
    sqlite3_reset(statement);
    return status;
}

static struct exporter_part *part_add(struct reading *reading, enum exporter_table table,
                                      const char *const *values)
{
    struct exporter_run *run = reading->run;
    run->parts =
        p11prof_grow(run->parts, &run->part_capacity, run->part_count + 1, sizeof *run->parts);
    struct exporter_part *part = &run->parts[run->part_count++];
    memset(part, 0, sizeof *part);
    part->series = exporter_series_find(reading->book, table, values);
    return part;
}

static enum p11prof_status buckets_read(struct reading *reading, struct exporter_part *part,
                                        struct p11prof_error *error)
{
    int result;
    sqlite3_stmt *rows = ask(reading->reader, QUERY_BUCKETS, part->group_id, error);
    if (!rows)
        return error->status;
    while ((result = sqlite3_step(rows)) == SQLITE_ROW)
        exporter_bucket_add(&part->values, count_of(rows, 0), count_of(rows, 1));
    return answered(reading->reader, rows, result, error);
}

static const struct exporter_part *part_before(const struct reading *reading, int64_t group_id)
{
    size_t low = 0, high = reading->old_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (reading->old[middle].group_id < group_id)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low < reading->old_count && reading->old[low].group_id == group_id;
    return found ? &reading->old[low] : NULL;
}

static enum p11prof_status group_read(struct reading *reading, sqlite3_stmt *row,
                                      struct p11prof_error *error)
{
    bool is_operation = sqlite3_column_int(row, 1);
    const char *call[] = {reading->program, reading->token,  text_of(row, 2), text_of(row, 3),
                          text_of(row, 4),  text_of(row, 5), text_of(row, 6)};
    const char *operation[] = {reading->program, reading->token,  text_of(row, 2),
                               text_of(row, 4),  text_of(row, 5), text_of(row, 6)};
    struct exporter_part *part = is_operation ? part_add(reading, EXPORTER_OPERATIONS, operation)
                                              : part_add(reading, EXPORTER_CALLS, call);
    struct exporter_values *values = &part->values;
    part->group_id = sqlite3_column_int64(row, 0);
    values->count = count_of(row, 7);
    values->error_count = count_of(row, 8);
    values->in_bytes = count_of(row, 9);
    values->out_bytes = count_of(row, 10);
    values->sum_ns = count_of(row, 11);
    values->timed = sqlite3_column_int(row, 12);
    const struct exporter_part *old = part_before(reading, part->group_id);
    if (!old || old->values.count != values->count || old->values.sum_ns != values->sum_ns)
        return buckets_read(reading, part, error);
    memcpy(values->buckets, old->values.buckets, sizeof values->buckets);
    return P11PROF_OK;
}

static enum p11prof_status groups_read(struct reading *reading, struct p11prof_error *error)
{
    int result;
    enum p11prof_status status = P11PROF_OK;
    sqlite3_stmt *rows = ask(reading->reader, QUERY_GROUPS, reading->run->run_id, error);
    if (!rows)
        return error->status;
    while (status == P11PROF_OK && (result = sqlite3_step(rows)) == SQLITE_ROW)
        status = group_read(reading, rows, error);
    return status ? status : answered(reading->reader, rows, result, error);
}

/* Rows of a function, what it is told by, and a count. */
static enum p11prof_status counts_read(struct reading *reading, enum query query,
                                       enum exporter_table table, struct p11prof_error *error)
{
    int result;
    sqlite3_stmt *rows = ask(reading->reader, query, reading->run->run_id, error);
    if (!rows)
        return error->status;
    while ((result = sqlite3_step(rows)) == SQLITE_ROW) {
        const char *values[] = {reading->program, reading->token, text_of(rows, 0),
                                text_of(rows, 1)};
        part_add(reading, table, values)->values.count = count_of(rows, 2);
    }
    return answered(reading->reader, rows, result, error);
}

static enum p11prof_status names_read(struct reading *reading, struct p11prof_error *error)
{
    sqlite3_stmt *row = ask(reading->reader, QUERY_RUN, reading->run->run_id, error);
    int result = row ? sqlite3_step(row) : SQLITE_ERROR;
    if (result == SQLITE_ROW) {
        reading->program = p11prof_copy(p11prof_query_text(row, 0));
        reading->token = p11prof_copy(p11prof_query_text(row, 1));
        result = SQLITE_DONE;
    }
    return row ? answered(reading->reader, row, result, error) : error->status;
}

static enum p11prof_status parts_read(struct reading *reading, struct p11prof_error *error)
{
    enum p11prof_status status = names_read(reading, error);
    status = status ? status : groups_read(reading, error);
    status = status ? status : counts_read(reading, QUERY_RESULTS, EXPORTER_RESULTS, error);
    status = status ? status : counts_read(reading, QUERY_LOST, EXPORTER_LOST, error);
    if (status == P11PROF_OK && reading->run->signature.spool_count > 0) {
        const char *values[] = {reading->program};
        part_add(reading, EXPORTER_LAST_CALL, values)->values.count =
            (uint64_t)reading->run->signature.end_wall_ns;
    }
    return status;
}

/* Replaces the old parts, in the series too. */
static void parts_replace(struct exporter_run *run, const struct exporter_run *fresh)
{
    for (size_t i = 0; i < fresh->part_count; i++)
        exporter_series_add(fresh->parts[i].series, &fresh->parts[i].values);
    for (size_t i = 0; i < run->part_count; i++)
        exporter_series_take(run->parts[i].series, &run->parts[i].values);
    free(run->parts);
    *run = *fresh;
}

/* Groups come first, ordered: what has no group must not be looked for among them. */
static size_t group_count(const struct exporter_run *run)
{
    size_t count = run->part_count;
    while (count > 0 && run->parts[count - 1].group_id == 0)
        count--;
    return count;
}

enum p11prof_status exporter_run_read(struct exporter_reader *reader, struct exporter_book *book,
                                      struct exporter_run *run, struct p11prof_error *error)
{
    struct exporter_run fresh = *run;
    fresh.parts = NULL;
    fresh.part_count = fresh.part_capacity = 0;
    struct reading reading = {.reader = reader,
                              .book = book,
                              .run = &fresh,
                              .old = run->parts,
                              .old_count = group_count(run)};
    enum p11prof_status status = parts_read(&reading, error);
    free(reading.program);
    free(reading.token);
    if (status != P11PROF_OK) {
        free(fresh.parts);
        return status;
    }
    parts_replace(run, &fresh);
    return P11PROF_OK;
}

void exporter_reader_clear(struct exporter_reader *reader)
{
    for (size_t i = 0; i < EXPORTER_QUERIES; i++)
        sqlite3_finalize(reader->statements[i]);
}
