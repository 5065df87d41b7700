/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Which run of a trend began a new level (change_points.h), and what is different about it. Runs of
 * the same program with the same token are one series; runs without a value are left out. */
#ifndef P11PROF_REPORT_TREND_CHANGES_H
#define P11PROF_REPORT_TREND_CHANGES_H

#include "table.h"

/* before, after: levels, in the unit of the trend's value; change: of the levels, with its 95 %
 * interval; doubtful where half of a level's values or more are; differences: facts of this run
 * against the one before, "firmware 1.2 -> 1.3; …". */
#define P11PROF_TREND_CHANGE_COLUMNS                                                               \
    "run_id started_at name program token_label metric before after change effect_low "            \
    "effect_high p_value before_count after_count differences"

/* Adds a row for each to an empty table. `trend` is what p11prof_trend_load() made of `runs`, a
 * table with the columns of view runs. */
void p11prof_trend_changes(struct p11prof_table *out, const struct p11prof_table *trend,
                           const struct p11prof_table *runs);

#endif
