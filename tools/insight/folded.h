/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Folded stacks, "frame;frame;frame weight", of which flamegraph.pl, inferno and speedscope make
 * flame graphs. docs/export.md says what the frames are. The weight is a stack's own time in ns;
 * all weights come to the time that the runs spent in the module, without calls that wait. One
 * thread. */
#ifndef P11PROF_INSIGHT_FOLDED_H
#define P11PROF_INSIGHT_FOLDED_H

#include "report/run_report.h"

/* Writes the runs, taken together, in the order of their stacks. `redact`: programs and callers are
 * numbers, as in reports (report/redact.h). P11PROF_BAD_INPUT if nothing is selected, or the calls
 * are not kept one by one. */
enum p11prof_status p11prof_folded_write(FILE *stream, struct sqlite3 *db,
                                         const struct p11prof_run_set *runs,
                                         const struct p11prof_selection *selection, bool redact,
                                         struct p11prof_error *error);

#endif
