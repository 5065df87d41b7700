/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What one side of a comparison measured: rows, and the windows of time that each run has of them.
 * From the database, or from documents of schema p11prof/export/v1; both give the same. Starts as
 * {0}. One thread. */
#ifndef P11PROF_REPORT_SAMPLES_H
#define P11PROF_REPORT_SAMPLES_H

#include "p11prof/error.h"
#include "table.h"

struct sqlite3;

/* A bucket of p11prof/histogram.h. */
struct p11prof_window_bucket {
    uint64_t low_ns, count;
};

struct p11prof_window {
    uint64_t start_ns; /* since the run's start */
    uint64_t duration_ns;
    uint64_t count, error_count;           /* completed; failed ones of them */
    struct p11prof_window_bucket *buckets; /* of those that did not fail, ascending */
    size_t bucket_count;
};

/* What one run has of a row. */
struct p11prof_sample {
    size_t run;                     /* row of p11prof_samples.runs */
    uint64_t count, error_count;    /* as the report says: wrong results are errors too */
    struct p11prof_window *windows; /* in the order of time, without gaps for profiles */
    size_t window_count, window_capacity;
};

enum p11prof_sample_kind {
    P11PROF_SAMPLE_TEST,      /* of a bench */
    P11PROF_SAMPLE_OPERATION, /* of a profile */
    P11PROF_SAMPLE_FUNCTION,  /* of a profile, of no operation */
};

/* What tells rows apart. Texts are "" and numbers -1 where unknown or not of that kind. */
struct p11prof_sample_key {
    enum p11prof_sample_kind kind;
    char *what;      /* test, operation or function */
    char *mechanism; /* a test says it */
    char *key_type;
    int64_t key_bits, data_bytes, threads, processes;
    char *suite;    /* test of a suite, of which it is the step-th; NULL: none */
    int64_t step;   /* 0: none */
    int64_t weight; /* in a mix, in millionths of it; 0: alone */
    int64_t rate;   /* that a schedule wants, in millionths of an operation/s; 0: as many as go */
    bool poisson;   /* its arrivals are random */
    int64_t think_time_ns; /* that a thread waits after an operation */
};

struct p11prof_sample_row {
    struct p11prof_sample_key key;
    char *name; /* of a test, for people */
    struct p11prof_sample *samples;
    size_t sample_count, sample_capacity;
};

struct p11prof_samples {
    struct p11prof_table runs; /* P11PROF_SAMPLE_RUN_COLUMNS */
    struct p11prof_sample_row *rows;
    size_t row_count, row_capacity;
};

/* What is known of a run: columns of view runs. */
#define P11PROF_SAMPLE_RUN_COLUMNS                                                                 \
    "run_id uuid kind name state started_at duration_ns host program library cryptoki_version "    \
    "token_label token_model token_serial token_firmware token_manufacturer token_hardware os "    \
    "kernel cpu cpu_count memory_bytes governor clock tool_version options call_count lost_count"

/* Adds a run of the database. only: a test, operation or function; NULL: all. P11PROF_BAD_INPUT if
 * the side has the run already, or no row is `only`. */
enum p11prof_status p11prof_samples_add_run(struct p11prof_samples *out, struct sqlite3 *db,
                                            int64_t run_id, const char *only,
                                            struct p11prof_error *error);

/* Adds all runs of a document. P11PROF_BAD_INPUT says what is wrong with it and where; what was
 * added before that stays. `name` is what messages call it. */
enum p11prof_status p11prof_samples_add_document(struct p11prof_samples *out, const char *text,
                                                 size_t bytes, const char *name, const char *only,
                                                 struct p11prof_error *error);

/* The same of a file. */
enum p11prof_status p11prof_samples_add_file(struct p11prof_samples *out, const char *path,
                                             const char *only, struct p11prof_error *error);

void p11prof_samples_clear(struct p11prof_samples *samples);

/* The row of that key, made if need be, which takes the key's texts; valid until the next call. */
struct p11prof_sample_row *p11prof_samples_row(struct p11prof_samples *samples,
                                               struct p11prof_sample_key *key);

/* The sample of a run in a row, made if need be; valid until the next call. */
struct p11prof_sample *p11prof_sample_of_run(struct p11prof_sample_row *row, size_t run);

/* A new window at the end; valid until the next call. */
struct p11prof_window *p11prof_sample_add_window(struct p11prof_sample *sample);

/* What all windows wait for after the last was added: their order, their ends at that of the run,
 * and, of a profile, those that had nothing in them. */
void p11prof_samples_complete(struct p11prof_samples *samples);

/* The weight of a key, of a part of a mix; 0: alone. */
int64_t p11prof_sample_weight(double part);

/* The rate of a key; 0: there is no schedule. */
int64_t p11prof_sample_rate(double per_s);

/* Frees its texts. */
void p11prof_sample_key_clear(struct p11prof_sample_key *key);

/* < 0, 0, > 0. */
int p11prof_sample_key_compare(const struct p11prof_sample_key *a,
                               const struct p11prof_sample_key *b);

/* "rsa-2048-sign 4 threads", "sign CKM_ECDSA EC 256", "C_Login". The caller frees it. */
char *p11prof_sample_key_text(const struct p11prof_sample_key *key);

#endif
