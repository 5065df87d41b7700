/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What a run says and stores of its token, loads, slices and threads. Failures of the database are
 * warnings: what was recorded is in spools. */
#ifndef P11PROF_BENCH_RUN_FACTS_H
#define P11PROF_BENCH_RUN_FACTS_H

#include "run.h"

/* The key that --key or --key-uri names. */
void run_own_key_name(const struct bench_run *run, struct p11prof_bench_own_key *key);

/* The same as p11prof_complain_of(), of which side it is, where there are two. */
int run_complain(const struct bench_run *run, const struct p11prof_error *error);

/* "current: ", "" where there is one side only. */
const char *run_side(const struct bench_run *run);

/* What the slices of a load are called: by its test, or that they are of a mix. */
const char *run_turns_name(const struct bench_load *load);

/* "module …, token …", and what the shim would add. */
void run_announce(const struct bench_run *run);

/* Keeps flags and sizes of a test's mechanism for the run's options. */
void run_mechanism_note(struct bench_run *run, const struct bench_load *load,
                        const CK_MECHANISM_INFO *info);

/* All loads that are ready and alone or not, and the run's options with what is known now. Returns
 * 0 or an exit code. */
int run_loads_store(struct bench_run *run, bool alone);

/* One load, and the run's options with what is known now. */
enum p11prof_status run_load_store(struct bench_run *run, const struct bench_load *load,
                                   struct p11prof_error *error);
void run_options_store(struct bench_run *run);

/* At the begin and at the end of a slice. */
void slice_facts_begin(struct slice_facts *facts);
void slice_facts_end(struct slice_facts *facts);

/* Takes over what the threads of a load did in a slice, and stores the slice. */
struct slice_sum slice_store(struct bench_run *run, struct bench_load *load,
                             const struct bench_plan *plan, const struct slice_facts *facts);

/* What all threads did. */
void run_threads_store(struct bench_run *run);

#endif
