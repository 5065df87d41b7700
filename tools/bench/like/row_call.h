/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What a recorded call is in a script. */
#ifndef P11PROF_BENCH_LIKE_ROW_CALL_H
#define P11PROF_BENCH_LIKE_ROW_CALL_H

#include "rows.h"
#include "script.h"

/* Why it is not played; LIKE_REASONS: it is. */
enum like_reason like_row_reason(const struct like_row *row);

/* The call without what others decide: session, objects, waits. */
struct like_call like_row_call(const struct like_row *row);

/* When it returned; without a duration, when it began. */
int64_t like_row_end_ns(const struct like_row *row);

#endif
