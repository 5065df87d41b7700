/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What a CK_RV says to an engineer: one sentence, and whose matter it is. Pure data: any thread, no
 * errors. */
#ifndef P11PROF_REPORT_RV_MEANING_H
#define P11PROF_REPORT_RV_MEANING_H

#include <stdbool.h>
#include <stdint.h>

enum p11prof_rv_class {
    P11PROF_RV_BENIGN,         /* part of normal use: an answer, not a failure */
    P11PROF_RV_APPLICATION,    /* a wrong use, or wrong data */
    P11PROF_RV_TOKEN,          /* device, memory, removal, sessions */
    P11PROF_RV_AUTHENTICATION, /* PIN, login, consent */
    P11PROF_RV_VENDOR,         /* no code of PKCS#11: only the module's maker knows */
    P11PROF_RV_UNDISCLOSED,    /* the result is not kept */
    P11PROF_RV_CLASSES,
};

struct p11prof_rv_meaning {
    enum p11prof_rv_class class;
    const char *sentence; /* static */
};

/* The meaning of a result of a function (enum p11prof_function; 0: any). Never without a sentence.
 */
struct p11prof_rv_meaning p11prof_rv_meaning(unsigned function, uint64_t rv);

/* The same of a result that is not kept. */
struct p11prof_rv_meaning p11prof_rv_undisclosed(void);

/* Whether the table has that result itself: false for codes of vendors and unknown ones. */
bool p11prof_rv_is_explained(uint64_t rv);

/* "benign", "application", "token", "authentication", "vendor", "undisclosed". */
const char *p11prof_rv_class_name(enum p11prof_rv_class class);

#endif
