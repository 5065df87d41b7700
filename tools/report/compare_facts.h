/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What is different about the runs of two sides, besides what they measured. One thread. */
#ifndef P11PROF_REPORT_COMPARE_FACTS_H
#define P11PROF_REPORT_COMPARE_FACTS_H

#include "samples.h"

/* Adds a row for each difference to a table, which gets the columns "what", "in_baseline"
 * and "in_current": token, firmware, library, host …, and options key by key. Several values of a
 * side have commas between. */
void p11prof_compare_facts(struct p11prof_table *out, const struct p11prof_samples *base,
                           const struct p11prof_samples *current);

/* "run 12 nightly (2026-11-24T10:15:30.250Z), run 13 (…)". The caller frees it. */
char *p11prof_compare_runs_text(const struct p11prof_samples *side);

#endif
