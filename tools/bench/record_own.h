/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* --record off: threads take the durations themselves, and results go through a database that
 * nobody keeps, so that they are computed and shown in the one way there is. */
#ifndef P11PROF_BENCH_RECORD_OWN_H
#define P11PROF_BENCH_RECORD_OWN_H

#include "run.h"

/* Makes the folder of that database and points run->db at it; false with errno. */
bool record_own_db(struct bench_run *run);
void record_own_remove(struct bench_run *run);

/* What the shim would have seen of token and library. */
enum p11prof_status record_own_describe(struct bench_run *run, struct p11prof_error *error);

/* The group of a slice, from what its threads measured of the load that is the turn-th in it. */
enum p11prof_status record_own_slice(struct bench_run *run, struct bench_load *load, unsigned turn,
                                     uint64_t window_start_ns, struct p11prof_error *error);

#endif
