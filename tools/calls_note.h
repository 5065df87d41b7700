/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What a list of single calls does not have. */
#ifndef P11PROF_TOOLS_CALLS_NOTE_H
#define P11PROF_TOOLS_CALLS_NOTE_H

#include "report/call_print.h"

/* Notes on stderr which calls of a run are missing from what was printed; nothing if none are. */
void calls_note_missing(const struct p11prof_call_notes *notes, int64_t run_id);

#endif
