/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What a comparison found, as rows. */
#ifndef P11PROF_BENCH_VERSUS_FINDINGS_H
#define P11PROF_BENCH_VERSUS_FINDINGS_H

#include "versus.h"

#define VERSUS_COLUMNS                                                                             \
    "test current_test data_bytes threads processes pair_count base_count current_count "          \
    "base_ops_per_s current_ops_per_s effect effect_low effect_high p_value verdict"

struct versus_findings {
    const struct versus *versus;
    const struct bench_load **loads; /* of `tests`, of the base side */
    const char **current_tests;      /* ids; NULL: the same */
    bool other_tests;                /* some are not */
    struct p11prof_paired_test *tests;
    size_t count;
    struct p11prof_table table; /* a row each */
};

/* Compares all loads that were run; loads and tests stand, the table is empty. */
void versus_findings_make(struct versus_findings *findings, const struct versus *versus);
void versus_findings_clear(struct versus_findings *findings);

/* Fills the table with these columns: VERSUS_COLUMNS, "arrow" and "pairs". */
void versus_findings_table(struct versus_findings *findings, const char *columns);

/* A test case for each load: a failure if it regressed, skipped where too little is known. */
void versus_junit(FILE *stream, const struct versus_findings *findings);

#endif
