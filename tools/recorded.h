/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What a reader of a run's calls has to know besides: that it still goes on, that some were lost.
 */
#ifndef P11PROF_TOOLS_RECORDED_H
#define P11PROF_TOOLS_RECORDED_H

#include "report/run_report.h"

struct sqlite3;

/* Says so on stderr, a line for each run that it is true of. */
void p11prof_note_recorded(struct sqlite3 *db, const struct p11prof_run_set *runs);

/* Says on stderr which runs have calls that did not return: judged by no objective. */
void p11prof_note_unreturned(struct sqlite3 *db, const struct p11prof_run_set *runs);

#endif
