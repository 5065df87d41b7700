/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What a report's page says before its tables. */
#ifndef P11PROF_REPORT_REPORT_HEAD_H
#define P11PROF_REPORT_REPORT_HEAD_H

#include "page.h"
#include "run_report.h"

/* "Run 12 nightly (profile, finished)" and what stands below. */
void p11prof_report_head(struct p11prof_page *page, const struct p11prof_run_report *report);

/* The same as far as it matters to the results of a bench. */
void p11prof_report_results_head(struct p11prof_page *page,
                                 const struct p11prof_run_report *report);

/* The lines about time: where it went, and what came before the first operation. */
void p11prof_report_times(struct p11prof_page *page, const struct p11prof_run_report *report);

#endif
