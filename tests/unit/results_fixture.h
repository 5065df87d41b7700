/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* A bench run in a store of its own: loads, and operations that a test makes one by one. */
#ifndef P11PROF_RESULTS_FIXTURE_H
#define P11PROF_RESULTS_FIXTURE_H

#include "store_fixture.h"

#include "p11prof/load.h"
#include "report/run_report.h"

/* Setup and teardown: fixture_store with the bench run 1. */
int bench_setup(void **state);
int bench_teardown(void **state);

/* Operations of kind sign of one thread of a load, in the slice that starts at start_ns. */
struct bench_place {
    uint32_t load;
    enum p11prof_phase phase;
    uint32_t thread_id;
    uint64_t start_ns;
};

/* One operation; its row says less of the last call's duration. rv 0 is CKR_OK. */
void bench_operation(const struct bench_place *place, uint64_t duration_ns, uint64_t rv);

/* Writes what bench_operation() was told: with rows, or the groups only. */
void bench_write(bool with_rows);

/* A load of sign with CKM_ECDSA and a P-256 key; data_bytes -1 is unknown. */
void bench_load(uint32_t load, const char *test, int64_t data_bytes, unsigned threads,
                unsigned processes);
/* The same as a part of a mix. */
void bench_mix_load(uint32_t load, const char *test, unsigned mix, double weight, unsigned threads);
void bench_slice(uint32_t load, unsigned slice, uint64_t start_ns, uint64_t duration_ns);
void bench_thread(const struct p11prof_thread_row *thread);
void bench_skip(const char *test, const char *reason);

/* Reads bench_report, which the checks below are of, and returns its results. Once a test. */
extern struct p11prof_run_report bench_report;
const struct p11prof_table *bench_results(void);

/* Fail the test unless a result has that value. */
void bench_check(size_t row, const char *column, int64_t value);
void bench_check_real(size_t row, const char *column, double value);
void bench_check_text(size_t row, const char *column, const char *value);
void bench_check_unknown(size_t row, const char *column);

#endif
