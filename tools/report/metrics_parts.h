/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The steps of metrics.h: what is read, and how a series is written. Private to it and to the
 * exporter, which writes the same families from sums of its own. */
#ifndef P11PROF_REPORT_METRICS_PARTS_H
#define P11PROF_REPORT_METRICS_PARTS_H

#include "p11prof/error.h"
#include "table.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct sqlite3;

/* Whose rows are series. */
enum metrics_table {
    METRICS_LOADS,      /* of benches: P11PROF_RESULT_COLUMNS, token, sum_ns */
    METRICS_LOAD_CALLS, /* the calls of their measured part, by function */
    METRICS_CALLS,      /* of profiles, by function */
    METRICS_OPERATIONS, /* of profiles */
    METRICS_LOST,       /* calls that were counted only, of all runs */
    METRICS_TABLES,
};

/* A sample of a series: a column in its base unit. */
struct metrics_sample {
    const char *quantile;
    const char *column; /* NULL: the series is a histogram */
    double scale;
};

struct metrics_family {
    const char *name, *type, *help;
    enum metrics_table table;
    bool hsm; /* its label `operation` is the test */
    struct metrics_sample samples[6];
};
extern const struct metrics_family metrics_families[];
extern const size_t metrics_family_count;

/* Starts as {0}. */
struct metrics {
    struct p11prof_table tables[METRICS_TABLES];
};

enum p11prof_status metrics_load(struct metrics *out, struct sqlite3 *db, const int64_t *run_ids,
                                 size_t count, struct p11prof_error *error);
void metrics_clear(struct metrics *metrics);

/* The labels of a table's rows, 'a="x",b="y"': no two rows have the same. test_is_operation: the
 * label `operation` is the test. */
void metrics_labels_write(FILE *stream, enum metrics_table id, const struct p11prof_table *table,
                          size_t row, bool test_is_operation);

/* A label's value without its quotes. */
void metrics_label_write(FILE *stream, const char *value);

/* A number as Prometheus reads it, with all of its digits. */
void metrics_number_write(FILE *stream, double value);

/* The samples of a histogram from "[[low, high, count], ...]" ns, whatever stands between the
 * numbers. labels: without braces. */
void metrics_histogram_write(FILE *stream, const char *name, const char *labels,
                             const char *buckets, double sum_ns);

#endif
