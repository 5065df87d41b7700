/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What was found out about latency, as sentences. */
#ifndef P11PROF_INSIGHT_LATENCY_WORDS_H
#define P11PROF_INSIGHT_LATENCY_WORDS_H

#include "latency_first.h"
#include "latency_floor.h"
#include "latency_modes.h"
#include "latency_sizes.h"
#include "report/code_names.h"

#include <stdio.h>

struct sqlite3;

/* The names that a database has for codes. */
struct p11prof_latency_names {
    struct p11prof_code_names mechanisms, key_types, rvs;
};
enum p11prof_status p11prof_latency_names_load(struct p11prof_latency_names *out,
                                               struct sqlite3 *db, struct p11prof_error *error);
void p11prof_latency_names_clear(struct p11prof_latency_names *names);

/* What the sentences are about. */
struct p11prof_latency_told {
    const struct p11prof_latency_gather *gather;
    const struct p11prof_latency_names *names;
};

/* "RSA 4096", "AES 256"; "" where it is not known. */
void p11prof_latency_kind_print(FILE *stream, const struct p11prof_latency_told *told,
                                size_t group);
/* "C_Sign CKM_SHA256_RSA_PKCS", with the kind of key of a group. */
void p11prof_latency_shape_print(FILE *stream, const struct p11prof_latency_told *told,
                                 size_t shape);
void p11prof_latency_group_print(FILE *stream, const struct p11prof_latency_told *told,
                                 size_t group);
/* "are with key 3": what goes on with "97 % of the slow ones …". */
void p11prof_latency_cause_print(FILE *stream, const struct p11prof_latency_told *told,
                                 const struct p11prof_latency_cause *cause);
/* "come every 2.00 s". */
void p11prof_latency_period_print(FILE *stream, const struct p11prof_latency_period *period);
/* The word of a factor: "key", "time". */
const char *p11prof_latency_factor_name(enum p11prof_latency_factor factor);

/* Behind a number of keys: " (one that several processes use counts in each)", where it does. */
const char *p11prof_latency_keys_note(const struct p11prof_latency_told *told);

/* Sentences. */
void p11prof_latency_first_print(FILE *stream, const struct p11prof_latency_told *told,
                                 const struct p11prof_latency_first *first);
void p11prof_latency_mode_print(FILE *stream, const struct p11prof_latency_told *told,
                                const struct p11prof_latency_mode *mode);
void p11prof_latency_line_print(FILE *stream, const struct p11prof_latency_told *told,
                                const struct p11prof_latency_line *line);
void p11prof_latency_floor_print(FILE *stream, const struct p11prof_latency_told *told,
                                 const struct p11prof_latency_floor *floor, size_t group);

#endif
