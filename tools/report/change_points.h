/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Where the level of a series changed for good. Pure functions: the same numbers always give the
 * same answer.
 *
 * Binary segmentation (Scott and Knott 1974) on the logarithms, without outliers: the split of a
 * stretch with the largest two-sample t is a change if a t as large as that, anywhere in a stretch
 * of its length, has a probability of at most 0.01 where nothing changed. That probability is found
 * by drawing up to P11PROF_CHANGE_DRAWS normal series: the t of a normal series depends on neither
 * mean nor spread. Each half is then looked at again, and each change that was found is judged anew
 * between its neighbours. All numbers, outliers too, then have to support it: their medians differ
 * by 2 % and more than their interval, each side has four or more, with three that are no outliers,
 * and at most a quarter of a side, of fewer than eight none, is at the other level. Three odd runs
 * in a row are too often chance. */
#ifndef P11PROF_REPORT_CHANGE_POINTS_H
#define P11PROF_REPORT_CHANGE_POINTS_H

#include <stdbool.h>
#include <stddef.h>

enum {
    P11PROF_CHANGE_SIDE_LEAST = 4,
    P11PROF_CHANGE_DRAWS = 1999,
    P11PROF_CHANGE_SERIES_MAX = 500, /* of a longer one only the last so many count */
    P11PROF_CHANGE_POINTS_MAX = 64,
};

struct p11prof_change_point {
    size_t index;         /* the first number of the new level */
    size_t first, end;    /* numbers of both levels: [first, index) and [index, end) */
    double before, after; /* medians of the levels */
    double change;        /* after / before - 1 */
    double low, high;     /* its 95 % interval */
    double p_value;
};

struct p11prof_change_points {
    struct p11prof_change_point points[P11PROF_CHANGE_POINTS_MAX]; /* in the series' order */
    size_t count;
};

/* Values that are not above zero make the whole series say nothing. */
void p11prof_change_points_find(struct p11prof_change_points *out, const double *values,
                                size_t count);

#endif
