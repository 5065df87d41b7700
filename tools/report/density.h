/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Density of the logarithm of durations. Pure functions. */
#ifndef P11PROF_REPORT_DENSITY_H
#define P11PROF_REPORT_DENSITY_H

#include "buckets.h"

#include <stddef.h>

/* A kernel density on a grid: at ln(ns) = start + i * step, for i below `size`. Values are in
 * effective counts: durations that a value rests on, its variance is about itself. */
struct p11prof_density {
    double start, step;
    size_t size;
    double *values;
};

/* Width of the kernel for these durations, as a standard deviation of ln(ns); not 0. */
double p11prof_density_width(const struct p11prof_buckets *buckets);

/* Of buckets that are not empty. The caller frees values. */
void p11prof_density_make(struct p11prof_density *out, const struct p11prof_buckets *buckets,
                          double width);

#endif
