/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The checks of `p11prof doctor`: each looks at one thing and adds rows of what it found. */
#ifndef P11PROF_DOCTOR_CHECKS_H
#define P11PROF_DOCTOR_CHECKS_H

#include "../database.h"
#include "../report/table.h"

enum p11prof_verdict {
    P11PROF_VERDICT_OK,
    P11PROF_VERDICT_NOTE,    /* worth knowing */
    P11PROF_VERDICT_PROBLEM, /* would stop recording */
};

struct p11prof_checks {
    struct p11prof_table rows;
    const char *section; /* of the rows that are added */
    unsigned problem_count;
    struct p11prof_config config;      /* as a shim here would see it */
    struct p11prof_database *database; /* store may be NULL */
    bool database_writable;            /* or can be made */
};

/* Adds a row. source and advice may be NULL. */
__attribute__((format(printf, 6, 7))) void p11prof_check_add(struct p11prof_checks *checks,
                                                             enum p11prof_verdict verdict,
                                                             const char *item, const char *source,
                                                             const char *advice, const char *format,
                                                             ...);

/* Each setting, its value and where it comes from. */
void p11prof_check_settings(struct p11prof_checks *checks);
/* The real module: the file, and whether it loads (in a child process). */
void p11prof_check_module(struct p11prof_checks *checks);
/* Database and folder of the spools: there, writable, room. */
void p11prof_check_places(struct p11prof_checks *checks);
/* Clock and kernel. */
void p11prof_check_kernel(struct p11prof_checks *checks);
/* What lies in spools, what the database lost, and what p11prof cannot save. */
void p11prof_check_spools(struct p11prof_checks *checks);

#endif
