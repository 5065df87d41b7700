/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The steps of one ramp: for ramp.c only. */
#ifndef P11PROF_REPORT_RAMP_STEPS_H
#define P11PROF_REPORT_RAMP_STEPS_H

#include "ramp.h"

/* Adds the steps of ramp->run_id to the table, in ascending order, without verdicts; ramp->of, its
 * objective and limit are known. column: of the results, that the objective is about; NULL: there
 * is none. */
enum p11prof_status p11prof_ramp_steps_load(struct p11prof_ramp *ramp, struct p11prof_table *table,
                                            const struct p11prof_table *loads, const char *column,
                                            struct sqlite3 *db, struct p11prof_error *error);

#endif
