/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "latency_sizes.h"
#include "latency_median.h"
#include "report/allocate.h"
#include "report/line_fit.h"
#include "report/student.h"

#include <math.h>
#include <stdlib.h>

/* Sizes have to span a factor, and to make a difference. */
static const double span_least = 4;
static const double difference_least = 0.1;
enum { CALLS_LEAST = 10 };

struct points {
    double *bytes, *ns, *counts;
    size_t count;
};

/* The sizes of a group with enough calls, by their medians. */
static void take_points(struct points *out, const struct p11prof_latency_gather *gather,
                        size_t group)
{
    uint64_t copy[P11PROF_LATENCY_SIZE_SAMPLE_MOST];
    out->count = 0;
    for (size_t i = 0; i < gather->size_map.count; i++) {
        const struct p11prof_latency_size *size = &gather->sizes[i];
        if (size->group != group || size->count < CALLS_LEAST)
            continue;
        size_t sampled = size->count < P11PROF_LATENCY_SIZE_SAMPLE_MOST
                             ? (size_t)size->count
                             : P11PROF_LATENCY_SIZE_SAMPLE_MOST;
        for (size_t j = 0; j < sampled; j++)
            copy[j] = size->sample_ns[j];
        out->ns[out->count] = fmax((double)p11prof_latency_median(copy, sampled), 1);
        out->bytes[out->count] = size->bytes / (double)size->count;
        out->counts[out->count++] = (double)size->count;
    }
}

static void set_range(struct p11prof_latency_line *out, const struct points *points)
{
    double by_size = 0, all = 0;
    out->least_bytes = out->most_bytes = points->bytes[0];
    for (size_t i = 0; i < points->count; i++) {
        out->least_bytes = fmin(out->least_bytes, points->bytes[i]);
        out->most_bytes = fmax(out->most_bytes, points->bytes[i]);
        out->count += (uint64_t)points->counts[i];
        by_size += points->counts[i] * out->per_byte_ns * points->bytes[i];
        all += points->counts[i] * (out->fixed_ns + out->per_byte_ns * points->bytes[i]);
    }
    out->size_count = points->count;
    out->bytes_share = by_size / all;
}

static bool is_material(const struct p11prof_latency_line *line)
{
    double least_ns = line->fixed_ns + line->per_byte_ns * line->least_bytes;
    return line->per_byte_low_ns > 0 && line->most_bytes >= span_least * line->least_bytes &&
           line->per_byte_ns * (line->most_bytes - line->least_bytes) >=
               difference_least * least_ns;
}

static bool fit(struct p11prof_latency_line *out, const struct points *points)
{
    struct p11prof_line line;
    if (points->count < P11PROF_LINE_SIZES_LEAST)
        return false;
    p11prof_line_fit(&line, points->bytes, points->ns, points->count);
    if (!line.fits)
        return false;
    double t = p11prof_student_quantile(0.05, (double)points->count - 2);
    out->fixed_ns = line.fixed_ns;
    out->fixed_low_ns = fmax(line.fixed_ns - t * line.fixed_error_ns, 0);
    out->fixed_high_ns = line.fixed_ns + t * line.fixed_error_ns;
    out->per_byte_ns = line.slope_ns;
    out->per_byte_low_ns = line.slope_ns - t * line.slope_error_ns;
    out->per_byte_high_ns = line.slope_ns + t * line.slope_error_ns;
    out->stray = line.stray;
    set_range(out, points);
    return is_material(out);
}

size_t p11prof_latency_lines(struct p11prof_latency_line **out,
                             const struct p11prof_latency_gather *gather)
{
    size_t count = 0, capacity = 0, most = gather->size_map.count + 1;
    struct points points = {.bytes = p11prof_zalloc(most, sizeof(double)),
                            .ns = p11prof_zalloc(most, sizeof(double)),
                            .counts = p11prof_zalloc(most, sizeof(double))};
    *out = NULL;
    for (size_t i = 0; i < gather->group_map.count; i++) {
        take_points(&points, gather, i);
        *out = p11prof_grow(*out, &capacity, count + 1, sizeof **out);
        (*out)[count] = (struct p11prof_latency_line){.group = i};
        count += fit(&(*out)[count], &points);
    }
    free(points.bytes);
    free(points.ns);
    free(points.counts);
    return count;
}
