/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "allocate.h"
#include "buckets.h"
#include "estimate_parts.h"

#include <math.h>
#include <stdlib.h>

/* How many standard errors of the share below a percentile its neighbourhood is looked at: where a
 * distribution has a gap near it, the nearest one says too little. */
enum { DISTANCES = 3 };

/* All windows of a run taken together: buckets from short to long. */
struct merged {
    struct p11prof_bucket *buckets;
    size_t count, capacity;
    double total;
};

static uint64_t count_of(const struct p11prof_window *window)
{
    uint64_t count = 0;
    for (size_t i = 0; i < window->bucket_count; i++)
        count += window->buckets[i].count;
    return count;
}

static void merge(struct merged *out, const struct p11prof_sample *sample)
{
    struct p11prof_buckets all = {.count = 0};
    struct p11prof_bucket bucket = {0};
    for (size_t i = 0; i < sample->window_count; i++)
        for (size_t j = 0; j < sample->windows[i].bucket_count; j++)
            p11prof_buckets_add(&all, sample->windows[i].buckets[j].low_ns,
                                sample->windows[i].buckets[j].count);
    *out = (struct merged){.total = (double)all.count};
    while (p11prof_buckets_next(&all, &bucket)) {
        out->buckets =
            p11prof_grow(out->buckets, &out->capacity, out->count + 1, sizeof *out->buckets);
        out->buckets[out->count++] = bucket;
    }
    p11prof_buckets_clear(&all);
}

/* A place in the merged histogram: `part` of a bucket, and all before it. */
struct place {
    const struct p11prof_bucket *bucket;
    double part;
    double value_ns;
};

/* Durations are taken as spread evenly over their bucket. */
static struct place place_of(const struct merged *merged, double probability)
{
    struct place place = {.bucket = &merged->buckets[merged->count - 1], .part = 1};
    double rank = probability * merged->total, before = 0;
    for (size_t i = 0; i < merged->count; i++) {
        double count = (double)merged->buckets[i].count;
        if (before + count >= rank) {
            place.bucket = &merged->buckets[i];
            place.part = rank > before ? (rank - before) / count : 0;
            break;
        }
        before += count;
    }
    place.value_ns = (double)place.bucket->low_ns +
                     place.part * (double)(place.bucket->high_ns - place.bucket->low_ns);
    return place;
}

/* Operations of a window below that place. */
static double count_below(const struct p11prof_window *window, const struct place *place)
{
    double below = 0;
    for (size_t i = 0; i < window->bucket_count; i++) {
        if (window->buckets[i].low_ns < place->bucket->low_ns)
            below += (double)window->buckets[i].count;
        else if (window->buckets[i].low_ns == place->bucket->low_ns)
            below += place->part * (double)window->buckets[i].count;
    }
    return below;
}

/* The spread of the share that lies below the percentile. */
static struct p11prof_spread spread_of_share(const struct p11prof_sample *sample, double total,
                                             double probability, const struct place *place,
                                             struct p11prof_value *out)
{
    struct p11prof_part_of_mean *parts = p11prof_zalloc(sample->window_count, sizeof *parts);
    for (size_t i = 0; i < sample->window_count; i++) {
        double count = (double)count_of(&sample->windows[i]);
        if (!(count > 0))
            continue;
        double below = count_below(&sample->windows[i], place);
        parts[out->windows].weight = count / total;
        parts[out->windows++].residual = (below - probability * count) / total;
        out->beyond += count - below;
        out->beyond_squares += (count - below) * (count - below);
    }
    struct p11prof_spread spread = p11prof_block_spread(parts, out->windows);
    free(parts);
    return spread;
}

/* Woodruff's way from the share's standard error to that of the percentile's logarithm. */
static double deviation(const struct merged *merged, double probability, double share_deviation)
{
    double most = 0;
    for (int i = 1; i <= DISTANCES; i++) {
        double low = probability - i * share_deviation, high = probability + i * share_deviation;
        if (!(low > 0 && high < 1))
            return i == 1 ? INFINITY : most;
        double ratio = place_of(merged, high).value_ns / place_of(merged, low).value_ns;
        most = fmax(most, log(ratio) / (2 * i));
    }
    return most;
}

/* A value is known no better than the bucket that most of all may stand in. */
static double resolution_variance(const struct merged *merged, const struct place *place)
{
    double width = (double)(place->bucket->high_ns - place->bucket->low_ns);
    double share = (double)place->bucket->count / merged->total;
    double error = share * width / place->value_ns;
    return error * error / 12;
}

bool p11prof_window_quantile(const struct p11prof_sample *sample, double probability,
                             struct p11prof_value *out)
{
    struct merged merged;
    merge(&merged, sample);
    if (merged.count > 0) {
        struct place place = place_of(&merged, probability);
        out->value = place.value_ns;
        out->count = merged.total;
        out->spread = spread_of_share(sample, merged.total, probability, &place, out);
        double error = deviation(&merged, probability, sqrt(out->spread.variance));
        out->spread.variance = error * error + resolution_variance(&merged, &place);
    }
    free(merged.buckets);
    return merged.total > 0 && out->value > 0;
}
