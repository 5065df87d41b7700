/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Tables of statistics, made from the tallies of a scan: a row is a group. */
#ifndef P11PROF_REPORT_STATS_TABLE_H
#define P11PROF_REPORT_STATS_TABLE_H

#include "scan.h"
#include "table.h"

/* Columns of statistics that follow those of the groups. */
#define P11PROF_STATS_COLUMNS                                                                      \
    "count error_count undisclosed_count share total_ns mean_ns stddev_ns min_ns p50_ns p90_ns "   \
    "p95_ns p99_ns p999_ns max_ns in_bytes out_bytes percentiles unsupported"

/* What a load or an operation has in the results of an export. */
#define P11PROF_RESULT_COLUMNS                                                                     \
    "test name operation mechanism key_type key_bits data_bytes threads processes count "          \
    "error_count ops_per_s bytes_per_s mean_ns stddev_ns min_ns p50_ns p90_ns p95_ns p99_ns "      \
    "p999_ns max_ns histogram windows per_thread run_id load step wrong_count undisclosed_count "  \
    "unchecked percentiles unsupported contention efficiency cooldown_change total_ns in_bytes "   \
    "out_bytes mix weight count_share time_share suite rate arrivals missed_count "                \
    "service_mean_ns service_p50_ns service_p99_ns think_time_ns ramp"

/* Adds the columns run_id, the dimensions (none: the default ones), P11PROF_STATS_COLUMNS. */
void p11prof_stats_columns(struct p11prof_table *table, const struct p11prof_grouping *grouping);

/* Sets what a row has of P11PROF_STATS_COLUMNS but the share. */
void p11prof_stats_row(const struct p11prof_table *table, struct p11prof_cell *row,
                       struct p11prof_tally_group *group);

/* run_id: of the one run that the scan is of; -1: of several.
 * Calls by group: those of kind `call` into *calls, size queries, too small buffers and blocking
 * calls into *others, both with p11prof_stats_columns(). */
enum p11prof_status p11prof_stats_tables(const struct p11prof_scan *scan, int64_t run_id,
                                         struct sqlite3 *db, struct p11prof_table *calls,
                                         struct p11prof_table *others, struct p11prof_error *error);

/* Operations by group, with P11PROF_RESULT_COLUMNS. duration_ns: of the run, 0 if unknown. */
enum p11prof_status p11prof_results_table(const struct p11prof_scan *scan, int64_t run_id,
                                          struct sqlite3 *db, uint64_t duration_ns,
                                          struct p11prof_table *out, struct p11prof_error *error);

#endif
