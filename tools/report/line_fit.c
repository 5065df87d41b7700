/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "line_fit.h"

#include <math.h>

/* Points that stray from the line by more than a tenth (root mean square) are no line. */
static const long double stray_most = 0.1L;
/* A coefficient of less than two standard errors may be nothing. */
static const long double errors_least = 2;

struct sums {
    long double w, x, y, xx, xy; /* weighted */
};

static size_t distinct_count(const double *values, size_t count)
{
    size_t distinct = 0;
    for (size_t i = 0; i < count; i++) {
        size_t before = 0;
        while (values[before] != values[i])
            before++;
        distinct += before == i;
    }
    return distinct;
}

static struct sums add_up(const double *x, const double *y, size_t count)
{
    struct sums sums = {0};
    for (size_t i = 0; i < count; i++) {
        long double weight = 1 / ((long double)y[i] * y[i]);
        sums.w += weight;
        sums.x += weight * x[i];
        sums.y += weight * y[i];
        sums.xx += weight * x[i] * x[i];
        sums.xy += weight * x[i] * y[i];
    }
    return sums;
}

/* Sum of the squared relative errors. */
static long double stray(const double *x, const double *y, size_t count, long double fixed,
                         long double slope)
{
    long double squares = 0;
    for (size_t i = 0; i < count; i++) {
        long double relative = (fixed + slope * x[i]) / y[i] - 1;
        squares += relative * relative;
    }
    return squares;
}

static void set_half(struct p11prof_line *out, const double *bytes, size_t count)
{
    double least = bytes[0], most = bytes[0];
    for (size_t i = 1; i < count; i++) {
        least = fmin(least, bytes[i]);
        most = fmax(most, bytes[i]);
    }
    out->half_bytes = out->fixed_ns / out->slope_ns;
    out->half_known = out->fixed_known && out->half_bytes >= least && out->half_bytes <= most;
}

/* Coefficients, and whether the points are good enough for them. */
static void fit(struct p11prof_line *out, const double *bytes, const double *ns, size_t count)
{
    struct sums sums = add_up(bytes, ns, count);
    long double determinant = sums.w * sums.xx - sums.x * sums.x;
    long double fixed = (sums.xx * sums.y - sums.x * sums.xy) / determinant;
    long double slope = (sums.w * sums.xy - sums.x * sums.y) / determinant;
    long double squares = stray(bytes, ns, count, fixed, slope);
    long double variance = squares / (long double)(count - 2);
    long double fixed_error = sqrtl(variance * sums.xx / determinant);
    long double slope_error = sqrtl(variance * sums.w / determinant);
    out->fixed_ns = (double)fixed;
    out->slope_ns = (double)slope;
    out->fixed_error_ns = (double)fixed_error;
    out->slope_error_ns = (double)slope_error;
    out->stray = (double)sqrtl(squares / (long double)count);
    out->fits = fixed >= 0 && slope > 0 && slope > errors_least * slope_error &&
                squares <= stray_most * stray_most * (long double)count;
    out->fixed_known = out->fits && fixed > errors_least * fixed_error;
}

void p11prof_line_fit(struct p11prof_line *out, const double *bytes, const double *ns, size_t count)
{
    *out = (struct p11prof_line){.size_count = distinct_count(bytes, count)};
    if (out->size_count < P11PROF_LINE_SIZES_LEAST)
        return;
    fit(out, bytes, ns, count);
    if (out->fits)
        set_half(out, bytes, count);
}
