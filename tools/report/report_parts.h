/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The steps of p11prof_run_report_load(): for run_report.c only. */
#ifndef P11PROF_REPORT_REPORT_PARTS_H
#define P11PROF_REPORT_REPORT_PARTS_H

#include "run_report.h"

#define P11PROF_ERROR_COLUMNS                                                                      \
    "run_id function rv rv_code count total_ns mean_ns min_ns max_ns meaning"
#define P11PROF_LOSS_COLUMNS      "run_id cause function count"
#define P11PROF_IN_FLIGHT_COLUMNS "run_id pid program thread_id function age_ns state"

/* Makes the errors those of calls that are selected: where rows are there, else none. */
enum p11prof_status p11prof_report_errors_select(struct p11prof_run_report *report,
                                                 struct sqlite3 *db,
                                                 const struct p11prof_run_set *runs,
                                                 const struct p11prof_report_options *options,
                                                 struct p11prof_error *error);

/* Sets what each error means. */
void p11prof_report_errors_explain(struct p11prof_run_report *report);

/* Sorts and cuts all tables as the options say. */
void p11prof_report_order(struct p11prof_run_report *report,
                          const struct p11prof_report_options *options);

#endif
