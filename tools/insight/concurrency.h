/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#ifndef P11PROF_INSIGHT_CONCURRENCY_H
#define P11PROF_INSIGHT_CONCURRENCY_H

#include "p11prof/error.h"
#include "section.h"

struct sqlite3;
struct p11prof_selection;

/* insights.h */
enum p11prof_status p11prof_concurrency_section(struct p11prof_section *out, struct sqlite3 *db,
                                                int64_t run_id,
                                                const struct p11prof_selection *selection,
                                                bool full, struct p11prof_error *error);

#endif
