/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* RUN := digits (id) | last[~N] (most recently started) | NAME (newest run of that name). Runs with
 * commas between are taken together. */
#ifndef P11PROF_TOOLS_RUN_SELECT_H
#define P11PROF_TOOLS_RUN_SELECT_H

#include "p11prof/error.h"
#include "report/run_report.h"

#include <stdint.h>

struct sqlite3;

/* The run that `text` means. P11PROF_BAD_INPUT if there is none: *error says so, and the nearest
 * name. */
enum p11prof_status p11prof_run_select(struct sqlite3 *db, const char *text, int64_t *run_id,
                                       struct p11prof_error *error);

/* The runs of "12,last,nightly", each once. The caller clears *out, also after a
 * failure. */
enum p11prof_status p11prof_run_set_select(struct sqlite3 *db, const char *text,
                                           struct p11prof_run_set *out,
                                           struct p11prof_error *error);

void p11prof_run_set_clear(struct p11prof_run_set *set);

#endif
