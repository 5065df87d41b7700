/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "allocate.h"
#include "comparison.h"

#include <stdlib.h>

static const double tail_of_all = 0.05;

static int compare_values(const void *a, const void *b)
{
    const double *const *first = a, *const *second = b;
    return **first != **second ? (**first > **second) * 2 - 1 : (*first > *second) * 2 - 1;
}

void p11prof_holm(const double *p_values, size_t count, double *tails)
{
    const double **order = p11prof_zalloc(count, sizeof *order);
    double tail = tail_of_all;
    bool rejected = true;
    for (size_t i = 0; i < count; i++)
        order[i] = &p_values[i];
    if (count > 0)
        qsort(order, count, sizeof *order, compare_values);
    for (size_t i = 0; i < count; i++) {
        /* From the first that is not rejected on, none is: all of them at its level. */
        if (rejected)
            tail = tail_of_all / (double)(count - i);
        rejected = rejected && *order[i] <= tail;
        tails[order[i] - p_values] = tail;
    }
    free(order);
}
