/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Whether more may still come of a run. */
#ifndef P11PROF_RUNS_RECORDED_H
#define P11PROF_RUNS_RECORDED_H

#include "database.h"

/* P11PROF_BAD_INPUT, with *error saying why, if a process of the run lives or left something in a
 * spool, or if it began since the last boot and nothing of it came yet. */
enum p11prof_status p11prof_run_check_ended(const struct p11prof_database *database, int64_t run_id,
                                            struct p11prof_error *error);

#endif
