/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The slices of a load, for bench_results.c only. */
#ifndef P11PROF_REPORT_BENCH_WINDOWS_H
#define P11PROF_REPORT_BENCH_WINDOWS_H

#include "p11prof/error.h"

#include <stdint.h>

struct sqlite3;

struct p11prof_bench_windows {
    uint64_t duration_ns; /* of all slices */
    uint64_t count;       /* operations in them */
    char *json;           /* the array `windows` of a result; the caller frees it */
};

/* Starts as {0}; after a failure json may be NULL. */
enum p11prof_status p11prof_bench_windows_load(struct p11prof_bench_windows *out,
                                               struct sqlite3 *db, int64_t run_id, int64_t load,
                                               struct p11prof_error *error);

#endif
