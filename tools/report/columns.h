/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The one table of columns: name, unit, type and heading of everything that a report shows. Text,
 * JSON and CSV are made from it, and --sort and --by take its names. Names equal those of the
 * views in sql/. Pure data. */
#ifndef P11PROF_REPORT_COLUMNS_H
#define P11PROF_REPORT_COLUMNS_H

#include <stddef.h>

enum p11prof_unit {
    P11PROF_UNIT_NONE,   /* text or a plain number */
    P11PROF_UNIT_NUMBER, /* an identity: to be read digit by digit, right-aligned */
    P11PROF_UNIT_NS,
    P11PROF_UNIT_MOMENT, /* ns since the run's start, to the microsecond */
    P11PROF_UNIT_BYTES,
    P11PROF_UNIT_COUNT,
    P11PROF_UNIT_SHARE,        /* 0 to 1 */
    P11PROF_UNIT_PER_S,        /* 1/s, or how many at a time: to three digits */
    P11PROF_UNIT_WANTED_PER_S, /* 1/s that somebody asked for: JSON and CSV have all its digits */
    P11PROF_UNIT_BYTES_PER_S,  /* bytes/s */
    P11PROF_UNIT_CHANGE,       /* of a ratio: 0.1 is 10 % more, -0.1 less */
};

enum p11prof_type {
    P11PROF_TYPE_ANY, /* a column of somebody's query: as its values are */
    P11PROF_TYPE_INTEGER,
    P11PROF_TYPE_REAL,
    P11PROF_TYPE_TEXT,
    P11PROF_TYPE_LIST, /* words with a blank between: an array in JSON */
    P11PROF_TYPE_JSON, /* text that is JSON */
};

struct p11prof_column {
    const char *name;    /* in JSON, CSV and options; ends in its unit: _ns, _bytes, _count */
    const char *heading; /* in text */
    enum p11prof_unit unit;
    enum p11prof_type type;
    const char *meaning; /* one line */
};

/* NULL if no column has that name. */
const struct p11prof_column *p11prof_column_named(const char *name);

/* All of them; *count is set. */
const struct p11prof_column *p11prof_columns(size_t *count);

#endif
