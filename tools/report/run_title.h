/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The title of a page that is about one run. */
#ifndef P11PROF_REPORT_RUN_TITLE_H
#define P11PROF_REPORT_RUN_TITLE_H

#include "p11prof/error.h"
#include "page.h"

struct sqlite3;

/* "Run 3 nightly (profile, finished), started 2026-11-24T10:15:30.250Z" */
enum p11prof_status p11prof_run_title(struct p11prof_page *page, struct sqlite3 *db, int64_t run_id,
                                      struct p11prof_error *error);

#endif
