/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "allocate.h"
#include "bench_results.h"
#include "p11prof/batch.h"
#include "query.h"
#include "samples_parts.h"
#include "window_read.h"

#include <sqlite3.h>
#include <string.h>

static const char run_sql[] = "SELECT * FROM runs WHERE run_id = ?1";

/* Loads, and what the database and their threads counted in their measured part. */
static const char loads_sql[] =
    "SELECT l.load, l.test, l.name, l.mechanism, l.key_type, l.key_bits, l.data_bytes, l.threads, "
    "l.processes, l.weight, l.suite, l.step, l.rate, l.arrivals, l.think_time_ns, "
    "(SELECT CAST(total(g.count) AS INTEGER) FROM call_group AS g WHERE g.run = b.run "
    " AND g.is_operation AND g.code = b.operation AND g.part = b.load * 4 + 2) AS count, "
    "(SELECT CAST(total(g.error_count) AS INTEGER) FROM call_group AS g WHERE g.run = b.run "
    " AND g.is_operation AND g.code = b.operation AND g.part = b.load * 4 + 2) AS error_count, "
    "(SELECT CAST(total(t.count) AS INTEGER) FROM bench_thread AS t WHERE t.run = b.run "
    " AND t.load = b.load) AS thread_count, "
    "(SELECT CAST(total(max(0, t.error_count - t.wrong_count)) AS INTEGER) "
    " FROM bench_thread AS t WHERE t.run = b.run AND t.load = b.load) AS failed_count, "
    "(SELECT CAST(total(t.wrong_count) AS INTEGER) FROM bench_thread AS t WHERE t.run = b.run "
    " AND t.load = b.load) AS wrong_count "
    "FROM loads AS l JOIN bench_load AS b ON b.run = l.run_id AND b.load = l.load "
    "WHERE l.run_id = ?1 ORDER BY l.load";

/* Operations, and calls by function, of an application. */
static const char operations_sql[] =
    "SELECT n.operation AS what, n.mechanism, n.key_type, n.key_bits, g.is_operation, g.code, "
    "g.mechanism AS mechanism_code, g.key_type AS key_type_code, g.key_bits AS key_bits_code "
    "FROM call_group AS g JOIN group_names AS n ON n.id = g.id JOIN run AS r ON r.id = g.run "
    "WHERE g.run = ?1 AND " P11PROF_IS_APPLICATION(
        "r.kind", "r.id") " AND g.is_operation AND g.kind = 0 "
                          "GROUP BY g.code, g.mechanism, g.key_type, g.key_bits";
static const char functions_sql[] =
    "SELECT n.function AS what, g.is_operation, g.code "
    "FROM call_group AS g JOIN group_names AS n ON n.id = g.id JOIN run AS r ON r.id = g.run "
    "WHERE g.run = ?1 AND " P11PROF_IS_APPLICATION("r.kind",
                                                   "r.id") " AND NOT g.is_operation AND g.kind = 0 "
                                                           "GROUP BY g.code";

static void take_window(void *payload, const struct p11prof_window_row *row)
{
    struct p11prof_window *window = p11prof_sample_add_window(payload);
    struct p11prof_bucket bucket = {0};
    size_t capacity = 0;
    window->start_ns = row->start_ns;
    window->duration_ns = row->duration_ns;
    window->count = row->count;
    window->error_count = row->error_count;
    while (p11prof_buckets_next(&row->buckets, &bucket)) {
        window->buckets = p11prof_grow(window->buckets, &capacity, window->bucket_count + 1,
                                       sizeof *window->buckets);
        window->buckets[window->bucket_count++] =
            (struct p11prof_window_bucket){bucket.low_ns, bucket.count};
    }
}

static uint64_t count_of(const struct p11prof_table *table, size_t row, const char *column)
{
    return (uint64_t)p11prof_table_integer(table, row, column, 0);
}

static double real_of(const struct p11prof_table *table, size_t row, const char *column)
{
    const struct p11prof_cell *cell = p11prof_table_get(table, row, column);
    return cell->kind == P11PROF_CELL_REAL ? cell->real : 0;
}

static enum p11prof_status add_load(struct p11prof_samples *out,
                                    const struct p11prof_sample_place *of,
                                    const struct p11prof_table *loads, size_t load,
                                    struct sqlite3 *db, int64_t run_id, struct p11prof_error *error)
{
    const struct p11prof_load_counts counts = {
        count_of(loads, load, "count"), count_of(loads, load, "error_count"),
        count_of(loads, load, "thread_count"), count_of(loads, load, "failed_count"),
        count_of(loads, load, "wrong_count")};
    struct p11prof_sample_key key = {
        .kind = P11PROF_SAMPLE_TEST,
        .what = p11prof_copy(p11prof_table_text(loads, load, "test", "")),
        .mechanism = p11prof_copy(p11prof_table_text(loads, load, "mechanism", "")),
        .key_type = p11prof_copy(p11prof_table_text(loads, load, "key_type", "")),
        .key_bits = p11prof_table_integer(loads, load, "key_bits", -1),
        .data_bytes = p11prof_table_integer(loads, load, "data_bytes", -1),
        .threads = p11prof_table_integer(loads, load, "threads", -1),
        .processes = p11prof_table_integer(loads, load, "processes", -1),
        .weight = p11prof_sample_weight(real_of(loads, load, "weight")),
        .rate = p11prof_sample_rate(real_of(loads, load, "rate")),
        .poisson = strcmp(p11prof_table_text(loads, load, "arrivals", ""), "poisson") == 0,
        .think_time_ns = p11prof_table_integer(loads, load, "think_time_ns", 0),
    };
    const char *suite = p11prof_table_text(loads, load, "suite", "");
    key.suite = *suite ? p11prof_copy(suite) : NULL;
    key.step = *suite ? p11prof_table_integer(loads, load, "step", 0) : 0;
    struct p11prof_sample_row *row =
        p11prof_samples_place(out, of, &key, p11prof_table_text(loads, load, "name", ""));
    if (!row)
        return P11PROF_OK;
    struct p11prof_sample *sample = p11prof_sample_of_run(row, of->run);
    sample->count += p11prof_load_count(&counts);
    sample->error_count += p11prof_load_error_count(&counts);
    return p11prof_slices_read(db, run_id, p11prof_table_integer(loads, load, "load", 0),
                               take_window, sample, error);
}

static int64_t code_of(const struct p11prof_table *groups, size_t row, const char *column)
{
    return p11prof_table_integer(groups, row, column, P11PROF_WINDOW_ANY);
}

static enum p11prof_status add_group(struct p11prof_samples *out,
                                     const struct p11prof_sample_place *of,
                                     const struct p11prof_table *groups, size_t row,
                                     struct sqlite3 *db, int64_t run_id,
                                     struct p11prof_error *error)
{
    bool operation = p11prof_table_integer(groups, row, "is_operation", 0) != 0;
    const struct p11prof_window_groups wanted = {.is_operation = operation,
                                                 .code = code_of(groups, row, "code"),
                                                 .kind = P11PROF_KIND_CALL,
                                                 .mechanism =
                                                     code_of(groups, row, "mechanism_code"),
                                                 .key_type = code_of(groups, row, "key_type_code"),
                                                 .key_bits = code_of(groups, row, "key_bits_code")};
    struct p11prof_sample_key key = {
        .kind = operation ? P11PROF_SAMPLE_OPERATION : P11PROF_SAMPLE_FUNCTION,
        .what = p11prof_copy(p11prof_table_text(groups, row, "what", "")),
        .mechanism = p11prof_copy(p11prof_table_text(groups, row, "mechanism", "")),
        .key_type = p11prof_copy(p11prof_table_text(groups, row, "key_type", "")),
        .key_bits = p11prof_table_integer(groups, row, "key_bits", -1),
        .data_bytes = -1,
        .threads = -1,
        .processes = -1,
    };
    struct p11prof_sample_row *place = p11prof_samples_place(out, of, &key, "");
    if (!place)
        return P11PROF_OK;
    return p11prof_group_windows_read(db, run_id, &wanted, take_window,
                                      p11prof_sample_of_run(place, of->run), error);
}

typedef enum p11prof_status add_row(struct p11prof_samples *out,
                                    const struct p11prof_sample_place *of,
                                    const struct p11prof_table *rows, size_t row,
                                    struct sqlite3 *db, int64_t run_id,
                                    struct p11prof_error *error);

static enum p11prof_status add_rows(struct p11prof_samples *out,
                                    const struct p11prof_sample_place *of, const char *sql,
                                    add_row *add, struct sqlite3 *db, int64_t run_id,
                                    struct p11prof_error *error)
{
    struct p11prof_table rows = {.columns = NULL};
    enum p11prof_status status = p11prof_query_table(db, sql, run_id, &rows, error);
    for (size_t i = 0; i < rows.row_count && status == P11PROF_OK; i++)
        status = add(out, of, &rows, i, db, run_id, error);
    p11prof_table_clear(&rows);
    return status;
}

static enum p11prof_status add_all(struct p11prof_samples *out,
                                   const struct p11prof_sample_place *of, struct sqlite3 *db,
                                   int64_t run_id, struct p11prof_error *error)
{
    static const struct {
        const char *sql;
        add_row *add;
    } kinds[] = {{loads_sql, add_load}, {operations_sql, add_group}, {functions_sql, add_group}};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (add_rows(out, of, kinds[i].sql, kinds[i].add, db, run_id, error) != P11PROF_OK)
            return error->status;
    return P11PROF_OK;
}

static enum p11prof_status add_run(struct p11prof_samples *out, struct p11prof_sample_place *of,
                                   struct sqlite3 *db, int64_t run_id, struct p11prof_error *error)
{
    struct p11prof_table run = {.columns = NULL};
    enum p11prof_status status = p11prof_query_table(db, run_sql, run_id, &run, error);
    if (status == P11PROF_OK && run.row_count == 0)
        status =
            p11prof_error_set(error, P11PROF_BAD_INPUT, "there is no run %lld", (long long)run_id);
    if (status == P11PROF_OK)
        status = p11prof_samples_add_of_run(out, &run, 0, &of->run, error);
    if (status == P11PROF_OK)
        status = add_all(out, of, db, run_id, error);
    p11prof_table_clear(&run);
    return status;
}

enum p11prof_status p11prof_samples_add_run(struct p11prof_samples *out, struct sqlite3 *db,
                                            int64_t run_id, const char *only,
                                            struct p11prof_error *error)
{
    struct p11prof_sample_place of = {.only = only};
    size_t first_run = out->runs.row_count;
    char name[32];
    sqlite3_exec(db, "BEGIN", NULL, NULL, NULL);
    enum p11prof_status status = add_run(out, &of, db, run_id, error);
    sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    snprintf(name, sizeof name, "run %lld", (long long)run_id);
    return status == P11PROF_OK ? p11prof_samples_check_only(out, first_run, only, name, error)
                                : status;
}
