/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Steps of p11prof_histogram_load(), for histogram*.c only. */
#ifndef P11PROF_REPORT_HISTOGRAM_STEPS_H
#define P11PROF_REPORT_HISTOGRAM_STEPS_H

#include "histogram.h"

/* Counts the outliers of the groups of a set one by one, and names the worst. Rows are there. */
enum p11prof_status p11prof_histogram_find_worst(struct p11prof_histogram *histogram,
                                                 struct p11prof_histogram_set *set,
                                                 struct sqlite3 *db, struct p11prof_error *error);

/* Sets the iterations of the worst of a set of loads. */
enum p11prof_status p11prof_histogram_number_worst(struct p11prof_histogram *histogram,
                                                   struct p11prof_histogram_set *set,
                                                   struct sqlite3 *db, struct p11prof_error *error);

/* Makes histogram->names. */
enum p11prof_status p11prof_histogram_name(struct p11prof_histogram *histogram, struct sqlite3 *db,
                                           struct p11prof_error *error);

/* Index in set->loads of a group's load; row_count if it has none. */
size_t p11prof_histogram_load_row(const struct p11prof_histogram_set *set,
                                  const struct p11prof_key *key);

#endif
