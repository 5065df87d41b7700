/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What a script says of the run that it is made of. */
#ifndef P11PROF_BENCH_LIKE_RUN_HEAD_H
#define P11PROF_BENCH_LIKE_RUN_HEAD_H

#include "script.h"

/* Sets name, uuid, origin and missing_count. P11PROF_BAD_INPUT: the run has no rows of calls;
 * described, with what to do. */
enum p11prof_status like_run_head_read(struct like_script *script, struct sqlite3 *db,
                                       int64_t run_id, struct p11prof_error *error);

#endif
