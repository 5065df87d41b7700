/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What calls and operations can be grouped by and filtered by: the words of --by, and where the
 * database has them. Pure data.
 *
 * In the SQL of a dimension, c is a row of table call in a segment s, g a row of call_group and w a
 * row of group_window; ?1 is the run and ?2 its start in ns since 1970. */
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
    P11PROF_BY_KEY,
    P11PROF_BY_TEST,
    P11PROF_BY_CALLER,  /* where a call came from */
    P11PROF_BY_LIBRARY, /* the file alone */
    P11PROF_BY_PROCESS,
    P11PROF_BY_PROGRAM,
    P11PROF_BY_THREAD,
    P11PROF_BY_SESSION,
    P11PROF_BY_SLOT,
    P11PROF_BY_RV,
    P11PROF_BY_MINUTE,
    P11PROF_BY_HOUR,
    P11PROF_BY_DAY,
    P11PROF_BY_RUN,
    P11PROF_BY_NAME,
    P11PROF_BY_HOST,
    P11PROF_BY_TOKEN,
    P11PROF_BY_PART, /* of a load: p11prof/load.h */
    P11PROF_DIMENSIONS,
};

enum p11prof_dimension_kind {
    P11PROF_DIMENSION_NUMBER,
    P11PROF_DIMENSION_CODE,       /* of a table of names in the database */
    P11PROF_DIMENSION_OF_PROCESS, /* a text; the number means it in its process only */
    P11PROF_DIMENSION_OF_RUN,     /* a text; the number means it in its run only */
    P11PROF_DIMENSION_TIME,       /* number of a time of unit_s since 1970 */
};

struct p11prof_dimension {
    const char *name;         /* in --by; NULL: it is no word of it */
    const char *column;       /* in a report */
    const char *of_call;      /* SQL of table call */
    const char *of_group;     /* of a group of calls; NULL: histograms do not tell it apart */
    const char *of_operation; /* of a group of operations; NULL: the same */
    enum p11prof_dimension_kind kind;
    const char *names; /* CODE: table of names; texts: query of number's owner, number, text, and
                          other words for it */
    bool of_window;    /* of_group and of_operation are of one window, not of a whole run */
    unsigned unit_s;
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

/* The first dimension that the histograms of calls (of operations) do not have; NULL if they have
 * all. */
const struct p11prof_dimension *p11prof_grouping_needs_rows(const struct p11prof_grouping *grouping,
                                                            bool operations);

/* Whether it has dimensions that only windows tell apart. */
bool p11prof_grouping_needs_windows(const struct p11prof_grouping *grouping);

#endif
