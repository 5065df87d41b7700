/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Errors are described where they are known: what failed, where, and what to do, in one line
 * without a newline. The caller owns the struct; nothing is allocated. */
#ifndef P11PROF_ERROR_H
#define P11PROF_ERROR_H

#include <stdarg.h>

enum p11prof_status {
    P11PROF_OK = 0,
    P11PROF_BUSY,    /* somebody else holds it: try again */
    P11PROF_CHANGED, /* somebody else drained this spool meanwhile: reload and go on */
    P11PROF_MISSING, /* it does not exist */
    P11PROF_REFUSED, /* not ours, newer than we are, or not safe: do not touch */
    P11PROF_FAILED,  /* the system or SQLite failed */
    P11PROF_BAD_INPUT,
};

struct p11prof_error {
    enum p11prof_status status;
    char text[512];
};

/* Fills *error (may be NULL) and returns status. */
__attribute__((format(printf, 3, 4))) enum p11prof_status p11prof_error_set(
    struct p11prof_error *error, enum p11prof_status status, const char *format, ...);

#endif
