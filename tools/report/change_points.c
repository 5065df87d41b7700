/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "change_points.h"
#include "allocate.h"
#include "student.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const double LEVEL = 0.01;        /* probability of a change where there is none */
static const double LEAST_NOISE = 1e-6;  /* of the spread: levels that are even have no noise */
static const double LEAST_CHANGE = 0.02; /* share; smaller ones are nobody's concern */

/* Logarithms about the first one, and sums of the first i of them and of their squares. */
struct series {
    double *logs, *sums, *squares;
    double *sorted; /* scratch */
    size_t count;
};

static void series_sum(struct series *series)
{
    for (size_t i = 0; i < series->count; i++) {
        series->sums[i + 1] = series->sums[i] + series->logs[i];
        series->squares[i + 1] = series->squares[i] + series->logs[i] * series->logs[i];
    }
}

static void series_open(struct series *series, size_t count)
{
    series->count = count;
    series->logs = p11prof_zalloc(count + 1, sizeof *series->logs);
    series->sums = p11prof_zalloc(count + 1, sizeof *series->sums);
    series->squares = p11prof_zalloc(count + 1, sizeof *series->squares);
    series->sorted = p11prof_zalloc(count + 1, sizeof *series->sorted);
}

static void series_close(struct series *series)
{
    free(series->logs);
    free(series->sums);
    free(series->squares);
    free(series->sorted);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, by_size);
    return (values[count / 2] + values[(count - 1) / 2]) / 2;
}

/* From the differences of neighbours, which a new level hardly changes: their median, as a standard
 * deviation of what they are differences of. */
static double noise(const struct series *series, size_t first, size_t end)
{
    for (size_t i = first; i + 1 < end; i++)
        series->sorted[i - first] = fabs(series->logs[i + 1] - series->logs[i]);
    return median(series->sorted, end - first - 1) / (0.67449 * M_SQRT2);
}

/* One bad night is no new level: what is far from the median of the five around it becomes that
 * (Hampel 1974). */
static void series_calm(struct series *series)
{
    enum { NEIGHBOURS = 2 };
    const double FAR = 4;
    double least = FAR * noise(series, 0, series->count);
    double *calm = p11prof_zalloc(series->count, sizeof *calm);
    for (size_t i = 0; i < series->count; i++) {
        size_t first = i > NEIGHBOURS ? i - NEIGHBOURS : 0;
        size_t end = i + NEIGHBOURS < series->count ? i + NEIGHBOURS + 1 : series->count;
        memcpy(series->sorted, series->logs + first, (end - first) * sizeof *calm);
        double middle = median(series->sorted, end - first);
        calm[i] = fabs(series->logs[i] - middle) > least ? middle : series->logs[i];
    }
    memcpy(series->logs, calm, series->count * sizeof *calm);
    free(calm);
}

/* The t of [first, middle) against [middle, end): infinite where both levels are exactly even. The
 * noise may be less than the spread about two levels: there may be more levels. */
static double split_t(const struct series *series, size_t first, size_t middle, size_t end,
                      double noise_variance)
{
    double before = (double)(middle - first), after = (double)(end - middle);
    double sum_before = series->sums[middle] - series->sums[first];
    double sum_after = series->sums[end] - series->sums[middle];
    double difference = sum_after / after - sum_before / before;
    double squares = series->squares[end] - series->squares[first] -
                     sum_before * sum_before / before - sum_after * sum_after / after;
    double spread = squares / (before + after - 2);
    double variance = fmin(spread, fmax(noise_variance, LEAST_NOISE * spread));
    if (!(variance > 1e-24))
        return fabs(difference) > 1e-12 ? INFINITY : 0;
    return fabs(difference) / sqrt(variance * (1 / before + 1 / after));
}

/* The largest t of a stretch, and where it is. */
static double largest_t(const struct series *series, size_t first, size_t end, size_t *middle)
{
    double largest = -1;
    double noise_deviation = noise(series, first, end);
    for (size_t i = first + P11PROF_CHANGE_SIDE_LEAST; i + P11PROF_CHANGE_SIDE_LEAST <= end; i++) {
        double t = split_t(series, first, i, end, noise_deviation * noise_deviation);
        if (t > largest) {
            largest = t;
            *middle = i;
        }
    }
    return largest;
}

/* splitmix64 (Steele, Lea, Flood 2014) */
static double draw(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (double)((z ^ z >> 31) >> 11) * 0x1p-53;
}

/* Box and Muller 1958. */
static void draw_normals(double *out, size_t count, uint64_t *state)
{
    for (size_t i = 0; i < count; i += 2) {
        double radius = sqrt(-2 * log(1 - draw(state))), angle = 2 * M_PI * draw(state);
        out[i] = radius * cos(angle);
        if (i + 1 < count)
            out[i + 1] = radius * sin(angle);
    }
}

/* How often normal series of that length have a t as large. Stops once it is too often. */
static double probability(double t, size_t count)
{
    struct series drawn;
    size_t as_large = 0, draws = 0, middle;
    uint64_t state = count;
    series_open(&drawn, count);
    while (draws < P11PROF_CHANGE_DRAWS && (double)as_large <= LEVEL * P11PROF_CHANGE_DRAWS) {
        draw_normals(drawn.logs, count, &state);
        series_sum(&drawn);
        as_large += largest_t(&drawn, 0, count, &middle) >= t;
        draws++;
    }
    series_close(&drawn);
    return (double)(as_large + 1) / (double)(draws + 1);
}

/* Judges the best split of a stretch. */
static bool find_split(struct p11prof_change_point *out, const struct series *series, size_t first,
                       size_t end)
{
    size_t middle = 0;
    double t = largest_t(series, first, end, &middle);
    if (t <= 0)
        return false;
    double before = (double)(middle - first), after = (double)(end - middle);
    double mean_before = (series->sums[middle] - series->sums[first]) / before;
    double mean_after = (series->sums[end] - series->sums[middle]) / after;
    double difference = mean_after - mean_before;
    if (fabs(expm1(difference)) < LEAST_CHANGE)
        return false;
    double p_value = probability(t, end - first);
    if (p_value > LEVEL)
        return false;
    double margin =
        isinf(t) ? 0 : fabs(difference) / t * p11prof_student_quantile(0.05, before + after - 2);
    *out = (struct p11prof_change_point){.index = middle,
                                         .first = first,
                                         .end = end,
                                         .before = mean_before,
                                         .after = mean_after,
                                         .change = expm1(difference),
                                         .low = expm1(difference - margin),
                                         .high = expm1(difference + margin),
                                         .p_value = p_value};
    return true;
}

static void segment(struct p11prof_change_points *out, const struct series *series, size_t first,
                    size_t end)
{
    struct p11prof_change_point point;
    if (out->count == P11PROF_CHANGE_POINTS_MAX || !find_split(&point, series, first, end))
        return;
    segment(out, series, first, point.index);
    if (out->count < P11PROF_CHANGE_POINTS_MAX)
        out->points[out->count++] = point;
    segment(out, series, point.index, end);
}

/* Each again between its neighbours, where it may lie elsewhere or be none; until nothing moves. */
static bool refine(struct p11prof_change_points *points, const struct series *series)
{
    struct p11prof_change_points old = *points;
    bool moved = false;
    points->count = 0;
    for (size_t i = 0; i < old.count; i++) {
        struct p11prof_change_point point;
        size_t first = points->count > 0 ? points->points[points->count - 1].index : 0;
        size_t end = i + 1 < old.count ? old.points[i + 1].index : series->count;
        if (find_split(&point, series, first, end)) {
            moved = moved || point.index != old.points[i].index;
            points->points[points->count++] = point;
        }
    }
    return moved || points->count != old.count;
}

void p11prof_change_points_find(struct p11prof_change_points *out, const double *values,
                                size_t count)
{
    enum { ROUNDS_MAX = 5 };
    size_t skipped = count > P11PROF_CHANGE_SERIES_MAX ? count - P11PROF_CHANGE_SERIES_MAX : 0;
    struct series series;
    out->count = 0;
    count -= skipped;
    for (size_t i = 0; i < count; i++)
        if (!(values[skipped + i] > 0) || isinf(values[skipped + i]))
            return;
    if (count < 2 * P11PROF_CHANGE_SIDE_LEAST)
        return;
    series_open(&series, count);
    for (size_t i = 0; i < count; i++)
        series.logs[i] = log(values[skipped + i]) - log(values[skipped]);
    series_calm(&series);
    series_sum(&series);
    segment(out, &series, 0, count);
    for (int round = 0; round < ROUNDS_MAX && refine(out, &series); round++)
        ;
    for (size_t i = 0; i < out->count; i++) {
        struct p11prof_change_point *point = &out->points[i];
        point->index += skipped, point->first += skipped, point->end += skipped;
        point->before = values[skipped] * exp(point->before);
        point->after = values[skipped] * exp(point->after);
    }
    series_close(&series);
}
