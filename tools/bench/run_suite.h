/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* --suite: the loads of a run are the steps of a file. */
#ifndef P11PROF_BENCH_RUN_SUITE_H
#define P11PROF_BENCH_RUN_SUITE_H

#include "run.h"

/* Makes the loads of the settings' suite. Returns 0 or an exit code, after it said why: a key that
 * is not on the token is wrong usage, unless keys are to be made. */
int run_suite_make(struct bench_run *run);

/* Frees what it made; allowed where there is no suite. */
void run_suite_clear(struct bench_run *run);

#endif
