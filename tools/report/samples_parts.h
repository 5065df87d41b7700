/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What the ways into samples share, for samples_*.c only. */
#ifndef P11PROF_REPORT_SAMPLES_PARTS_H
#define P11PROF_REPORT_SAMPLES_PARTS_H

#include "samples.h"

/* Where a row goes. */
struct p11prof_sample_place {
    size_t run;       /* row of samples.runs */
    const char *only; /* p11prof_samples_add_run() */
};

/* Adds a row of a table that has columns of view runs. P11PROF_BAD_INPUT if it is there already. */
enum p11prof_status p11prof_samples_add_of_run(struct p11prof_samples *out,
                                               const struct p11prof_table *runs, size_t row,
                                               size_t *run, struct p11prof_error *error);

/* The row of that key, whose texts are taken; NULL if it is none that is compared or wanted. */
struct p11prof_sample_row *p11prof_samples_place(struct p11prof_samples *out,
                                                 const struct p11prof_sample_place *place,
                                                 struct p11prof_sample_key *key, const char *name);

/* P11PROF_BAD_INPUT if there is no row of the runs since first_run, and `only` asked for one. */
enum p11prof_status p11prof_samples_check_only(const struct p11prof_samples *samples,
                                               size_t first_run, const char *only, const char *name,
                                               struct p11prof_error *error);

#endif
