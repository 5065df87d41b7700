/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Comparisons as plain numbers, for compare_*.c only. */
#ifndef P11PROF_REPORT_COMPARE_TABLE_H
#define P11PROF_REPORT_COMPARE_TABLE_H

#include "compare_report.h"

/* What tells a row from others. */
#define P11PROF_COMPARE_ROW_COLUMNS                                                                \
    "test operation function mechanism key_type key_bits data_bytes threads processes weight "     \
    "suite step rate arrivals think_time_ns"

/* What a metric of it is. */
#define P11PROF_COMPARE_METRIC_COLUMNS                                                             \
    "metric baseline current delta change effect effect_low effect_high effect_level "             \
    "plain_low plain_high p_value threshold gated metric_verdict reason"

/* Sets the cells of P11PROF_COMPARE_ROW_COLUMNS. */
void p11prof_compare_set_row(const struct p11prof_table *table, struct p11prof_cell *cells,
                             const struct p11prof_sample_row *row);

/* Sets the cells of P11PROF_COMPARE_METRIC_COLUMNS. baseline and current are 1/s, ns or a share. */
void p11prof_compare_set_metric(const struct p11prof_table *table, struct p11prof_cell *cells,
                                const struct p11prof_metric_result *result,
                                enum p11prof_metric metric);

#endif
