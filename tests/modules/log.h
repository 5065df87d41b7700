/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What a test tells a log module, and what it finds in it: the module exports one `log_control`. */
#ifndef P11PROF_TESTS_LOG_H
#define P11PROF_TESTS_LOG_H

#include "p11prof/pkcs11.h"

#include <stdbool.h>
#include <stdint.h>

enum { LOG_CALLS = 4096, LOG_WORDS = 10 };

/* A call that reached the module. */
struct log_call {
    uint32_t function; /* number in calls.def */
    uint32_t list;     /* which of the module's lists it came through; 0: of C_GetFunctionList */
    uint64_t words[LOG_WORDS]; /* its arguments */
};

struct log_control {
    CK_RV rv;    /* what every function but those that hand out lists returns */
    bool writes; /* write to every pointer that may be an output */
    size_t count;
    struct log_call calls[LOG_CALLS];
};

#endif
