/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Series of the exporter: sets of labels, and what is counted for each. There are no more of them
 * than was said, whatever a database holds: those that come later are folded into series whose
 * labels are "other". Which ones are folded does not change while a book lives, so that no counter
 * goes back. One thread. */
#ifndef P11PROF_EXPORTER_SERIES_H
#define P11PROF_EXPORTER_SERIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum exporter_table {
    EXPORTER_CALLS,      /* by function */
    EXPORTER_OPERATIONS, /* by operation */
    EXPORTER_RESULTS,    /* failed calls by function and CK_RV */
    EXPORTER_LOST,       /* calls that were counted only */
    EXPORTER_LAST_CALL,  /* of a program: count is ns since 1970 of its last call, the latest counts
                          */
    EXPORTER_TABLES,
};

enum { EXPORTER_LABELS = 7 };
/* Names of the labels of each table; NULL behind the last one. */
extern const char *const exporter_labels[EXPORTER_TABLES][EXPORTER_LABELS + 1];

/* Bounds of histograms are 2^k ns, k from the first octave to the last. */
enum {
    EXPORTER_FIRST_OCTAVE = 10,
    EXPORTER_LAST_OCTAVE = 36,
    EXPORTER_BOUNDS = EXPORTER_LAST_OCTAVE - EXPORTER_FIRST_OCTAVE + 1,
};

struct exporter_values {
    uint64_t count, error_count, in_bytes, out_bytes;
    uint64_t sum_ns;                       /* of those in the histogram */
    bool timed;                            /* there are durations */
    uint64_t buckets[EXPORTER_BOUNDS + 1]; /* up to each bound, above the one before; then longer */
};

struct exporter_series {
    enum exporter_table table;
    char *labels;                        /* 'a="x",b="y"' */
    struct exporter_series *folded_into; /* NULL: it stands for itself */
    struct exporter_values values;
};

/* Starts with its first three members set. */
struct exporter_book {
    size_t series_max; /* time series, as Prometheus counts them: each line of a page is one */
    bool no_programs, no_tokens; /* these labels stay empty */
    size_t series_count;         /* of what is not folded */
    size_t folded_count;         /* sets of labels that are */
    size_t fold_count;           /* that they went into */
    char codes[32][20];          /* numbers of results without a name that may be labels */
    size_t code_count;
    void *root; /* of all, ordered by table and labels */
};

/* The series that a set of labels counts for: made if it is new. values: of the labels of the
 * table; NULL is "". Borrowed, until the book is cleared. */
struct exporter_series *exporter_series_find(struct exporter_book *book, enum exporter_table table,
                                             const char *const *values);

/* Calls `visit` for each that stands for itself, by table and labels. */
void exporter_series_visit(const struct exporter_book *book,
                           void (*visit)(void *payload, struct exporter_series *series),
                           void *payload);

/* Forgets all series. */
void exporter_book_clear(struct exporter_book *book);

/* Adds what a part counted, or takes it away again. */
void exporter_series_add(struct exporter_series *series, const struct exporter_values *values);
void exporter_series_take(struct exporter_series *series, const struct exporter_values *values);

/* Adds durations of [low_ns, high_ns): a bucket that straddles a bound counts for the next one. */
void exporter_bucket_add(struct exporter_values *values, uint64_t high_ns, uint64_t count);

#endif
