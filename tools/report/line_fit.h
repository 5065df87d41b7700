/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* A straight line through measured durations: what does not depend on the size of the data, and
 * what each byte adds. Least squares of the relative errors, so that small sizes count as much as
 * large ones. Pure functions. */
#ifndef P11PROF_REPORT_LINE_FIT_H
#define P11PROF_REPORT_LINE_FIT_H

#include <stdbool.h>
#include <stddef.h>

enum { P11PROF_LINE_SIZES_LEAST = 3 };

struct p11prof_line {
    size_t size_count; /* different ones; fewer than P11PROF_LINE_SIZES_LEAST fit nothing */
    bool fits;         /* the points are near a line that rises */
    bool fixed_known;  /* fixed_ns is more than what the points stray by */
    double fixed_ns;   /* at 0 bytes */
    double slope_ns;   /* per byte */
    double fixed_error_ns, slope_error_ns; /* their standard errors, with size_count - 2 degrees of
                                              freedom if each size is there once */
    double stray;                          /* root mean square of the relative errors */
    bool half_known;   /* half_bytes is between the smallest and the largest size */
    double half_bytes; /* where half of the time is the fixed one: half of the peak rate */
};

/* Durations are more than 0. */
void p11prof_line_fit(struct p11prof_line *out, const double *bytes, const double *ns,
                      size_t count);

#endif
