/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* How far a mean over windows of time may be off, when windows are alike because they are
 * neighbours. docs/statistics.md has the method and its sources. Pure functions. */
#ifndef P11PROF_REPORT_BLOCK_SPREAD_H
#define P11PROF_REPORT_BLOCK_SPREAD_H

#include <stddef.h>

/* One window, in the order of time. */
struct p11prof_part_of_mean {
    double weight;   /* its share of all; the shares' sum is 1 */
    double residual; /* what it adds to the mean's deviation; the residuals' sum is 0 */
};

struct p11prof_spread {
    double variance;    /* of the mean; infinite where there are fewer than two blocks */
    double freedom;     /* degrees of freedom of the variance */
    size_t block_count; /* blocks of neighbours that were looked at */
};

/* The variance from blocks of neighbours, as long as the windows' correlation asks for. */
struct p11prof_spread p11prof_block_spread(const struct p11prof_part_of_mean *windows,
                                           size_t count);

/* The correlation of neighbours, freed from the bias that few windows have; 0 to 0.97. */
double p11prof_neighbour_correlation(const struct p11prof_part_of_mean *windows, size_t count);

#endif
