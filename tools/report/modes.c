/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "modes.h"
#include "allocate.h"
#include "density.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define VALLEY_MOST  0.5
#define ERRORS_LEAST 3.5
#define SHARE_LEAST  0.05

/* Peaks and, behind each but the last, the valley before the next one; indices of the density. */
struct relief {
    const struct p11prof_density *density;
    size_t *peaks, *valleys;
    size_t count, capacity, valley_capacity;
};

static void find_peaks(struct relief *relief)
{
    const double *values = relief->density->values;
    bool rising = true;
    size_t extreme = 0; /* highest, or lowest, since the last turn */
    for (size_t i = 1; i < relief->density->size; i++) {
        if (rising ? values[i] >= values[extreme] : values[i] <= values[extreme]) {
            extreme = i;
            continue;
        }
        size_t *place;
        relief->peaks = p11prof_grow(relief->peaks, &relief->capacity, relief->count + 1,
                                     sizeof *relief->peaks);
        relief->valleys = p11prof_grow(relief->valleys, &relief->valley_capacity, relief->count + 1,
                                       sizeof *relief->valleys);
        place = rising ? &relief->peaks[relief->count] : &relief->valleys[relief->count - 1];
        *place = extreme;
        relief->count += rising;
        rising = !rising;
        extreme = i;
    }
}

/* Depth of a valley against the lower of its peaks: 0 is the bottom, 1 or more is no valley. */
static double depth(const struct relief *relief, size_t valley)
{
    const double *values = relief->density->values;
    double lower = fmin(values[relief->peaks[valley]], values[relief->peaks[valley + 1]]);
    double bottom = values[relief->valleys[valley]];
    bool luck = lower - bottom < ERRORS_LEAST * sqrt(lower + bottom);
    return bottom / lower > VALLEY_MOST || luck ? 1 + bottom / lower : bottom / lower;
}

static void remove_at(size_t *places, size_t index, size_t count)
{
    memmove(places + index, places + index + 1, (count - index - 1) * sizeof *places);
}

/* Removes a peak, and the valley before or behind it. */
static void drop(struct relief *relief, size_t peak, size_t valley)
{
    remove_at(relief->peaks, peak, relief->count);
    remove_at(relief->valleys, valley, relief->count - 1);
    relief->count--;
}

/* Drops the lower peak at the shallowest valley until all valleys part modes. */
static void drop_noise(struct relief *relief)
{
    while (relief->count > 1) {
        size_t worst = 0;
        for (size_t i = 1; i + 1 < relief->count; i++)
            if (depth(relief, i) > depth(relief, worst))
                worst = i;
        if (depth(relief, worst) < 1)
            return;
        const double *values = relief->density->values;
        bool left_lower = values[relief->peaks[worst]] < values[relief->peaks[worst + 1]];
        drop(relief, left_lower ? worst : worst + 1, worst);
    }
}

static uint64_t place_ns(const struct p11prof_density *density, size_t place)
{
    double ns = exp(density->start + density->step * (double)place);
    return ns < 0x1p63 ? (uint64_t)(ns + 0.5) : INT64_MAX;
}

static uint64_t count_between(const struct p11prof_buckets *buckets, uint64_t low_ns,
                              uint64_t high_ns)
{
    struct p11prof_bucket bucket = {0};
    uint64_t count = 0;
    while (p11prof_buckets_next(buckets, &bucket))
        count += bucket.low_ns >= low_ns && bucket.low_ns < high_ns ? bucket.count : 0;
    return count;
}

static void describe(struct p11prof_mode *out, const struct relief *relief, size_t peak,
                     const struct p11prof_buckets *buckets)
{
    const struct p11prof_density *density = relief->density;
    bool first = peak == 0, last = peak + 1 == relief->count;
    out->low_ns = first ? 0 : place_ns(density, relief->valleys[peak - 1]);
    out->high_ns = last ? UINT64_MAX : place_ns(density, relief->valleys[peak]);
    out->peak_ns = place_ns(density, relief->peaks[peak]);
    out->count = count_between(buckets, out->low_ns, out->high_ns);
}

/* Drops a peak that has too few; false if all have enough. */
static bool drop_small(struct relief *relief, const struct p11prof_buckets *buckets)
{
    for (size_t i = 0; i < relief->count && relief->count > 1; i++) {
        struct p11prof_mode mode;
        describe(&mode, relief, i, buckets);
        if ((double)mode.count >= SHARE_LEAST * (double)buckets->count)
            continue;
        bool to_left = i + 1 == relief->count || (i > 0 && depth(relief, i - 1) > depth(relief, i));
        drop(relief, i, to_left ? i - 1 : i);
        return true;
    }
    return false;
}

static void find_with(struct p11prof_modes *out, const struct p11prof_buckets *buckets,
                      double width)
{
    struct p11prof_density density;
    struct relief relief = {.density = &density};
    p11prof_density_make(&density, buckets, width);
    find_peaks(&relief);
    do {
        drop_noise(&relief);
    } while (drop_small(&relief, buckets));
    for (out->count = 0; out->count < relief.count; out->count++)
        describe(&out->modes[out->count], &relief, out->count, buckets);
    free(relief.peaks);
    free(relief.valleys);
    free(density.values);
}

void p11prof_modes_find(struct p11prof_modes *out, const struct p11prof_buckets *buckets)
{
    struct p11prof_modes wider;
    *out = (struct p11prof_modes){.count = 0};
    if (buckets->count < P11PROF_MODES_LEAST_COUNT)
        return;
    double width = p11prof_density_width(buckets);
    find_with(out, buckets, width);
    for (int factor = 2; factor <= 4; factor *= 2) {
        find_with(&wider, buckets, factor * width);
        if (wider.count > out->count)
            *out = wider;
    }
}
