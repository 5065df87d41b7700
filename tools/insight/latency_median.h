/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Medians, and how far they may be off. Pure functions. */
#ifndef P11PROF_INSIGHT_LATENCY_MEDIAN_H
#define P11PROF_INSIGHT_LATENCY_MEDIAN_H

#include "report/buckets.h"

#include <stddef.h>

/* Of values, one or more; they are reordered. */
uint64_t p11prof_latency_median(uint64_t *values, size_t count);

/* A quantile of a histogram: the middle of its bucket; 0 of an empty one. */
uint64_t p11prof_latency_quantile(const struct p11prof_buckets *buckets, uint32_t millionths);

/* Orders the values, sets their median and its interval from order statistics, which holds for any
 * distribution; false if they are too few for one of that level. */
bool p11prof_latency_median_interval(double *values, size_t count, double chance, double *median,
                                     double *low, double *high);

#endif
