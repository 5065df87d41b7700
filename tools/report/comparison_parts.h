/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The metrics of a row that is matched, for comparison*.c only. */
#ifndef P11PROF_REPORT_COMPARISON_PARTS_H
#define P11PROF_REPORT_COMPARISON_PARTS_H

#include "comparison.h"

/* Fill all of a metric's result but what the correction sets. p_value < 0: there is nothing to
 * test. */
void p11prof_compare_metric(struct p11prof_row_result *row, enum p11prof_metric metric);
void p11prof_compare_errors(struct p11prof_row_result *row);

#endif
