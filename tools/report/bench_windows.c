/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "bench_windows.h"
#include "allocate.h"
#include "buckets.h"
#include "query.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

/* A slice and one of the groups in it; NULLs where a group has nothing in a slice. */
static const char slices_sql[] =
    "SELECT s.start_ns, s.duration_ns, w.id, w.count, w.error_count, w.sum_ns, "
    "iif(s.load_average IS NULL, 'null', printf('%.2f', s.load_average)), "
    "coalesce(CAST(s.steal_ns AS TEXT), 'null') "
    "FROM bench_load AS b JOIN bench_slice AS s ON s.run = b.run AND s.load = b.load "
    "LEFT JOIN call_group AS g ON g.run = b.run AND g.is_operation = 1 AND g.code = b.operation "
    "AND g.kind = 0 AND g.part = b.load * 4 + 2 "
    "LEFT JOIN group_window AS w ON w.call_group = g.id AND w.start_ns = s.start_ns "
    "WHERE b.run = ?1 AND b.load = ?2 ORDER BY s.slice, s.start_ns";
static const char buckets_sql[] = "SELECT low_ns, count FROM window_bucket WHERE group_window = ?1";

enum { START, DURATION, WINDOW, COUNT, ERRORS, SUM, LOAD_AVERAGE, STEAL };

struct window {
    bool open;
    uint64_t start_ns, duration_ns, count, error_count, sum_ns;
    char load_average[24], steal_ns[24]; /* as JSON */
    struct p11prof_buckets buckets;
};

struct reader {
    struct p11prof_bench_windows *out;
    sqlite3_stmt *buckets;
    FILE *stream;
    const char *comma;
    int result;           /* of the last step through buckets */
    struct window window; /* that rows are being added to */
};

static uint64_t number(sqlite3_stmt *row, int column)
{
    return (uint64_t)sqlite3_column_int64(row, column);
}

static void end_window(struct reader *reader)
{
    struct window *window = &reader->window;
    if (!window->open)
        return;
    char *histogram = p11prof_buckets_text(&window->buckets);
    fprintf(reader->stream,
            "%s{\"start_ns\":%" PRIu64 ",\"duration_ns\":%" PRIu64 ",\"count\":%" PRIu64
            ",\"error_count\":%" PRIu64 ",\"sum_ns\":%" PRIu64
            ",\"histogram\":%s,\"load_average\":%s,\"steal_ns\":%s}",
            reader->comma, window->start_ns, window->duration_ns, window->count,
            window->error_count, window->sum_ns, histogram, window->load_average, window->steal_ns);
    reader->comma = ",";
    reader->out->duration_ns += window->duration_ns;
    reader->out->count += window->count;
    free(histogram);
    p11prof_buckets_clear(&window->buckets);
    *window = (struct window){.open = false};
}

static void take_buckets(struct reader *reader, int64_t window_id)
{
    sqlite3_reset(reader->buckets);
    sqlite3_bind_int64(reader->buckets, 1, window_id);
    while ((reader->result = sqlite3_step(reader->buckets)) == SQLITE_ROW)
        p11prof_buckets_add(&reader->window.buckets, number(reader->buckets, 0),
                            number(reader->buckets, 1));
}

static void take_slice(struct reader *reader, sqlite3_stmt *row)
{
    struct window *window = &reader->window;
    if (window->open && window->start_ns != number(row, START))
        end_window(reader);
    window->open = true;
    window->start_ns = number(row, START);
    window->duration_ns = number(row, DURATION);
    snprintf(window->load_average, sizeof window->load_average, "%s",
             (const char *)sqlite3_column_text(row, LOAD_AVERAGE));
    snprintf(window->steal_ns, sizeof window->steal_ns, "%s",
             (const char *)sqlite3_column_text(row, STEAL));
    window->count += number(row, COUNT);
    window->error_count += number(row, ERRORS);
    window->sum_ns += number(row, SUM);
    if (sqlite3_column_type(row, WINDOW) != SQLITE_NULL)
        take_buckets(reader, sqlite3_column_int64(row, WINDOW));
}

static enum p11prof_status read_slices(struct reader *reader, struct sqlite3 *db, int64_t run_id,
                                       int64_t load, struct p11prof_error *error)
{
    sqlite3_stmt *slices;
    int result = SQLITE_DONE;
    if (p11prof_query_prepare(db, slices_sql, run_id, &slices, error) != P11PROF_OK)
        return error->status;
    sqlite3_bind_int64(slices, 2, load);
    while (reader->result == SQLITE_DONE && (result = sqlite3_step(slices)) == SQLITE_ROW)
        take_slice(reader, slices);
    end_window(reader);
    return p11prof_query_end(slices, reader->result == SQLITE_DONE ? result : reader->result,
                             error);
}

enum p11prof_status p11prof_bench_windows_load(struct p11prof_bench_windows *out,
                                               struct sqlite3 *db, int64_t run_id, int64_t load,
                                               struct p11prof_error *error)
{
    size_t bytes;
    struct reader reader = {.out = out, .comma = "", .result = SQLITE_DONE};
    enum p11prof_status status;
    if (p11prof_query_prepare(db, buckets_sql, 0, &reader.buckets, error) != P11PROF_OK)
        return error->status;
    reader.stream = p11prof_text_open(&out->json, &bytes);
    putc('[', reader.stream);
    status = read_slices(&reader, db, run_id, load, error);
    putc(']', reader.stream);
    fclose(reader.stream);
    sqlite3_finalize(reader.buckets);
    return status;
}
