/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The rows of a comparison as a table of texts, for compare_page.c only. */
#ifndef P11PROF_REPORT_COMPARE_GRID_H
#define P11PROF_REPORT_COMPARE_GRID_H

#include "compare_report.h"

/* Rows, metrics and the values of the baseline; for each current side its value, change, interval
 * and verdict, and with only one the difference too. */
void p11prof_compare_grid(struct p11prof_table *out, const struct p11prof_compare_report *report);

/* "▼ " and the like, before a verdict. */
const char *p11prof_compare_sign(enum p11prof_verdict verdict);

/* The change of a metric's value that an effect means: of ops/s the other way round. */
double p11prof_change_of(enum p11prof_metric metric, double effect);

/* "1234", "12.3 ms", "0.1 %". */
void p11prof_metric_format(char *out, enum p11prof_metric metric, double value);

#endif
