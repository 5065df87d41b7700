/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What a comparison rests on, and what would settle what it leaves open. */
#ifndef P11PROF_REPORT_COMPARE_ADVICE_H
#define P11PROF_REPORT_COMPARE_ADVICE_H

#include "compare_report.h"

/* Sentences about the intervals: level, correction, what was resampled, what was not measured. */
void p11prof_compare_method_notes(struct p11prof_page *page,
                                  const struct p11prof_compare_report *report);

/* A sentence for each run that lost calls: its rows do not have them. */
void p11prof_compare_loss_notes(struct p11prof_page *page,
                                const struct p11prof_compare_report *report);

/* How much more would have to be measured for the rows of a current side that are unclear, and
 * how. Nothing where all is clear. */
void p11prof_compare_advice(struct p11prof_page *page, const struct p11prof_compare_report *report,
                            size_t index);

/* How many times as much has to be measured for an interval that decides a metric which is unclear;
 * 0 if it is not. At most 1000. */
double p11prof_compare_times_needed(const struct p11prof_metric_result *result);

#endif
