/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Calls of a run that have not returned yet, from the spools of its live processes. */
#ifndef P11PROF_REPORT_LIVE_CALLS_H
#define P11PROF_REPORT_LIVE_CALLS_H

#include "table.h"

/* Adds those in the spools of `folder` (NULL: all default ones) to a table with the columns of a
 * report's in_flight. run_uuid: as the views spell it. */
void p11prof_live_calls(struct p11prof_table *table, const char *folder, const char *run_uuid,
                        int64_t run_id);

/* A UUID as the views spell it, in 37 bytes. */
void p11prof_uuid_text(char *out, const uint8_t uuid[16]);

#endif
