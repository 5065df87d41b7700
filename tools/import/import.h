/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Files of other tools as runs of the database. Each reader takes one file, inside the caller's
 * transaction, and makes one run of it, of state "finished". What the file does not say stays
 * unknown. */
#ifndef P11PROF_IMPORT_IMPORT_H
#define P11PROF_IMPORT_IMPORT_H

#include "import/lines.h"
#include "p11prof/store.h"

enum p11prof_import_format {
    P11PROF_IMPORT_UNKNOWN,
    P11PROF_IMPORT_SPY,
    P11PROF_IMPORT_P11PERFTEST,
};

struct p11prof_import {
    struct p11prof_store *store;
    struct p11prof_lines *lines;
    const char *run_name;  /* NULL: none */
    const char *file_name; /* base name */
};

struct p11prof_import_result {
    int64_t run_id;
    uint64_t process_count, call_count;
    uint64_t lost_count;     /* calls whose result cannot be told */
    uint64_t odd_line_count; /* lines that were not understood */
    uint64_t first_odd_line; /* from 1 */
    uint64_t test_count;     /* results of a benchmark */
    uint64_t left_count;     /* results that could not be read */
};

/* Limits of what is read. */
#define P11PROF_IMPORT_SPY_BYTES         (UINT64_C(1) << 30)
#define P11PROF_IMPORT_P11PERFTEST_BYTES (UINT64_C(256) << 20)

/* What the content looks like. */
enum p11prof_import_format p11prof_import_recognise(const char *text, size_t bytes);

/* "pkcs11-spy"; NULL: unknown. */
const char *p11prof_import_format_name(enum p11prof_import_format format);

/* P11PROF_BAD_INPUT, described, if it is no such file or there is nothing in it. */
enum p11prof_status p11prof_import_spy(const struct p11prof_import *import,
                                       struct p11prof_import_result *result,
                                       struct p11prof_error *error);
enum p11prof_status p11prof_import_p11perftest(const struct p11prof_import *import,
                                               struct p11prof_import_result *result,
                                               struct p11prof_error *error);

/* Recognises the format unless it is given, reads the file in one transaction and names the run
 * after its content. *known_run is the run that the same content was imported as before, else 0;
 * then nothing is written. */
enum p11prof_status p11prof_import_file(const struct p11prof_import *import,
                                        enum p11prof_import_format *format,
                                        struct p11prof_import_result *result, int64_t *known_run,
                                        struct p11prof_error *error);

#endif
