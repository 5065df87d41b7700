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

enum {
    KEPT_LEAST = P11PROF_CHANGE_SIDE_LEAST - 1, /* one run of a side may be an outlier */
    THREE_LEVELS = 3 * P11PROF_CHANGE_SIDE_LEAST,
    DRAWS_SURE = 499,
};

/* Logarithms about the first one, without outliers, and sums of the first i of them and of their
 * squares. */
struct series {
    double *logs, *sums, *squares;
    double *sorted;  /* scratch */
    size_t *indexes; /* of the logs, among all numbers; one more: how many these are */
    size_t count;
};

/* All logarithms, outliers too: what a level has to be supported by. */
struct numbers {
    double *logs;
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
    series->indexes = p11prof_zalloc(count + 1, sizeof *series->indexes);
}

static void series_close(struct series *series)
{
    free(series->logs);
    free(series->sums);
    free(series->squares);
    free(series->sorted);
    free(series->indexes);
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

static double median_of(const struct numbers *numbers, size_t first, size_t end)
{
    memcpy(numbers->sorted, numbers->logs + first, (end - first) * sizeof *numbers->sorted);
    return median(numbers->sorted, end - first);
}

/* One or two bad nights are no new level. Far from the median of the five around it (Hampel 1974),
 * from that of the three before it and from that of the three after it, where a level may begin. */
static bool is_outlier(const struct numbers *numbers, size_t i, double least)
{
    enum { AROUND = 5, BESIDE = 3 };
    size_t count = numbers->count, first = i > AROUND / 2 ? i - AROUND / 2 : 0;
    double log = numbers->logs[i];
    if (first + AROUND > count)
        first = count - AROUND;
    return fabs(log - median_of(numbers, first, first + AROUND)) > least &&
           (i < BESIDE || fabs(log - median_of(numbers, i - BESIDE, i)) > least) &&
           (i + BESIDE >= count || fabs(log - median_of(numbers, i + 1, i + 1 + BESIDE)) > least);
}

/* Leaves outliers out. */
static void series_fill(struct series *series, const struct numbers *numbers)
{
    const double FAR = 4;
    memcpy(series->logs, numbers->logs, numbers->count * sizeof *series->logs);
    double least = FAR * noise(series, 0, numbers->count);
    series->count = 0;
    for (size_t i = 0; i < numbers->count; i++)
        if (!is_outlier(numbers, i, least)) {
            series->logs[series->count] = numbers->logs[i];
            series->indexes[series->count++] = i;
        }
    series->indexes[series->count] = numbers->count;
}

/* The t of [first, middle) against [middle, end): infinite where both levels are exactly even. Of
 * a long stretch the noise may be less than the spread about two levels: there may be more. */
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
    double variance = spread;
    if (end - first >= THREE_LEVELS)
        variance = fmin(spread, fmax(noise_variance, LEAST_NOISE * spread));
    if (!(variance > 1e-24))
        return fabs(difference) > 1e-12 ? INFINITY : 0;
    return fabs(difference) / sqrt(variance * (1 / before + 1 / after));
}

/* Has a side runs enough, with the outliers at its ends? */
static bool is_side(const struct series *series, size_t first, size_t end)
{
    size_t begin = first > 0 ? series->indexes[first - 1] + 1 : 0;
    return end >= first + KEPT_LEAST && series->indexes[end] >= begin + P11PROF_CHANGE_SIDE_LEAST;
}

/* The largest t of a stretch, and where it is. Below zero: it has no two sides. */
static double largest_t(const struct series *series, size_t first, size_t end, size_t *middle)
{
    double largest = -1;
    double noise_deviation = end - first < THREE_LEVELS ? 0 : noise(series, first, end);
    for (size_t i = first + KEPT_LEAST; i + KEPT_LEAST <= end; i++) {
        if (!is_side(series, first, i) || !is_side(series, i, end))
            continue;
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

/* How often normal series with outliers at the same places have a t as large. Stops once it is too
 * often, or sure to be rare. */
static double probability(double t, const struct series *series, size_t first, size_t end)
{
    struct series drawn;
    size_t as_large = 0, draws = 0, middle, count = end - first;
    size_t begin = first > 0 ? series->indexes[first - 1] + 1 : 0;
    uint64_t state = count;
    series_open(&drawn, count);
    for (size_t i = 0; i <= count; i++)
        drawn.indexes[i] = series->indexes[first + i] - begin;
    while (draws < P11PROF_CHANGE_DRAWS && (double)as_large <= LEVEL * P11PROF_CHANGE_DRAWS &&
           (as_large > 0 || draws < DRAWS_SURE)) {
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
    if (end < first + 2 * (size_t)KEPT_LEAST)
        return false;
    double t = largest_t(series, first, end, &middle);
    if (t <= 0)
        return false;
    double before = (double)(middle - first), after = (double)(end - middle);
    double mean_before = (series->sums[middle] - series->sums[first]) / before;
    double mean_after = (series->sums[end] - series->sums[middle]) / after;
    double difference = mean_after - mean_before;
    if (fabs(expm1(difference)) < LEAST_CHANGE)
        return false;
    double p_value = probability(t, series, first, end);
    if (p_value > LEVEL)
        return false;
    *out = (struct p11prof_change_point){.index = middle, .p_value = p_value};
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

/* As a standard deviation: the mean distance from the levels' medians, without the quarter of all
 * that is farthest. */
static double spread_about(const struct numbers *numbers, const struct p11prof_change_point *point)
{
    const double NORMAL_MEAN = 0.5149; /* of the nearer three quarters, of a standard normal */
    size_t count = point->end - point->first, near = count - count / 4;
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        numbers->sorted[i] = fabs(numbers->logs[point->first + i] -
                                  (point->first + i < point->index ? point->before : point->after));
    qsort(numbers->sorted, count, sizeof *numbers->sorted, by_size);
    for (size_t i = 0; i < near; i++)
        sum += numbers->sorted[i];
    return sum / (double)near / NORMAL_MEAN * (double)count / (double)(count - 2);
}

/* Do its runs keep to a level? Few may be at the other one, and of less than eight none. Those that
 * are far from both speak for neither. */
static bool keeps_to(const struct numbers *numbers, size_t first, size_t end, double own,
                     double other)
{
    size_t strayed = 0;
    for (size_t i = first; i < end; i++) {
        double way = (numbers->logs[i] - own) / (other - own); /* 1: at the other level */
        strayed += way > 0.75 && way < 1.75;
    }
    return 4 * strayed + P11PROF_CHANGE_SIDE_LEAST <= end - first || strayed == 0;
}

/* Sets the levels, and their difference with its interval, from all runs. Outliers between the
 * levels may belong to either. */
static bool is_supported(struct p11prof_change_point *point, const struct numbers *numbers,
                         size_t outliers_between)
{
    size_t before = point->index - point->first, after = point->end - point->index;
    if (before < P11PROF_CHANGE_SIDE_LEAST || after + outliers_between < P11PROF_CHANGE_SIDE_LEAST)
        return false;
    point->before = median_of(numbers, point->first, point->index);
    point->after = median_of(numbers, point->index, point->end);
    double difference = point->after - point->before;
    double margin = p11prof_student_quantile(0.05, (double)(before + after - 2)) *
                    spread_about(numbers, point) * sqrt(M_PI_2) *
                    sqrt(1 / (double)before + 1 / (double)after);
    point->change = expm1(difference);
    point->low = expm1(difference - margin);
    point->high = expm1(difference + margin);
    return fabs(point->change) >= LEAST_CHANGE && fabs(difference) > margin &&
           keeps_to(numbers, point->first, point->index, point->before, point->after) &&
           keeps_to(numbers, point->index, point->end, point->after, point->before);
}

/* Among all numbers, from place to place of the series. */
static bool locate(struct p11prof_change_point *out, const struct p11prof_change_points *points,
                   size_t i, const struct series *series, const struct numbers *numbers)
{
    size_t place = points->points[i].index;
    *out = points->points[i];
    out->index = series->indexes[place];
    out->first = i > 0 ? series->indexes[points->points[i - 1].index] : 0;
    out->end =
        i + 1 < points->count ? series->indexes[points->points[i + 1].index] : numbers->count;
    return is_supported(out, numbers, out->index - series->indexes[place - 1] - 1);
}

/* Sets `out`. Of those that are not supported the one with the shortest level leaves `points`: its
 * neighbours may be supported without it. False if there is one. */
static bool keep_supported(struct p11prof_change_points *out, struct p11prof_change_points *points,
                           const struct series *series, const struct numbers *numbers)
{
    size_t worst = 0, shortest = SIZE_MAX;
    out->count = points->count;
    for (size_t i = 0; i < points->count; i++) {
        struct p11prof_change_point *point = &out->points[i];
        bool supported = locate(point, points, i, series, numbers);
        size_t before = point->index - point->first, after = point->end - point->index;
        size_t shorter = before < after ? before : after;
        if (!supported && shorter < shortest) {
            worst = i;
            shortest = shorter;
        }
    }
    if (shortest == SIZE_MAX)
        return true;
    points->count--;
    memmove(points->points + worst, points->points + worst + 1,
            (points->count - worst) * sizeof *points->points);
    return false;
}

/* Of numbers that are known: logarithms about the first one. */
static void find(struct p11prof_change_points *out, const struct numbers *numbers)
{
    enum { ROUNDS_MAX = 5 };
    struct p11prof_change_points points = {.count = 0};
    struct series series;
    series_open(&series, numbers->count);
    series_fill(&series, numbers);
    series_sum(&series);
    segment(&points, &series, 0, series.count);
    do
        for (int round = 0; round < ROUNDS_MAX && refine(&points, &series); round++)
            ;
    while (!keep_supported(out, &points, &series, numbers));
    series_close(&series);
}

void p11prof_change_points_find(struct p11prof_change_points *out, const double *values,
                                size_t count)
{
    size_t skipped = count > P11PROF_CHANGE_SERIES_MAX ? count - P11PROF_CHANGE_SERIES_MAX : 0;
    out->count = 0;
    count -= skipped;
    for (size_t i = 0; i < count; i++)
        if (!(values[skipped + i] > 0) || isinf(values[skipped + i]))
            return;
    if (count < 2 * P11PROF_CHANGE_SIDE_LEAST)
        return;
    struct numbers numbers = {.logs = p11prof_zalloc(count, sizeof *numbers.logs),
                              .sorted = p11prof_zalloc(count, sizeof *numbers.sorted),
                              .count = count};
    for (size_t i = 0; i < count; i++)
        numbers.logs[i] = log(values[skipped + i]) - log(values[skipped]);
    find(out, &numbers);
    for (size_t i = 0; i < out->count; i++) {
        struct p11prof_change_point *point = &out->points[i];
        point->index += skipped, point->first += skipped, point->end += skipped;
        point->before = values[skipped] * exp(point->before);
        point->after = values[skipped] * exp(point->after);
    }
    free(numbers.logs);
    free(numbers.sorted);
}
