/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The columns of single calls, and how each is made: for call_table.c and call_columns.c only. */
#ifndef P11PROF_REPORT_CALL_COLUMNS_H
#define P11PROF_REPORT_CALL_COLUMNS_H

#include "call_table.h"

/* Which table of names. */
enum p11prof_call_names {
    P11PROF_NAMES_FUNCTION,
    P11PROF_NAMES_RV,
    P11PROF_NAMES_KIND,
    P11PROF_NAMES_MECHANISM,
    P11PROF_NAMES_KEY_TYPE,
    P11PROF_NAMES_OPERATION,
};

struct p11prof_call_column {
    const char *name;
    const char *of_call; /* SQL of a call c in a segment s; NULL: the call's ref says it */
    enum p11prof_call_how {
        P11PROF_CALL_NUMBER,
        P11PROF_CALL_NAME,
        P11PROF_CALL_CALLER,
        P11PROF_CALL_LIBRARY,
        P11PROF_CALL_PROGRAM,
        P11PROF_CALL_WALL,
        P11PROF_CALL_GAP,
        P11PROF_CALL_RELATION,
    } how;
    enum p11prof_call_names names; /* of P11PROF_CALL_NAME */
    bool for_people;               /* shown if nobody says what to show */
    const char *heading;           /* for people, if another one than in p11prof_columns() */
    const char *otherwise;         /* text of NULL; NULL: unknown */
};
extern const struct p11prof_call_column p11prof_call_column_table[P11PROF_CALL_COLUMNS];

#endif
