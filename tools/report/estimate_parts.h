/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What one run says of a row, for estimate*.c only. */
#ifndef P11PROF_REPORT_ESTIMATE_PARTS_H
#define P11PROF_REPORT_ESTIMATE_PARTS_H

#include "block_spread.h"
#include "samples.h"

struct p11prof_value {
    double value;
    struct p11prof_spread spread; /* of its logarithm */
    double count;                 /* operations that it is of */
    size_t windows;               /* that had some */
    double beyond,
        beyond_squares; /* operations above a percentile: sum, and of squares, by window */
};

/* A percentile of all windows taken together; false if there is nothing. */
bool p11prof_window_quantile(const struct p11prof_sample *sample, double probability,
                             struct p11prof_value *out);

#endif
