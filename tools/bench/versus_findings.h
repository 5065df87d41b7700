/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What a comparison found, as rows. */
#ifndef P11PROF_BENCH_VERSUS_FINDINGS_H
#define P11PROF_BENCH_VERSUS_FINDINGS_H

#include "versus.h"

#define VERSUS_COLUMNS                                                                             \
    "test current_test data_bytes threads processes pair_count base_count current_count "          \
    "base_error_count current_error_count base_ops_per_s current_ops_per_s effect effect_low "     \
    "effect_high p_value verdict"

/* What failed of a test on one side, in all its slices. */
struct versus_errors {
    uint64_t operation_count, error_count; /* wrong results are errors, too */
    CK_RV first_rv;                        /* CKR_OK: it was a wrong result */
};

struct versus_findings {
    const struct versus *versus;
    const struct bench_load **loads; /* of `tests`, of the base side */
    const char **current_tests;      /* ids; NULL: the same */
    bool other_tests;                /* some are not */
    struct p11prof_paired_test *tests;
    struct versus_errors (*errors)[VERSUS_SIDES]; /* of `tests` */
    size_t count;
    struct p11prof_table table; /* a row each */
};

/* Compares all loads that were run; loads and tests stand, the table is empty. */
void versus_findings_make(struct versus_findings *findings, const struct versus *versus);
void versus_findings_clear(struct versus_findings *findings);

/* Fills the table with these columns: VERSUS_COLUMNS, "arrow" and "pairs". */
void versus_findings_table(struct versus_findings *findings, const char *columns);

bool versus_has_errors(const struct versus_findings *findings, size_t index);

/* "base: 47 of 467 failed (CKR_DEVICE_ERROR)"; nothing where none did. */
void versus_errors_text(char *out, size_t bytes, const struct versus_findings *findings,
                        size_t index);

/* A test case for each load: an error where operations failed, a failure if it regressed, skipped
 * where too little is known. */
void versus_junit(FILE *stream, const struct versus_findings *findings);

#endif
