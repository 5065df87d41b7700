/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Groups: their sums and histograms, in their window and over the whole run. */
#include "p11prof/histogram.h"
#include "store/internal.h"

#include <math.h>

/* Both tables of sums, call_group and group_window, have these columns, as parameters 1 to 11. */
#define SUM_COLUMNS                                                                                \
    "count, success_count, error_count, undisclosed_count, sum_ns, error_sum_ns, sum_squares, "    \
    "min_ns, max_ns, in_bytes, out_bytes"
#define SUM_PARAMETERS "?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11"
enum { SUMS = 11, KEYS_MAX = 8 };

#define ADD(column) P11PROF_SQL_ADD(column) ", "
#define MERGE(f, column)                                                                           \
    column " = " f "(coalesce(" column ", excluded." column "), coalesce(excluded." column         \
           ", " column ")), "
#define ADD_COUNTS ADD("count") ADD("success_count") ADD("error_count") ADD("undisclosed_count")
#define ADD_SUMS   ADD("sum_ns") ADD("error_sum_ns") ADD("in_bytes") ADD("out_bytes")
#define MERGE_ENDS MERGE("min", "min_ns") MERGE("max", "max_ns")
#define MERGE_SUMS ADD_COUNTS ADD_SUMS MERGE_ENDS "sum_squares = sum_squares + excluded.sum_squares"

/* How many calls are in the histogram. */
static uint64_t population(const struct p11prof_group *group)
{
    uint64_t count = 0;
    for (unsigned octave = 0; octave < P11PROF_OCTAVES; octave++) {
        for (unsigned bucket = 0; group->octaves[octave] && bucket < P11PROF_OCTAVE_BUCKETS;
             bucket++) {
            count += group->octaves[octave][bucket];
        }
    }
    return count;
}

static void set_sums(struct p11prof_value values[SUMS], const struct p11prof_group *group)
{
    uint64_t success_count = population(group);
    bool none = success_count == 0;
    values[0] = p11prof_quantity(group->count);
    values[1] = p11prof_quantity(success_count);
    values[2] = p11prof_quantity(group->error_count);
    values[3] = p11prof_quantity(group->undisclosed_count);
    values[4] = p11prof_quantity(group->sum_ns);
    values[5] = p11prof_quantity(group->error_sum_ns);
    values[6] = p11prof_real(isfinite(group->sum_squares) ? group->sum_squares : 0);
    values[7] = none ? p11prof_null() : p11prof_quantity(group->min_ns);
    values[8] = none ? p11prof_null() : p11prof_quantity(group->max_ns);
    values[9] = p11prof_quantity(group->in_bytes);
    values[10] = p11prof_quantity(group->out_bytes);
}

static enum p11prof_status write_group(struct p11prof_store *store, int64_t run_id,
                                       const struct p11prof_group *group,
                                       struct p11prof_value values[SUMS + KEYS_MAX], int64_t *id,
                                       struct p11prof_error *error)
{
    values[SUMS + 0] = p11prof_integer(run_id);
    values[SUMS + 1] = p11prof_integer(group->operation);
    values[SUMS + 2] = p11prof_integer(group->code);
    values[SUMS + 3] = p11prof_integer(group->kind);
    values[SUMS + 4] = p11prof_integer(group->mechanism);
    values[SUMS + 5] = p11prof_integer(group->key_type);
    values[SUMS + 6] = p11prof_integer(group->key_bits);
    values[SUMS + 7] = p11prof_integer(group->part);
    return p11prof_store_get(
        store, P11PROF_SQL_GROUP,
        "INSERT INTO call_group (" SUM_COLUMNS ", run, is_operation, code, kind, mechanism, "
        "key_type, key_bits, part) "
        "VALUES (" SUM_PARAMETERS ", ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19) "
        "ON CONFLICT (run, is_operation, code, kind, mechanism, key_type, key_bits, part) "
        "DO UPDATE SET " MERGE_SUMS " RETURNING id",
        values, SUMS + 8, id, 1, NULL, error);
}

static enum p11prof_status write_window(struct p11prof_store *store, int64_t group_id,
                                        const struct p11prof_group *group,
                                        struct p11prof_value values[SUMS + KEYS_MAX], int64_t *id,
                                        struct p11prof_error *error)
{
    values[SUMS + 0] = p11prof_integer(group_id);
    values[SUMS + 1] = p11prof_quantity(group->window_start_ns);
    values[SUMS + 2] = p11prof_quantity(group->window_ns);
    return p11prof_store_get(
        store, P11PROF_SQL_WINDOW,
        "INSERT INTO group_window (" SUM_COLUMNS ", call_group, start_ns, duration_ns) "
        "VALUES (" SUM_PARAMETERS ", ?12, ?13, ?14) "
        "ON CONFLICT (call_group, start_ns, duration_ns) DO UPDATE SET " MERGE_SUMS " RETURNING id",
        values, SUMS + 3, id, 1, NULL, error);
}

/* One bucket, in the histograms of the group and of its window, if it has one. */
static enum p11prof_status write_bucket(struct p11prof_store *store, const int64_t ids[2],
                                        uint64_t low_ns, uint64_t high_ns, uint64_t count,
                                        struct p11prof_error *error)
{
    struct p11prof_value values[] = {p11prof_integer(ids[0]), p11prof_quantity(low_ns),
                                     p11prof_quantity(high_ns), p11prof_quantity(count)};
    enum p11prof_status status = p11prof_store_do(
        store, P11PROF_SQL_GROUP_BUCKET,
        "INSERT INTO group_bucket (call_group, low_ns, high_ns, count) VALUES (?1, ?2, ?3, ?4) "
        "ON CONFLICT (call_group, low_ns) DO UPDATE SET count = count + excluded.count",
        values, 4, error);
    values[0] = p11prof_integer(ids[1]);
    return status || !ids[1]
               ? status
               : p11prof_store_do(store, P11PROF_SQL_WINDOW_BUCKET,
                                  "INSERT INTO window_bucket (group_window, low_ns, high_ns, "
                                  "count) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (group_window, "
                                  "low_ns) DO UPDATE SET count = count + excluded.count",
                                  values, 4, error);
}

static enum p11prof_status write_octave(struct p11prof_store *store, const int64_t ids[2],
                                        const uint32_t *counts, unsigned octave,
                                        struct p11prof_error *error)
{
    enum p11prof_status status = P11PROF_OK;
    for (unsigned bucket = 0; !status && bucket < P11PROF_OCTAVE_BUCKETS; bucket++) {
        uint64_t low_ns = p11prof_bucket_low_ns(octave, bucket);
        uint64_t last_ns = low_ns + p11prof_bucket_width_ns(octave) - 1;
        if (counts[bucket]) {
            status = write_bucket(store, ids, low_ns, last_ns < UINT64_MAX ? last_ns + 1 : last_ns,
                                  counts[bucket], error);
        }
    }
    return status;
}

enum p11prof_status p11prof_store_write_group(struct p11prof_store *store, int64_t run_id,
                                              const struct p11prof_group *group,
                                              struct p11prof_error *error)
{
    struct p11prof_value values[SUMS + KEYS_MAX];
    int64_t ids[2] = {0, 0};
    set_sums(values, group);
    enum p11prof_status status = write_group(store, run_id, group, values, &ids[0], error);
    if (!status && !group->windowless) {
        status = write_window(store, ids[0], group, values, &ids[1], error);
    }
    for (unsigned octave = 0; !status && octave < P11PROF_OCTAVES; octave++) {
        if (group->octaves[octave]) {
            status = write_octave(store, ids, group->octaves[octave], octave, error);
        }
    }
    return status;
}
