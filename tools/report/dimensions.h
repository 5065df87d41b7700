/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What calls can be grouped by: the words of --by, and where the database has them. Pure data. */
#ifndef P11PROF_REPORT_DIMENSIONS_H
#define P11PROF_REPORT_DIMENSIONS_H

#include <stdbool.h>
#include <stddef.h>

enum p11prof_dimension_id {
    P11PROF_BY_FUNCTION,
    P11PROF_BY_OPERATION,
    P11PROF_BY_MECHANISM,
    P11PROF_BY_KIND,
    P11PROF_BY_KEY_TYPE,
    P11PROF_BY_KEY_BITS,
    P11PROF_BY_CALLER,
    P11PROF_BY_PROCESS,
    P11PROF_BY_THREAD,
    P11PROF_BY_SESSION,
    P11PROF_BY_SLOT,
    P11PROF_BY_RV,
    P11PROF_BY_PART, /* of a load: p11prof/load.h */
    P11PROF_DIMENSIONS,
};

struct p11prof_dimension {
    const char *name;     /* in --by; NULL: it is no word of it */
    const char *column;   /* in a report */
    const char *of_call;  /* of table call c, in a segment s */
    const char *of_group; /* of table call_group g; NULL: the histograms do not tell it apart */
    const char *names;    /* table of its names; NULL: it is a number, or a caller */
};
extern const struct p11prof_dimension p11prof_dimensions[P11PROF_DIMENSIONS];

/* An order of dimensions, each at most once. */
struct p11prof_grouping {
    enum p11prof_dimension_id ids[P11PROF_DIMENSIONS];
    size_t count;
};

/* function, mechanism, kind */
extern const struct p11prof_grouping p11prof_default_grouping;

/* Reads "function,caller"; the kind of call is added where it is left out, since percentiles over
 * several kinds mean nothing. Returns NULL, or the word that is none (valid until the next call);
 * *nearest is then the word that may be meant, or NULL. */
const char *p11prof_grouping_read(struct p11prof_grouping *out, const char *text,
                                  const char **nearest);

bool p11prof_grouping_has(const struct p11prof_grouping *grouping, enum p11prof_dimension_id id);

/* The first dimension that the histograms do not have; NULL if they have all. */
const struct p11prof_dimension *p11prof_grouping_needs_rows(
    const struct p11prof_grouping *grouping);

#endif
