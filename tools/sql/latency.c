/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "latency.h"
#include "arguments.h"
#include "report/buckets.h"

static void result_edge(sqlite3_context *context, sqlite3_value *value, bool high)
{
    uint64_t ns;
    if (p11prof_argument_is_null(value) || !p11prof_argument_duration(context, value, &ns))
        return;
    unsigned octave = p11prof_octave(ns);
    uint64_t low_ns = p11prof_bucket_low_ns(octave, p11prof_octave_bucket(ns, octave));
    p11prof_result_ns(context, high ? low_ns + p11prof_bucket_width_ns(octave) : low_ns);
}

void p11prof_latency_low(sqlite3_context *context, int count, sqlite3_value **arguments)
{
    (void)count;
    result_edge(context, arguments[0], false);
}

void p11prof_latency_high(sqlite3_context *context, int count, sqlite3_value **arguments)
{
    (void)count;
    result_edge(context, arguments[0], true);
}

void p11prof_histogram_step(sqlite3_context *context, int count, sqlite3_value **arguments)
{
    (void)count;
    uint64_t ns;
    if (p11prof_argument_is_null(arguments[0]) ||
        !p11prof_argument_duration(context, arguments[0], &ns))
        return;
    struct p11prof_buckets *buckets = sqlite3_aggregate_context(context, sizeof *buckets);
    if (buckets && p11prof_buckets_reserve(buckets, ns))
        p11prof_buckets_add(buckets, ns, 1);
    else
        sqlite3_result_error_nomem(context);
}

/* As the views have them: an edge past the largest integer of SQL is that. */
static void append(sqlite3_str *text, const struct p11prof_bucket *bucket)
{
    int64_t high_ns = bucket->high_ns > INT64_MAX ? INT64_MAX : (int64_t)bucket->high_ns;
    sqlite3_str_appendf(text, "%s[%llu,%lld,%llu]", sqlite3_str_length(text) > 1 ? "," : "",
                        bucket->low_ns, high_ns, bucket->count);
}

void p11prof_histogram_final(sqlite3_context *context)
{
    struct p11prof_buckets *buckets = sqlite3_aggregate_context(context, 0);
    struct p11prof_bucket bucket = {0};
    sqlite3_str *text = sqlite3_str_new(sqlite3_context_db_handle(context));
    sqlite3_str_appendchar(text, 1, '[');
    while (buckets && p11prof_buckets_next(buckets, &bucket))
        append(text, &bucket);
    sqlite3_str_appendchar(text, 1, ']');
    char *json = sqlite3_str_finish(text);
    if (json)
        sqlite3_result_text(context, json, -1, sqlite3_free);
    else
        sqlite3_result_error_nomem(context);
    if (buckets)
        p11prof_buckets_clear(buckets);
}
