/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Running a scenario of host_driver.c twice: over the module alone, and recorded. The application
 * must end, say and count the same; what returned in it is what the database has. */
#ifndef P11PROF_TESTS_HOST_H
#define P11PROF_TESTS_HOST_H

#include "fault.h"

struct host_case {
    const char *scenario;
    unsigned threads;
    unsigned long calls;
    bool callbacks;    /* over the module that calls back; the null module otherwise */
    const char *limit; /* of the spool; NULL: large */
    bool varies;       /* how many calls return is not the same in every run */
    void (*in_child)(const struct driven *driven); /* before the driver is executed */
};

/* Runs the scenario with and without us; what it printed on stdout must be the same. */
void host_set_up(struct fault *fault, const struct host_case *host);
void host_run(struct fault *fault, const struct host_case *host, const char *drain);

/* Collects: nothing lost, as many rows as calls that returned, one run. */
void host_counted(struct fault *fault);

/* host_counted(), and every slot's rows 1 … n; every process has one row, and all but the first a
 * parent. */
void host_exact(struct fault *fault);

/* All of it. */
void host_test(const struct host_case *host, const char *drain);

#endif
