/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* RUN := digits (id) | last[~N] (most recently started) | NAME (newest run of that name) | @NAME
 * (all runs of a saved baseline). Runs with commas between are taken together. Documents and rows
 * of runs: run_side.h. */
#ifndef P11PROF_TOOLS_RUN_SELECT_H
#define P11PROF_TOOLS_RUN_SELECT_H

#include "p11prof/error.h"
#include "report/run_report.h"

#include <stdint.h>

struct sqlite3;

/* The one run that `text` means, which is no baseline. P11PROF_BAD_INPUT if there is none: *error
 * says so, and the nearest name. */
enum p11prof_status p11prof_run_select(struct sqlite3 *db, const char *text, int64_t *run_id,
                                       struct p11prof_error *error);

/* Says on stderr that the run is the newest of several with the name `word`, and how to choose
 * another; nothing where `word` is no name. */
void p11prof_note_newest(struct sqlite3 *db, const char *word, int64_t run_id);

/* The runs of "12,last,nightly", each once, with that note. The caller clears *out, also after a
 * failure. */
enum p11prof_status p11prof_run_set_select(struct sqlite3 *db, const char *text,
                                           struct p11prof_run_set *out,
                                           struct p11prof_error *error);

/* Adds the run, or those of the baseline, that one word means, each once, with that note. The set
 * starts as {0}. */
enum p11prof_status p11prof_run_set_add(struct sqlite3 *db, const char *word,
                                        struct p11prof_run_set *set, struct p11prof_error *error);

void p11prof_run_set_clear(struct p11prof_run_set *set);

#endif
