/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Runs in Prometheus' text format (version 0.0.4), for a textfile collector or a Pushgateway: no
 * timestamps, base units, counters end in _total. docs/export.md lists the metrics.
 *
 * Histograms have the bounds 2^k and 1.5·2^k ns, k = 10 to 36, in seconds, and +Inf. A bucket of
 * the database that straddles a bound counts for the bound above it; so does a duration of exactly
 * a bound. Our own buckets straddle none. */
#ifndef P11PROF_REPORT_METRICS_H
#define P11PROF_REPORT_METRICS_H

#include "p11prof/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct sqlite3;

/* Bench runs give a series a load and metric, with the parameters of the load as labels; where
 * several runs have the same ones, the last counts. Profile runs of one program and token are added
 * up. What is unknown is left out, an unknown label is empty. hsm_gauges: with hsm_ops_per_sec and
 * hsm_latency_p99_ms, whose label `operation` is the test. */
enum p11prof_status p11prof_metrics_write(FILE *stream, struct sqlite3 *db, const int64_t *run_ids,
                                          size_t count, bool hsm_gauges,
                                          struct p11prof_error *error);

#endif
