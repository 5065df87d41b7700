/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "density.h"
#include "allocate.h"

#include <math.h>
#include <stdlib.h>

#define LEAST_WIDTH    0.01               /* buckets are up to 0.008 wide */
#define LEAST_WIDTH_NS 1.5                /* clocks have steps */
#define KERNEL_ROOT    3.5449077018110318 /* 2 * sqrt(pi): 1 / that is the integral of K² */
enum { STEPS_PER_WIDTH = 4, KERNEL_REACH = 4 * STEPS_PER_WIDTH };

/* A bucket [low, high) as an interval of ln(ns). 0 ns is taken as up to half a ns. */
static double log_low(const struct p11prof_bucket *bucket)
{
    return log(fmax((double)bucket->low_ns - 0.5, 0.25));
}

static double log_high(const struct p11prof_bucket *bucket)
{
    return log((double)bucket->high_ns - 0.5);
}

static double log_middle(const struct p11prof_bucket *bucket)
{
    return (log_low(bucket) + log_high(bucket)) / 2;
}

struct moments {
    double mean, deviation;
    double quartiles[3]; /* 25, 50, 75 % */
};

static void find_moments(struct moments *out, const struct p11prof_buckets *buckets)
{
    struct p11prof_bucket bucket = {0};
    double n = (double)buckets->count, sum = 0, squares = 0, passed = 0;
    int next = 0;
    while (p11prof_buckets_next(buckets, &bucket)) {
        double count = (double)bucket.count, x = log_middle(&bucket);
        sum += count * x;
        squares += count * x * x;
        for (passed += count; next < 3 && passed >= (next + 1) * n / 4; next++)
            out->quartiles[next] = x;
    }
    out->mean = sum / n;
    out->deviation = sqrt(fmax(squares / n - out->mean * out->mean, 0));
}

double p11prof_density_width(const struct p11prof_buckets *buckets)
{
    struct moments moments = {0};
    find_moments(&moments, buckets);
    double spread = fmin(moments.deviation, (moments.quartiles[2] - moments.quartiles[0]) / 1.34);
    double silverman = 0.9 * spread * pow((double)buckets->count, -0.2);
    return fmax(fmax(silverman, LEAST_WIDTH), LEAST_WIDTH_NS / exp(moments.quartiles[1]));
}

/* Counts on the grid: those of a bucket are spread over its width. */
static void spread(const struct p11prof_density *density, const struct p11prof_bucket *bucket,
                   double *counts)
{
    double low = (log_low(bucket) - density->start) / density->step + 0.5;
    double high = (log_high(bucket) - density->start) / density->step + 0.5;
    double per_step = (double)bucket->count / (high - low);
    for (size_t i = (size_t)low; (double)i < high; i++)
        counts[i] += per_step * (fmin(high, (double)i + 1) - fmax(low, (double)i));
}

/* Convolves with a normal kernel. Times 2 sqrt(pi) * width, a density is an effective count. */
static void smooth(const struct p11prof_density *density, const double *counts)
{
    double kernel[KERNEL_REACH + 1];
    for (size_t i = 0; i <= KERNEL_REACH; i++) {
        double x = (double)i / STEPS_PER_WIDTH;
        kernel[i] = KERNEL_ROOT * exp(-x * x / 2) / sqrt(2 * M_PI);
    }
    for (size_t i = 0; i < density->size; i++) {
        size_t from = i < KERNEL_REACH ? 0 : i - KERNEL_REACH;
        for (size_t k = from; k <= i + KERNEL_REACH && k < density->size; k++)
            density->values[i] += counts[k] * kernel[k < i ? i - k : k - i];
    }
}

void p11prof_density_make(struct p11prof_density *out, const struct p11prof_buckets *buckets,
                          double width)
{
    struct p11prof_bucket bucket = {0};
    double low = INFINITY, high = -INFINITY;
    while (p11prof_buckets_next(buckets, &bucket)) {
        low = fmin(low, log_low(&bucket));
        high = fmax(high, log_high(&bucket));
    }
    out->step = width / STEPS_PER_WIDTH;
    out->start = low - KERNEL_REACH * out->step;
    out->size = (size_t)((high - out->start) / out->step) + KERNEL_REACH + 2;
    out->values = p11prof_zalloc(out->size, sizeof *out->values);
    double *counts = p11prof_zalloc(out->size, sizeof *counts);
    for (bucket = (struct p11prof_bucket){0}; p11prof_buckets_next(buckets, &bucket);)
        spread(out, &bucket, counts);
    smooth(out, counts);
    free(counts);
}
