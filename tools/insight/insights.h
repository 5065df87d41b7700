/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The insights of a report: what it works out from the order of calls, besides their statistics. */
#ifndef P11PROF_INSIGHT_INSIGHTS_H
#define P11PROF_INSIGHT_INSIGHTS_H

#include "p11prof/error.h"
#include "section.h"

struct sqlite3;
struct p11prof_selection;

enum p11prof_insight {
    P11PROF_INSIGHT_ADVICE,
    P11PROF_INSIGHT_CONCURRENCY,
    P11PROF_INSIGHT_LATENCY,
    P11PROF_INSIGHT_HISTORY,
    P11PROF_INSIGHTS,
};

/* A report that does not ask for them has them of runs with at most so many calls: each reads all
 * rows once more, and all of them together take a second for these. */
enum { P11PROF_INSIGHT_ROWS_MAX = 200000 };

/* Reads "concurrency,latency" as bits 1 << enum p11prof_insight. Returns NULL, or the word that is
 * none (valid until the next call); *nearest is then the one that may be meant, or NULL. */
const char *p11prof_insights_read(unsigned *out, const char *text, const char **nearest);

/* Fills the section of an insight, which starts as {0}, from the selected calls of a run (NULL:
 * all). It is empty where there is nothing to say: with `full` unset, what is obvious or as it
 * should be is left out. */
enum p11prof_status p11prof_insight_load(struct p11prof_section *out, enum p11prof_insight insight,
                                         struct sqlite3 *db, int64_t run_id,
                                         const struct p11prof_selection *selection, bool full,
                                         struct p11prof_error *error);

#endif
