/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "metrics_parts.h"
#include "safe_text.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_OCTAVE = 10, LAST_OCTAVE = 36, BOUNDS = 2 * (LAST_OCTAVE - FIRST_OCTAVE + 1) };

#define LOAD_LABELS                                                                                \
    "test", "token", "operation", "mechanism", "key_type", "key_bits", "data_bytes", "threads",    \
        "processes", "weight", "suite", "step", "rate", "arrivals", "think_time_ns"

/* Columns that are labels. */
static const char *const label_columns[METRICS_TABLES][18] = {
    [METRICS_LOADS] = {LOAD_LABELS},
    [METRICS_LOAD_CALLS] = {LOAD_LABELS, "function", "kind"},
    [METRICS_CALLS] = {"program", "token", "function", "kind", "mechanism", "key_type", "key_bits"},
    [METRICS_OPERATIONS] = {"program", "token", "operation", "mechanism", "key_type", "key_bits"},
    [METRICS_LOST] = {"program", "token", "function", "cause"},
};

/* Backslash and quote are escaped; newlines and bytes that are no UTF-8 are text by then. */
void metrics_label_write(FILE *stream, const char *value)
{
    char *safe = p11prof_safe_copy(value);
    for (const char *at = safe; *at; at++) {
        if (*at == '\\' || *at == '"')
            fputc('\\', stream);
        fputc(*at, stream);
    }
    free(safe);
}

static void cell_write(FILE *stream, const struct p11prof_cell *cell)
{
    if (cell && cell->kind == P11PROF_CELL_TEXT)
        metrics_label_write(stream, cell->text);
    else if (cell && cell->kind == P11PROF_CELL_INTEGER)
        fprintf(stream, "%" PRId64, cell->integer);
    else if (cell && cell->kind == P11PROF_CELL_REAL)
        fprintf(stream, "%.6g", cell->real);
}

void metrics_labels_write(FILE *stream, enum metrics_table id, const struct p11prof_table *table,
                          size_t row, bool test_is_operation)
{
    const char *const *columns = label_columns[id];
    for (size_t i = 0; columns[i]; i++) {
        bool test = test_is_operation && strcmp(columns[i], "operation") == 0;
        fprintf(stream, "%s%s=\"", i > 0 ? "," : "", columns[i]);
        cell_write(stream, p11prof_table_get(table, row, test ? "test" : columns[i]));
        fputc('"', stream);
    }
}

void metrics_number_write(FILE *stream, double value)
{
    fprintf(stream, fabs(value) < 1e15 && value == floor(value) ? "%.0f" : "%.15g", value);
}

/* 2^10, 1.5·2^10, 2^11, … */
static uint64_t bound_ns(size_t index)
{
    return (UINT64_C(2) + index % 2) << (FIRST_OCTAVE - 1 + index / 2);
}

/* Takes a number and what stands before it; false behind the last one. */
static bool number_next(const char **text, uint64_t *number)
{
    char *end;
    *text += strcspn(*text, "0123456789");
    if (**text == '\0')
        return false;
    *number = strtoull(*text, &end, 10);
    *text = end;
    return true;
}

/* How many are at most as long as each bound, and longer ones. */
static uint64_t counts_read(uint64_t counts[BOUNDS + 1], const char *buckets)
{
    uint64_t low_ns, high_ns, count, total = 0;
    memset(counts, 0, (BOUNDS + 1) * sizeof *counts);
    while (number_next(&buckets, &low_ns) && number_next(&buckets, &high_ns) &&
           number_next(&buckets, &count)) {
        size_t i = 0;
        while (i < BOUNDS && high_ns > bound_ns(i) + 1)
            i++;
        counts[i] += count;
        total += count;
    }
    return total;
}

void metrics_histogram_write(FILE *stream, const char *name, const char *labels,
                             const char *buckets, double sum_ns)
{
    uint64_t counts[BOUNDS + 1], below = 0;
    uint64_t total = counts_read(counts, buckets);
    for (size_t i = 0; i < BOUNDS; i++) {
        below += counts[i];
        fprintf(stream, "%s_bucket{%s,le=\"%.12g\"} %" PRIu64 "\n", name, labels,
                (double)bound_ns(i) / 1e9, below);
    }
    fprintf(stream, "%s_bucket{%s,le=\"+Inf\"} %" PRIu64 "\n%s_sum{%s} ", name, labels, total, name,
            labels);
    metrics_number_write(stream, sum_ns / 1e9);
    fprintf(stream, "\n%s_count{%s} %" PRIu64 "\n", name, labels, total);
}
