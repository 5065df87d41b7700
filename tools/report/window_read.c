/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "window_read.h"
#include "query.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdbool.h>
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
static const char groups_sql[] =
    "SELECT w.start_ns, w.duration_ns, w.id, w.count, w.error_count, w.sum_ns, 'null', 'null' "
    "FROM run AS r JOIN call_group AS g ON g.run = r.id "
    "JOIN group_window AS w ON w.call_group = g.id "
    "WHERE r.id = ?1 AND " P11PROF_IS_APPLICATION(
        "r.kind", "r.id") " AND g.is_operation = ?2 "
                          "AND (?3 IS NULL OR g.code = ?3) AND (?4 IS NULL OR g.kind = ?4) AND (?5 "
                          "IS NULL OR "
                          "g.mechanism = ?5) AND (?6 IS NULL OR g.key_type = ?6) "
                          "AND (?7 IS NULL OR g.key_bits = ?7) ORDER BY w.start_ns, w.duration_ns";
static const char buckets_sql[] = "SELECT low_ns, count FROM window_bucket WHERE group_window = ?1";

enum { START, DURATION, WINDOW, COUNT, ERRORS, SUM, LOAD_AVERAGE, STEAL };

struct reader {
    sqlite3_stmt *buckets;
    p11prof_window_take *take;
    void *payload;
    int result; /* of the last step through buckets */
    bool open;
    struct p11prof_window_row window; /* that rows are being added to */
};

static uint64_t number(sqlite3_stmt *row, int column)
{
    return (uint64_t)sqlite3_column_int64(row, column);
}

static void end_window(struct reader *reader)
{
    if (reader->open)
        reader->take(reader->payload, &reader->window);
    p11prof_buckets_clear(&reader->window.buckets);
    reader->window = (struct p11prof_window_row){.count = 0};
    reader->open = false;
}

static void take_buckets(struct reader *reader, int64_t window_id)
{
    sqlite3_reset(reader->buckets);
    sqlite3_bind_int64(reader->buckets, 1, window_id);
    while ((reader->result = sqlite3_step(reader->buckets)) == SQLITE_ROW)
        p11prof_buckets_add(&reader->window.buckets, number(reader->buckets, 0),
                            number(reader->buckets, 1));
}

static void take_row(struct reader *reader, sqlite3_stmt *row)
{
    struct p11prof_window_row *window = &reader->window;
    if (window->start_ns != number(row, START) || window->duration_ns != number(row, DURATION))
        end_window(reader);
    reader->open = true;
    window->start_ns = number(row, START);
    window->duration_ns = number(row, DURATION);
    snprintf(window->load_average, sizeof window->load_average, "%s",
             p11prof_query_text(row, LOAD_AVERAGE));
    snprintf(window->steal_ns, sizeof window->steal_ns, "%s", p11prof_query_text(row, STEAL));
    window->count += number(row, COUNT);
    window->error_count += number(row, ERRORS);
    window->sum_ns += number(row, SUM);
    if (sqlite3_column_type(row, WINDOW) != SQLITE_NULL)
        take_buckets(reader, sqlite3_column_int64(row, WINDOW));
}

/* Takes the rows of a statement and finalizes it. Those of one window follow each other. */
static enum p11prof_status read_windows(struct sqlite3 *db, sqlite3_stmt *rows,
                                        p11prof_window_take *take, void *payload,
                                        struct p11prof_error *error)
{
    struct reader reader = {.take = take, .payload = payload, .result = SQLITE_DONE};
    int result = SQLITE_DONE;
    if (p11prof_query_prepare(db, buckets_sql, 0, &reader.buckets, error) != P11PROF_OK) {
        sqlite3_finalize(rows);
        return error->status;
    }
    while (reader.result == SQLITE_DONE && (result = sqlite3_step(rows)) == SQLITE_ROW)
        take_row(&reader, rows);
    end_window(&reader);
    sqlite3_finalize(reader.buckets);
    return p11prof_query_end(rows, reader.result == SQLITE_DONE ? result : reader.result, error);
}

enum p11prof_status p11prof_slices_read(struct sqlite3 *db, int64_t run_id, int64_t load,
                                        p11prof_window_take *take, void *payload,
                                        struct p11prof_error *error)
{
    sqlite3_stmt *rows;
    if (p11prof_query_prepare(db, slices_sql, run_id, &rows, error) != P11PROF_OK)
        return error->status;
    sqlite3_bind_int64(rows, 2, load);
    return read_windows(db, rows, take, payload, error);
}

enum p11prof_status p11prof_group_windows_read(struct sqlite3 *db, int64_t run_id,
                                               const struct p11prof_window_groups *groups,
                                               p11prof_window_take *take, void *payload,
                                               struct p11prof_error *error)
{
    const int64_t values[] = {groups->is_operation, groups->code,     groups->kind,
                              groups->mechanism,    groups->key_type, groups->key_bits};
    sqlite3_stmt *rows;
    if (p11prof_query_prepare(db, groups_sql, run_id, &rows, error) != P11PROF_OK)
        return error->status;
    for (int i = 0; i < (int)(sizeof values / sizeof values[0]); i++)
        if (values[i] != P11PROF_WINDOW_ANY)
            sqlite3_bind_int64(rows, i + 2, values[i]);
    return read_windows(db, rows, take, payload, error);
}

void p11prof_window_write(FILE *stream, const struct p11prof_window_row *window, int64_t run_id)
{
    char *histogram = p11prof_buckets_text(&window->buckets);
    fprintf(stream,
            "{\"start_ns\":%" PRIu64 ",\"duration_ns\":%" PRIu64 ",\"count\":%" PRIu64
            ",\"error_count\":%" PRIu64 ",\"sum_ns\":%" PRIu64
            ",\"histogram\":%s,\"load_average\":%s,\"steal_ns\":%s",
            window->start_ns, window->duration_ns, window->count, window->error_count,
            window->sum_ns, histogram, window->load_average, window->steal_ns);
    if (run_id >= 0)
        fprintf(stream, ",\"run_id\":%" PRId64, run_id);
    putc('}', stream);
    free(histogram);
}
