/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Running the driver and asking the database what was recorded. Failures are cmocka assertions. */
#ifndef P11PROF_TESTS_DRIVEN_H
#define P11PROF_TESTS_DRIVEN_H

#include "driver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <cmocka.h>

/* A place of its own: database, spool folder and counts. */
struct driven {
    char folder[256], db[300], spool[300], counts_path[300];
    const char *module; /* the real module; the null module by default */
    const char *limit; /* P11PROF_SPOOL_LIMIT; "512MB" by default: the null module outruns drains */
    void (*in_child)(const struct driven *driven); /* before the driver is executed; NULL */
    bool plain;                                    /* over the module itself, without the shim */
    bool own_folders; /* spools lie in each user's own folder in /dev/shm, not in `spool` */
    struct driver_counts *counts;
    int end; /* reads the end of file when the last descendant of the driver is gone */
};

/* Paths come from the environment: P11PROF_TEST_SHIM, P11PROF_TEST_DRIVER, P11PROF_TEST_NULL. */
void driven_set_up(struct driven *driven);
void driven_tear_down(struct driven *driven);

/* Starts the driver with this drain mode; the caller waits for it. */
pid_t driven_start(struct driven *driven, const char *scenario, const char *drain, unsigned threads,
                   unsigned long calls);

/* Waits until the driver and all its descendants are gone; driven_collect() does so, too. */
void driven_wait(struct driven *driven);

/* Waits until no process holds a spool of this place any more, then collects what is left. */
void driven_collect(struct driven *driven);

/* The first column of the first row, -1 if there is none. */
long long driven_ask(struct driven *driven, const char *query);

/* Calls that returned, over all slots. */
unsigned long long driven_returned(const struct driven *driven);

/* Every slot's rows are 1 … n without a gap or a double, n being what returned or, if `killed`, one
 * more. */
void driven_assert_exact(struct driven *driven, bool killed);

#endif
