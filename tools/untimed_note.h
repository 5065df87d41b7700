/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What a reader of durations has to know of a run that has none. */
#ifndef P11PROF_TOOLS_UNTIMED_NOTE_H
#define P11PROF_TOOLS_UNTIMED_NOTE_H

#include <stddef.h>
#include <stdint.h>

struct sqlite3;

/* Says so on stderr, a line for each of the runs that has no durations. */
void p11prof_note_untimed(struct sqlite3 *db, const int64_t *run_ids, size_t count);

#endif
