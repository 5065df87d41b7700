/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* How a run stands among the earlier ones of its program with its token. */
#ifndef P11PROF_INSIGHT_HISTORY_H
#define P11PROF_INSIGHT_HISTORY_H

#include "p11prof/error.h"
#include "section.h"

struct sqlite3;
struct p11prof_selection;

/* insights.h. Of its three operations that took most time, or its tests. Table "changes" is what
 * report/trend_changes.h says, table "trend" (if full) the runs. A selection leaves nothing to say:
 * histograms do not tell it apart. */
enum p11prof_status p11prof_history_section(struct p11prof_section *out, struct sqlite3 *db,
                                            int64_t run_id,
                                            const struct p11prof_selection *selection, bool full,
                                            struct p11prof_error *error);

#endif
