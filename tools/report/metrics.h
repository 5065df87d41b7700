/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Results of bench runs in Prometheus' text format (version 0.0.4). Base units; counters end in
 * _total. Besides, the gauges hsm_ops_per_sec and hsm_latency_p99_ms. */
#ifndef P11PROF_REPORT_METRICS_H
#define P11PROF_REPORT_METRICS_H

#include "p11prof/error.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct sqlite3;

/* One sample a load and metric; what is unknown is left out. Where several runs have the same test
 * with the same parameters, the last one counts: a scrape has one sample of each name. */
enum p11prof_status p11prof_metrics_write(FILE *stream, struct sqlite3 *db, const int64_t *run_ids,
                                          size_t count, struct p11prof_error *error);

#endif
