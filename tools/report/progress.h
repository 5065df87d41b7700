/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Says on a terminal behind stderr what a query is doing, once it takes longer than a second. */
#ifndef P11PROF_REPORT_PROGRESS_H
#define P11PROF_REPORT_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct sqlite3;

/* Private but for its place: it has to stay where it is until the end. */
struct p11prof_progress {
    struct sqlite3 *db;
    char what[80];
    uint64_t start_ns, shown_ns;
    bool shown;
};

/* From here on, queries of this connection say "WHAT: 3 s". */
void p11prof_progress_begin(struct p11prof_progress *progress, struct sqlite3 *db,
                            const char *what);

/* Wipes it out. */
void p11prof_progress_end(struct p11prof_progress *progress);

#endif
