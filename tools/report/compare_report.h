/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The forms of comparisons of one baseline with one or more current sides. One thread; errors of
 * the stream stay in the stream. */
#ifndef P11PROF_REPORT_COMPARE_REPORT_H
#define P11PROF_REPORT_COMPARE_REPORT_H

#include "comparison.h"
#include "page.h"

#include <stdio.h>

struct p11prof_compare_side {
    const char *text; /* as it was asked for; borrowed */
    struct p11prof_samples samples;
};

struct p11prof_compare_report {
    const struct p11prof_compare_side *base, *currents;
    const struct p11prof_comparison *comparisons; /* one for each of currents */
    size_t count;
    bool fails[P11PROF_VERDICTS]; /* verdicts that are a "no" */
    bool fails_unmatched;         /* rows of one side only are one too */
};

/* Whether one of its rows is a "no". */
bool p11prof_compare_fails(const struct p11prof_compare_report *report);

/* For people. colour: verdicts are painted. */
void p11prof_compare_page(FILE *stream, const struct p11prof_compare_report *report,
                          enum p11prof_format format, bool colour);

/* A document of schema p11prof/compare/v1. */
void p11prof_compare_json(FILE *stream, const struct p11prof_compare_report *report);

/* One line for each row, current side and metric. */
void p11prof_compare_csv(FILE *stream, const struct p11prof_compare_report *report);

/* A test case for each row and current side; what fails is a failure, what says too little is
 * skipped. */
void p11prof_compare_junit(FILE *stream, const struct p11prof_compare_report *report);

#endif
