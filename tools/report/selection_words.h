/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The words of a filter, and the numbers that they mean in a run. */
#ifndef P11PROF_REPORT_SELECTION_WORDS_H
#define P11PROF_REPORT_SELECTION_WORDS_H

#include "selection.h"

#include <stdint.h>

/* Starts as {0}. */
struct p11prof_codes {
    struct p11prof_code {
        int64_t owner, code; /* owner: the process, where of_process */
    } * codes;
    size_t count, capacity;
    bool of_process; /* a code means what it says in its process only */
    bool unknown;    /* unknown is selected */
    bool failed;     /* every code but 0 is */
    bool negated;    /* all of this turned round */
};

/* What a filter's words mean in a run. The caller clears *out, also after a failure. */
enum p11prof_status p11prof_codes_read(struct p11prof_codes *out,
                                       const struct p11prof_filter *filter, struct sqlite3 *db,
                                       int64_t run_id, struct p11prof_error *error);
void p11prof_codes_clear(struct p11prof_codes *codes);

#endif
