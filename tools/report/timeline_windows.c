/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "allocate.h"
#include "query.h"
#include "round_steps.h"
#include "timeline_steps.h"

#include <sqlite3.h>
#include <stdlib.h>

/* A slice's window has the slice's duration. */
#define WINDOW_NS "coalesce(nullif(w.duration_ns, 0), b.duration_ns, 0)"
#define WINDOWS                                                                                    \
    " FROM call_group AS g JOIN group_window AS w ON w.call_group = g.id "                         \
    "LEFT JOIN bench_slice AS b ON b.run = g.run AND b.load = g.part >> 2 "                        \
    "AND b.start_ns = w.start_ns "                                                                 \
    "WHERE g.run = ?1 AND coalesce(?2, 0) IS NOT NULL AND NOT g.is_operation"

enum column {
    COLUMN_ID,
    COLUMN_START,
    COLUMN_DURATION,
    COLUMN_COUNT,
    COLUMN_ERRORS,
    COLUMN_SUM,
    COLUMN_ERROR_SUM,
    COLUMN_SUCCESSES,
    COLUMN_MIN,
    COLUMN_MAX,
    COLUMN_SQUARES,
};
static const char window_columns[] =
    "w.id, w.start_ns, " WINDOW_NS ", w.count, w.error_count, w.sum_ns, w.error_sum_ns, "
    "w.success_count, w.min_ns, w.max_ns, w.sum_squares";
static const char bucket_sql[] = "SELECT low_ns, count FROM window_bucket WHERE group_window = ?1";

static enum p11prof_status prepare(const struct p11prof_timeline_source *source,
                                   const char *columns, sqlite3_stmt **out,
                                   struct p11prof_error *error)
{
    char *sql;
    size_t bytes;
    FILE *stream = p11prof_text_open(&sql, &bytes);
    fprintf(stream, "SELECT %s" WINDOWS "%s", columns, source->condition.of_group);
    fclose(stream);
    enum p11prof_status status = p11prof_query_prepare(source->db, sql, source->run_id, out, error);
    free(sql);
    if (status == P11PROF_OK)
        sqlite3_bind_int64(*out, 2, source->condition.start_wall_ns);
    return status;
}

static uint64_t number(sqlite3_stmt *row, int column)
{
    int64_t value = sqlite3_column_int64(row, column);
    return value > 0 ? (uint64_t)value : 0;
}

/* The width of the windows. *whole: all begin at multiples of it. */
static enum p11prof_status read_width(const struct p11prof_timeline_source *source,
                                      uint64_t *width_ns, bool *whole, struct p11prof_error *error)
{
    sqlite3_stmt *row;
    if (prepare(source, "max(" WINDOW_NS "), max(w.duration_ns = 0)", &row, error) != P11PROF_OK)
        return error->status;
    int result = sqlite3_step(row);
    if (result == SQLITE_ROW) {
        *width_ns = number(row, 0);
        *whole = sqlite3_column_int(row, 1) == 0;
        result = SQLITE_DONE;
    }
    return p11prof_query_end(row, result, error);
}

static int add_buckets(struct p11prof_buckets *out, sqlite3_stmt *buckets, int64_t window)
{
    int result;
    sqlite3_reset(buckets);
    sqlite3_bind_int64(buckets, 1, window);
    while ((result = sqlite3_step(buckets)) == SQLITE_ROW)
        p11prof_buckets_add(out, number(buckets, 0), number(buckets, 1));
    return result;
}

static int take_window(struct p11prof_timeline *timeline, sqlite3_stmt *row, sqlite3_stmt *buckets)
{
    struct p11prof_timeline_window window = {
        .start_ns = number(row, COLUMN_START),
        .duration_ns = number(row, COLUMN_DURATION),
        .count = number(row, COLUMN_COUNT),
        .error_count = number(row, COLUMN_ERRORS),
        .total_ns = number(row, COLUMN_SUM) + number(row, COLUMN_ERROR_SUM),
        .sums = {.count = number(row, COLUMN_SUCCESSES),
                 .sum_ns = number(row, COLUMN_SUM),
                 .min_ns = number(row, COLUMN_MIN),
                 .max_ns = number(row, COLUMN_MAX),
                 .sum_squares = sqlite3_column_double(row, COLUMN_SQUARES)}};
    uint64_t end_ns = window.start_ns + window.duration_ns;
    if (end_ns > timeline->end_ns && window.start_ns < timeline->end_ns)
        window.duration_ns = timeline->end_ns - window.start_ns;
    struct p11prof_timeline_step *step = p11prof_timeline_add_window(timeline, &window);
    return add_buckets(&step->buckets, buckets, sqlite3_column_int64(row, COLUMN_ID));
}

static enum p11prof_status take_windows(struct p11prof_timeline *timeline,
                                        const struct p11prof_timeline_source *source,
                                        struct p11prof_error *error)
{
    sqlite3_stmt *windows, *buckets;
    int result, inner = SQLITE_DONE;
    if (p11prof_query_prepare(source->db, bucket_sql, 0, &buckets, error) != P11PROF_OK)
        return error->status;
    if (prepare(source, window_columns, &windows, error) != P11PROF_OK) {
        sqlite3_finalize(buckets);
        return error->status;
    }
    while ((result = sqlite3_step(windows)) == SQLITE_ROW && inner == SQLITE_DONE)
        inner = take_window(timeline, windows, buckets);
    sqlite3_finalize(buckets);
    return p11prof_query_end(windows, inner == SQLITE_DONE ? result : inner, error);
}

enum p11prof_status p11prof_timeline_of_windows(struct p11prof_timeline *timeline,
                                                const struct p11prof_timeline_source *source,
                                                struct p11prof_error *error)
{
    uint64_t width_ns = 0, step_ns, start_ns = timeline->start_ns, end_ns = timeline->end_ns;
    bool whole = false;
    if (!source->condition.of_group || source->options->selection.slower_than_ns > 0)
        return p11prof_error_set(error, P11PROF_BAD_INPUT,
                                 "the calls of run %lld are not kept one by one, and its windows "
                                 "do not tell apart what is selected",
                                 (long long)source->run_id);
    if (read_width(source, &width_ns, &whole, error) != P11PROF_OK ||
        p11prof_timeline_choose_step(source, end_ns - start_ns, width_ns, whole ? width_ns : 0,
                                     &step_ns, error) != P11PROF_OK)
        return error->status;
    p11prof_timeline_make(timeline, start_ns, end_ns, step_ns);
    return take_windows(timeline, source, error);
}
