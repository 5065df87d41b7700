/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "proportion.h"

#include <math.h>

void p11prof_wilson(const struct p11prof_proportion *share, double z, double *low, double *high)
{
    double n = share->whole, p = share->part / n, square = z * z;
    if (isinf(z)) {
        *low = 0;
        *high = 1;
        return;
    }
    double middle = (p + square / (2 * n)) / (1 + square / n);
    double half = z * sqrt(p * (1 - p) / n + square / (4 * n * n)) / (1 + square / n);
    *low = share->part <= 0 ? 0 : fmax(0, middle - half);
    *high = share->part >= n ? 1 : fmin(1, middle + half);
}

void p11prof_newcombe(const struct p11prof_proportion *first,
                      const struct p11prof_proportion *second, double z, double *low, double *high)
{
    double a = first->part / first->whole, b = second->part / second->whole;
    double a_low, a_high, b_low, b_high;
    p11prof_wilson(first, z, &a_low, &a_high);
    p11prof_wilson(second, z, &b_low, &b_high);
    *low = b - a - hypot(b - b_low, a_high - a);
    *high = b - a + hypot(b_high - b, a - a_low);
}
